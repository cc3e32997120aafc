/**
 * One log stream of a launcher, cut into the logs of the tasks that it runs one after another.
 *
 * Invariants:
 *  1. Nothing is read ahead of a sink that returned a promise.
 *  2. `begin` settles exactly once: at the end marker, at the end of the stream, or where the sink fails.
 */
import type { Socket } from 'node:net';
import { MarkerScanner } from './marker-scanner.js';

/** How long a stream whose shell is dead may stay open in the hands of a process that left the group. */
const STRAY_MS = 200;

export class LogTap {
  private readonly scanner: MarkerScanner;
  private sink: ((data: Buffer) => void | Promise<void>) | undefined;
  private settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    marker: string,
  ) {
    this.scanner = new MarkerScanner(marker);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('close', () => this.close());
    // A read error closes the stream, which is what `close` answers to.
    socket.on('error', () => undefined);
  }

  /** Gives the stream to a task until its end marker. */
  begin(sink: (data: Buffer) => void | Promise<void>): Promise<void> {
    if (this.ended) return Promise.resolve();
    this.sink = sink;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  /** The shell is dead: what is in the pipe is still read, but nobody is waited for beyond that. */
  endSoon(): void {
    const timer = setTimeout(() => this.socket.destroy(), STRAY_MS);
    this.socket.once('close', () => clearTimeout(timer));
  }

  private take(chunk: Buffer): void {
    const { data, ended } = this.scanner.push(chunk);
    const accepted = data.length > 0 ? this.sink?.(data) : undefined;
    if (accepted instanceof Promise) {
      this.socket.pause();
      accepted.then(
        () => {
          if (ended) this.finish();
          this.socket.resume();
        },
        (error: unknown) => {
          this.settle?.reject(error);
          this.socket.resume();
        },
      );
    } else if (ended) {
      this.finish();
    }
  }

  private close(): void {
    this.ended = true;
    const rest = this.scanner.flush();
    if (rest.length > 0) void this.sink?.(rest);
    this.finish();
  }

  private finish(): void {
    this.sink = undefined;
    this.settle?.resolve();
    this.settle = undefined;
  }
}
