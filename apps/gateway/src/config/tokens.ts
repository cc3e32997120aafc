/**
 * API tokens: the file holds only SHA-256 hashes, one `<64 hex digits> <name>` per line (`#` starts a comment).
 *
 * Invariants:
 *  1. A token is never stored or logged; only its hash is compared, in constant time.
 *  2. Every configured hash is compared on every check, so that timing does not tell which one matched.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError, followFile } from '@weft/platform';

interface HashedToken {
  hash: Buffer;
  name: string;
}

export class ApiTokens {
  private constructor(
    private tokens: HashedToken[],
    /** Absent: they came from no file. */
    private readonly file?: string,
  ) {}

  /** @throws ConfigError naming file and line where the text is malformed or holds no token. */
  static parse(text: string, file: string): ApiTokens {
    return new ApiTokens(parseTokens(text, file));
  }

  static fromFile(file: string): ApiTokens {
    return new ApiTokens(readTokens(file), file);
  }

  /** Takes what the file says whenever it changes; while it cannot be taken, the tokens before count. */
  follow(log: Parameters<typeof followFile>[2]): { close(): void } {
    const { file } = this;
    if (file === undefined) return { close: () => undefined };
    const read = (): boolean => {
      const now = readTokens(file);
      const isSame = textOf(now) === textOf(this.tokens);
      this.tokens = now;
      return !isSame;
    };
    return followFile(file, read, log);
  }

  /** The name of the token, or undefined where it is not one of ours. */
  nameOf(token: string): string | undefined {
    const hash = createHash('sha256').update(token, 'utf8').digest();
    let name: string | undefined;
    for (const known of this.tokens) if (timingSafeEqual(known.hash, hash)) name = known.name;
    return name;
  }

  /**
   * Checks an Authorization header: `Bearer <token>`, or `Basic` with the token as password (browsers can send that
   * to the pages /docs and /queues).
   */
  nameOfHeader(header: string | undefined): string | undefined {
    const [scheme, value] = splitOnce(header ?? '', ' ');
    if (scheme.toLowerCase() === 'bearer') return this.nameOf(value.trim());
    if (scheme.toLowerCase() !== 'basic') return undefined;
    return this.nameOf(splitOnce(Buffer.from(value.trim(), 'base64').toString('utf8'), ':')[1]);
  }
}

function parseTokens(text: string, file: string): HashedToken[] {
  const tokens: HashedToken[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line === '') continue;
    const match = /^([0-9a-fA-F]{64})(?:\s+(\S+))?$/.exec(line);
    if (!match?.[1]) throw bad(`${file}:${index + 1}: expected '<SHA-256 in 64 hex digits> <name>'`);
    tokens.push({ hash: Buffer.from(match[1], 'hex'), name: match[2] ?? `token-${tokens.length + 1}` });
  }
  if (tokens.length === 0) throw bad(`${file} holds no token`);
  return tokens;
}

function readTokens(file: string): HashedToken[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw bad(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  return parseTokens(text, file);
}

const textOf = (tokens: HashedToken[]): string => tokens.map(({ hash, name }) => `${hash.toString('hex')} ${name}`).join('\n');

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function bad(message: string): ConfigError {
  return new ConfigError([{ variable: 'WEFT_API_TOKENS_FILE', message }]);
}
