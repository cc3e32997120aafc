/** The last lines of a task's stderr: at most 20 lines and 4 KiB, whether the stream went to the log or to a file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '@weft/storage';

const MAX_BYTES = 4096;
const MAX_LINES = 20;

export class StderrTail {
  private bytes: Buffer = Buffer.alloc(0);

  add(data: Buffer): void {
    const all = data.length >= MAX_BYTES ? data : Buffer.concat([this.bytes, data]);
    // A copy: a slice would keep the whole chunk alive.
    this.bytes = Buffer.from(all.subarray(Math.max(0, all.length - MAX_BYTES)));
  }

  addAll(other: StderrTail): void {
    this.add(other.bytes);
  }

  /** The end of a file; a file that the tool removed has no lines. */
  addFile(path: string): void {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      throw error;
    }
    try {
      const { size } = fstatSync(fd);
      const end = Buffer.alloc(Math.min(size, MAX_BYTES));
      const read = readSync(fd, end, 0, end.length, size - end.length);
      this.add(end.subarray(0, read));
    } finally {
      closeSync(fd);
    }
  }

  lines(): string[] {
    if (this.bytes.length === 0) return [];
    const lines = this.bytes.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-MAX_LINES);
  }
}
