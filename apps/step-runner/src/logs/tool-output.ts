/** What a tool says on its streams, without its secrets: on the way to its log, and the end of stderr as it is told where it failed. */
import type { StreamName } from './log-keeper.js';
import { type MaskedStream, SecretMask } from './secret-mask.js';
import { StderrTail } from './stderr-tail.js';

export class ToolOutput {
  readonly mask: SecretMask;
  private streams: Record<StreamName, MaskedStream>;
  private tail: StderrTail;

  constructor(secrets: readonly string[]) {
    this.mask = new SecretMask(secrets);
    this.streams = { stdout: this.mask.stream(), stderr: this.mask.stream() };
    this.tail = new StderrTail(this.mask);
  }

  /** The tool is begun again: what it said before does not count. */
  renew(): void {
    this.streams = { stdout: this.mask.stream(), stderr: this.mask.stream() };
    this.tail = new StderrTail(this.mask);
  }

  /** What may be told of it now; the rest may be the beginning of a secret, and waits for what follows. */
  push(name: StreamName, data: Buffer): Buffer {
    return this.told(name, this.streams[name].push(data));
  }

  /** Nothing comes any more: what was held back. */
  async end(take: (name: StreamName, data: Buffer) => void | Promise<void>): Promise<void> {
    for (const name of ['stdout', 'stderr'] as const) await take(name, this.told(name, this.streams[name].end()));
  }

  /** The end of the file that stderr went to. */
  addFile(path: string | undefined): void {
    if (path !== undefined) this.tail.addFile(path);
  }

  lines(): string[] {
    return this.tail.lines();
  }

  private told(name: StreamName, data: Buffer): Buffer {
    if (name === 'stderr') this.tail.add(data);
    return data;
  }
}
