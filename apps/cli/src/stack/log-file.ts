/**
 * The log of one program: written by whoever started it, through a pipe, and rotated while it runs.
 *
 * Invariants:
 *  1. The file and its generations (`.1` the newest) hold no more than LIMITS says, but for one line that is longer.
 *  2. A generation ends with a line; no line is lost to a rotation.
 *  3. Losing lines is better than losing the program: what cannot be written is counted, and told when there is room again.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { logTail } from './log-tail.js';

export interface LogLimits {
  bytes: number;
  /** Of older files that are kept. */
  generations: number;
}

export const LOG_LIMITS: LogLimits = { bytes: 8 * 1024 ** 2, generations: 3 };
const NEWLINE = 0x0a;

export class LogFile {
  private lost = 0;
  private fd: number | undefined;
  private size = 0;
  private midLine = false;

  constructor(
    readonly path: string,
    private readonly limits = LOG_LIMITS,
  ) {
    this.shift();
  }

  /** Makes the file where it is not there: whoever looks for the log of a program that has said nothing yet finds an empty one. */
  make(): void {
    try {
      this.opened();
    } catch {
      // The first line says what is lost.
    }
  }

  write(data: Buffer | string): void {
    let rest = typeof data === 'string' ? Buffer.from(data) : data;
    while (rest.length > 0) {
      const cut = this.partThatFits(rest);
      this.append(rest.subarray(0, cut));
      rest = rest.subarray(cut);
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  tail(lines: number): string[] {
    try {
      return logTail(this.path, lines);
    } catch (error) {
      return [`(it cannot be read: ${(error as Error).message})`];
    }
  }

  /** How much of it goes into this file: beyond the limit, up to the end of the line that is begun. A full one makes room first. */
  private partThatFits(data: Buffer): number {
    const room = this.limits.bytes - this.size;
    if (data.length <= room) return data.length;
    const last = room > 0 ? data.lastIndexOf(NEWLINE, room - 1) : -1;
    if (last >= 0) return last + 1;
    if (this.midLine) {
      const end = data.indexOf(NEWLINE);
      return end < 0 ? data.length : end + 1;
    }
    if (this.size > 0) {
      this.close();
      this.shift();
      return this.partThatFits(data);
    }
    const end = data.indexOf(NEWLINE);
    return end < 0 ? data.length : end + 1;
  }

  private append(data: Buffer): void {
    let done = 0;
    try {
      const fd = this.opened();
      if (this.lost > 0) this.size += writeSync(fd, `${this.midLine ? '\n' : ''}(${this.lost} lines could not be written here)\n`);
      this.lost = 0;
      while (done < data.length) done += writeSync(fd, data, done);
    } catch {
      for (const byte of data.subarray(done)) if (byte === NEWLINE) this.lost += 1;
      if (this.lost === 0) this.lost = 1;
    }
    this.size += done;
    if (done > 0) this.midLine = data[done - 1] !== NEWLINE;
  }

  /** One that was removed meanwhile, with its directory perhaps, is made again. */
  private opened(): number {
    if (this.fd !== undefined && fstatSync(this.fd).nlink > 0) return this.fd;
    this.close();
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    this.fd = openSync(this.path, 'a', 0o600);
    this.size = fstatSync(this.fd).size;
    return this.fd;
  }

  /** Every file becomes the next older one, and the oldest goes. */
  private shift(): void {
    this.size = 0;
    this.midLine = false;
    if ((statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
    const { generations } = this.limits;
    for (let n = generations; n > 0; n--) {
      try {
        renameSync(n === 1 ? this.path : `${this.path}.${n - 1}`, `${this.path}.${n}`);
      } catch {
        // It is not there, or the file system is away: then the log goes on where it is.
      }
    }
  }
}
