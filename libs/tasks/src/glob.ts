/**
 * POSIX glob patterns over a list of paths; no I/O.
 *
 * Invariants:
 *  1. Wildcards match neither '/' nor a leading dot; "**" is no more than "*". A pattern that ends in '/' matches directories alone.
 *  2. A pattern never reaches outside the working directory: such a pattern is refused, not answered with nothing.
 *  3. A name is looked at in time that grows with the lengths of name and pattern multiplied, whatever the pattern: of the stars in it only the
 *     last one that was passed is ever tried again, because what an earlier one could take, the last one can.
 */
import { TaskError } from './api.js';
import { escapes, normalizePath, relativeTo } from './names.js';

/** Longer than any path can be. */
const MAX_PATTERN = 4096;

/**
 * Paths (relative, '/'-separated) that a pattern matches, sorted by code unit. "" is the working directory itself.
 * `has`: whether a path is among them, where that is known without looking through them. `isDirectory`: of a path that is among them.
 */
export function matchGlob(
  pattern: string,
  paths: readonly string[],
  workDir: string,
  has: (path: string) => boolean = (path) => paths.includes(path),
  isDirectory: (path: string) => boolean = () => true,
): string[] {
  if (pattern.length > MAX_PATTERN)
    throw new TaskError('OUTPUT_GLOB', `a glob of ${pattern.length} characters (${pattern.slice(0, 60)}…) is longer than any path`);
  const relative = relativePattern(pattern, workDir);
  if (relative === '') return [''];
  const fits = (path: string): boolean => !pattern.endsWith('/') || isDirectory(path);
  const itself = (): string[] => (has(relative) && fits(relative) ? [relative] : []);
  if (!isWild(relative)) return itself();
  const segments = relative.split('/').map(tokensOf);
  const found = paths.filter((path) => matches(path.split('/'), segments) && fits(path));
  // As in a shell, a pattern that matches nothing stands for itself: files are often named after inputs with brackets in them.
  return found.length > 0 ? found.sort() : itself();
}

/** False: the pattern is a name. */
export function isWild(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** The pattern relative to the working directory. Throws TaskError OUTPUT_GLOB where it leaves it. */
function relativePattern(pattern: string, workDir: string): string {
  const path = pattern.startsWith('/') ? relativeTo(pattern, workDir) : normalizePath(pattern);
  if (path === undefined || escapes(path)) {
    throw new TaskError('OUTPUT_GLOB', `glob '${pattern}' reaches outside the working directory (${workDir})`);
  }
  return path;
}

/** One character, one of a set (a test), any one (`?`), or any number of them (`*`). */
type Token = { char: string } | { set: RegExp } | '?' | '*';

function tokensOf(segment: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < segment.length;) {
    const char = String.fromCodePoint(segment.codePointAt(i) ?? 0);
    i += char.length;
    if (char === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (char === '?') tokens.push('?');
    else if (char === '[') {
      const set = bracket(segment, i - 1);
      tokens.push(set ? { set: new RegExp(`^${set.source}$`, 'su') } : { char });
      if (set) i = set.end + 1;
    } else if (char === '\\' && i < segment.length) {
      const escaped = String.fromCodePoint(segment.codePointAt(i) ?? 0);
      tokens.push({ char: escaped });
      i += escaped.length;
    } else tokens.push({ char });
  }
  return tokens;
}

function matches(names: readonly string[], segments: readonly Token[][]): boolean {
  return names.length === segments.length && segments.every((tokens, i) => matchesName(names[i] ?? '', tokens));
}

function matchesName(name: string, tokens: readonly Token[]): boolean {
  const [first] = tokens;
  if (name.startsWith('.') && !(typeof first === 'object' && 'char' in first)) return false;
  const chars = [...name];
  let [at, next] = [0, 0];
  /** Where to go on when what follows the last star does not fit: the token after it, and the first character it has not taken. */
  let star: { after: number; from: number } | undefined;
  while (at < chars.length) {
    const token = tokens[next];
    if (token === '*') {
      next += 1;
      star = { after: next, from: at };
    } else if (token !== undefined && takes(token, chars[at] ?? '')) {
      at += 1;
      next += 1;
    } else if (star !== undefined) {
      star.from += 1;
      at = star.from;
      next = star.after;
    } else return false;
  }
  while (tokens[next] === '*') next += 1;
  return next === tokens.length;
}

function takes(token: Exclude<Token, '*'>, char: string): boolean {
  if (token === '?') return true;
  return 'char' in token ? token.char === char : token.set.test(char);
}

/** A bracket expression: its first ']' is literal where it comes first; unclosed, the '[' is an ordinary character. */
function bracket(segment: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1;
  const negated = segment.charAt(i) === '!' || segment.charAt(i) === '^';
  if (negated) i++;
  const first = i;
  while (i < segment.length && (segment.charAt(i) !== ']' || i === first)) {
    const named = /^\[:\w+:\]/.exec(segment.slice(i));
    i += named ? named[0].length : 1;
  }
  if (i >= segment.length) return undefined;
  return { source: `[${negated ? '^/' : ''}${classMembers(segment.slice(first, i))}]`, end: i };
}

function classMembers(text: string): string {
  return text.replace(/\[:(\w+):\]|(.)-(.)|[\\\]^[|-]/gsu, (match: string, named?: string, low?: string, high?: string) => {
    if (named !== undefined) return NAMED_CLASSES[named] ?? '';
    if (low !== undefined && high !== undefined) return low <= high ? `${escapeChar(low)}-${escapeChar(high)}` : '';
    return `\\${match}`;
  });
}

const NAMED_CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  xdigit: '0-9A-Fa-f',
};

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
