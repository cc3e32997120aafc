/**
 * The log of one program. Losing lines of it is better than losing the program: what cannot be written is counted, and told when there is room again.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { logTail } from './log-tail.js';

export interface OpenLog {
  /** Absent: it could not be opened. */
  fd: number | undefined;
  write(text: string): void;
  close(): void;
}

export class LogFile {
  private lost = 0;

  constructor(readonly path: string) {
    if (existsSync(path)) renameSync(path, `${path}.1`);
  }

  open(): OpenLog {
    const fd = this.openFile();
    return {
      fd,
      write: (text) => this.write(fd, text),
      close: () => fd !== undefined && closeSync(fd),
    };
  }

  tail(lines: number): string[] {
    try {
      return logTail(this.path, lines);
    } catch (error) {
      return [`(it cannot be read: ${(error as Error).message})`];
    }
  }

  private openFile(): number | undefined {
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      return openSync(this.path, 'a', 0o600);
    } catch {
      return undefined;
    }
  }

  private write(fd: number | undefined, text: string): void {
    try {
      if (fd === undefined) throw new Error('no file');
      if (this.lost > 0) writeSync(fd, `(${this.lost} lines could not be written here)\n`);
      this.lost = 0;
      writeSync(fd, text);
    } catch {
      this.lost += 1;
    }
  }
}
