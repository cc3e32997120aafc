/**
 * Takes a task's secrets out of what it wrote, before anybody else has it.
 *
 * Invariants:
 *  1. A secret is found wherever it lies, also where it comes in several pieces: what may be the beginning of one waits for what follows.
 *  2. A task without secrets pays nothing: its bytes are handed on as they are.
 */
const MASK = Buffer.from('(secret)');
const NOTHING = Buffer.alloc(0);

export class SecretMask {
  private readonly secrets: Buffer[];
  /** Bytes of the longest. */
  readonly longest: number;

  constructor(secrets: readonly string[]) {
    // Of two that begin alike the longer one counts.
    this.secrets = secrets
      .filter((secret) => secret !== '')
      .map((secret) => Buffer.from(secret))
      .sort((a, b) => b.length - a.length);
    this.longest = this.secrets[0]?.length ?? 0;
  }

  get isEmpty(): boolean {
    return this.secrets.length === 0;
  }

  text(text: string): string {
    return this.isEmpty ? text : this.bytes(Buffer.from(text)).toString('utf8');
  }

  bytes(data: Buffer): Buffer {
    return this.isEmpty ? data : this.masked(data, data.length).done;
  }

  /** The end of something that was read from somewhere in its middle: what begins before `from` is left out. */
  end(data: Buffer, from: number): Buffer {
    if (this.isEmpty) return data.subarray(from);
    const { rest } = this.masked(data, from);
    return this.bytes(rest);
  }

  /** For one stream. */
  stream(): MaskedStream {
    let held: Buffer = NOTHING;
    return {
      push: (data) => {
        if (this.isEmpty) return data;
        const all = held.length === 0 ? data : Buffer.concat([held, data]);
        const { done, rest } = this.masked(all, all.length - this.begun(all));
        held = Buffer.from(rest);
        return done;
      },
      end: () => {
        const { done } = this.masked(held, held.length);
        held = NOTHING;
        return done;
      },
    };
  }

  /** What lies before `limit`, masked, and what begins there; a secret that reaches over the limit is masked whole. */
  private masked(data: Buffer, limit: number): { done: Buffer; rest: Buffer } {
    const parts: Buffer[] = [];
    let at = 0;
    for (let next = this.next(data, at); next !== undefined && next.from < limit; next = this.next(data, at)) {
      parts.push(data.subarray(at, next.from), MASK);
      at = next.to;
    }
    const end = Math.max(at, limit);
    parts.push(data.subarray(at, end));
    return { done: Buffer.concat(parts), rest: data.subarray(end) };
  }

  private next(data: Buffer, from: number): { from: number; to: number } | undefined {
    let first: { from: number; to: number } | undefined;
    for (const secret of this.secrets) {
      const at = data.indexOf(secret, from);
      if (at >= 0 && (first === undefined || at < first.from)) first = { from: at, to: at + secret.length };
    }
    return first;
  }

  /** Bytes at the end that may be the beginning of a secret. */
  private begun(data: Buffer): number {
    for (let length = Math.min(this.longest - 1, data.length); length > 0; length -= 1) {
      const end = data.subarray(data.length - length);
      if (this.secrets.some((secret) => secret.length > length && secret.subarray(0, length).equals(end))) return length;
    }
    return 0;
  }
}

export interface MaskedStream {
  push(data: Buffer): Buffer;
  /** What was held back. */
  end(): Buffer;
}
