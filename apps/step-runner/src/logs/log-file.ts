/**
 * What a task writes to one stream, as a file.
 *
 * Invariants:
 *  1. The file is made by this attempt: what lies at its name before is taken away, never written to or followed.
 *  2. Nothing is buffered: what `write` has taken is in the file when it returns, or when its promise resolves.
 *  3. What is not in the file (it is longer than its limit, or the disk had nothing to spare) has a mark in its place, with counts. It fails no task.
 */
import { closeSync, constants, mkdirSync, openSync, rmSync, write as writeCallback, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemErrorCode } from '@weft/storage';
import { countLines, type LogPiece } from './log-excerpt.js';

const writeAsync = promisify(writeCallback);
/** So much is written at once, as it comes: it costs less than handing it to another thread. What is long must not hold up others. */
const AT_ONCE_BYTES = 64 * 1024;
const NOT_WRITTEN = 'it could not be written';
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Whether there is room is looked at so often. */
const LOOK_BYTES = 256 * 1024;

export interface LogFileOptions {
  limitBytes: number;
  /** Whether its disk has room to spare: a log gives way to everything else. Absent: it has. */
  hasSpare?: () => boolean;
  /** Told once. */
  onProblem(text: string, error: unknown): void;
}

export class LogFile {
  private fd: number | undefined;
  private taken = 0;
  private inFile = 0;
  private missing = { bytes: 0, lines: 0 };
  private full = false;
  private spare = false;
  private lookAgainAt = 0;
  private midLine = false;
  private told = false;
  private writing: Promise<void> | undefined;

  constructor(
    readonly path: string,
    private readonly options: LogFileOptions,
  ) {}

  /** Whether there is one: a stream that said nothing has none. */
  get exists(): boolean {
    return this.inFile > 0;
  }

  write(data: Buffer): void | Promise<void> {
    const offset = this.taken;
    this.taken += data.length;
    if (this.full || !this.mayWrite()) return this.miss(data);
    if (this.writing === undefined && offset + data.length <= AT_ONCE_BYTES) return this.writeNow(data);
    return this.queue(() => this.writeLater(data));
  }

  /** @param kept what is known of the stream at or after an offset, for the end of a file that was cut */
  close(kept: (from: number) => LogPiece[]): void | Promise<void> {
    if (this.writing !== undefined) return this.writing.then(() => this.closeNow(kept));
    this.closeNow(kept);
  }

  /** Of a life that does not count any more. */
  remove(): void {
    if (this.inFile > 0) rmSync(this.path, { force: true });
  }

  private mayWrite(): boolean {
    if (this.spare && this.inFile < this.lookAgainAt) return true;
    this.spare = this.options.hasSpare?.() ?? true;
    this.lookAgainAt = this.inFile + LOOK_BYTES;
    return this.spare;
  }

  private queue(act: () => Promise<void>): Promise<void> {
    const doing: Promise<void> = (this.writing ?? Promise.resolve()).then(act).finally(() => {
      if (this.writing === doing) this.writing = undefined;
    });
    return (this.writing = doing);
  }

  private writeNow(data: Buffer): void {
    const part = this.admitted(data);
    let done = 0;
    try {
      const fd = this.opened();
      this.mark(fd, NOT_WRITTEN);
      while (done < part.length) done += this.counted(part, done, writeSync(fd, part, done));
    } catch (error) {
      this.failed(error);
    }
    if (done < data.length) this.miss(data.subarray(done));
  }

  private async writeLater(data: Buffer): Promise<void> {
    const part = this.admitted(data);
    let done = 0;
    try {
      const fd = this.opened();
      this.mark(fd, NOT_WRITTEN);
      while (done < part.length)
        done += this.counted(part, done, (await writeAsync(fd, part, done, part.length - done, null)).bytesWritten);
    } catch (error) {
      this.failed(error);
    }
    if (done < data.length) this.miss(data.subarray(done));
  }

  /** The part of it that the limit leaves room for. */
  private admitted(data: Buffer): Buffer {
    if (this.inFile + data.length <= this.options.limitBytes) return data;
    this.full = true;
    return data.subarray(0, Math.max(0, this.options.limitBytes - this.inFile));
  }

  private counted(data: Buffer, from: number, written: number): number {
    this.inFile += written;
    if (written > 0) this.midLine = data[from + written - 1] !== 0x0a;
    return written;
  }

  private miss(data: Buffer): void {
    this.missing.bytes += data.length;
    this.missing.lines += countLines(data);
  }

  private failed(error: unknown): void {
    if (!this.told) this.options.onProblem(`the log ${this.path} cannot be written; the task goes on without it`, error);
    this.told = true;
  }

  /** Says what is not here, where there is room to say it. @throws the system's error */
  private mark(fd: number, why: string): void {
    const { bytes, lines } = this.missing;
    if (bytes === 0) return;
    writeSync(fd, `${this.midLine ? '\n' : ''}[weft: ${lines} lines (${bytes} bytes) are left out here: ${why}]\n`);
    this.midLine = false;
    this.missing = { bytes: 0, lines: 0 };
  }

  private closeNow(kept: (from: number) => LogPiece[]): void {
    if (this.fd === undefined) return;
    try {
      const end = Buffer.concat(kept(this.taken - this.missing.bytes).map(({ data }) => data));
      this.missing.bytes -= end.length;
      this.missing.lines -= countLines(end);
      this.mark(this.fd, this.full ? `the log is longer than ${this.options.limitBytes} bytes` : NOT_WRITTEN);
      if (end.length > 0) writeSync(this.fd, end);
      closeSync(this.fd);
    } catch (error) {
      this.failed(error);
    }
    this.fd = undefined;
  }

  private opened(): number {
    if (this.fd !== undefined) return this.fd;
    const open = (): number => openSync(this.path, FLAGS, 0o666);
    try {
      return (this.fd = open());
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EEXIST') rmSync(this.path, { force: true });
      else if (code === 'ENOENT') mkdirSync(dirname(this.path), { recursive: true });
      else throw error;
    }
    return (this.fd = open());
  }
}
