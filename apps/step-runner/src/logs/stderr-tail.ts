/** The last lines of a task's stderr: at most 20 lines and 4 KiB, whether the stream went to the log or to a file. */
import type { SecretMask } from './secret-mask.js';
import { openBeneath, type OpenEntry, systemErrorCode } from '@weft/storage';

const MAX_BYTES = 4096;
const MAX_LINES = 20;

export class StderrTail {
  private bytes: Buffer = Buffer.alloc(0);

  constructor(private readonly mask: SecretMask) {}

  add(data: Buffer): void {
    const all = data.length >= MAX_BYTES ? data : Buffer.concat([this.bytes, data]);
    // A copy: a slice would keep the whole chunk alive.
    this.bytes = Buffer.from(all.subarray(Math.max(0, all.length - MAX_BYTES)));
  }

  /** The end of a file; one that is not there has no lines. @throws NotPlainError; the system's error */
  addFile(path: string): void {
    let file: OpenEntry;
    try {
      file = openBeneath(path, '');
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      throw error;
    }
    try {
      // As much more as the longest secret has, so that none is cut in half: what lies before it is looked at and not shown.
      const from = Math.max(0, file.stats.size - MAX_BYTES - this.mask.longest);
      const read = file.read(from, MAX_BYTES + this.mask.longest);
      this.add(this.mask.end(read, from === 0 ? 0 : this.mask.longest));
    } finally {
      file.close();
    }
  }

  lines(): string[] {
    if (this.bytes.length === 0) return [];
    const lines = this.bytes.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-MAX_LINES);
  }
}
