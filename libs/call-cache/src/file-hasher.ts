/**
 * SHA-1 of local files. Small ones are read and hashed where the caller is (a hop to a thread costs more); the others by one thread, which is
 * started when first needed and keeps no process alive.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

const SMALL_BYTES = 64 * 1024;

export interface FileHasher {
  /** Hex. Rejects with the system's error. `size` says only how to go about it. */
  sha1(path: string, size: number): Promise<string>;
  close(): Promise<void>;
}

/** Plain JavaScript, in here: a thread needs a program of its own, and this one is shorter than what would find it in a bundle. */
const PROGRAM = `
const { createHash } = require('node:crypto');
const { closeSync, openSync, readSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const chunk = Buffer.allocUnsafe(1024 * 1024);
parentPort.on('message', ({ id, path }) => {
  try {
    const hash = createHash('sha1');
    const fd = openSync(path, 'r');
    try {
      for (let read; (read = readSync(fd, chunk)) > 0; ) hash.update(chunk.subarray(0, read));
    } finally {
      closeSync(fd);
    }
    parentPort.postMessage({ id, hex: hash.digest('hex') });
  } catch (error) {
    parentPort.postMessage({ id, error: { code: error.code, message: error.message } });
  }
});
`;

interface Answer {
  id: number;
  hex?: string;
  error?: { code: string; message: string };
}

export class ThreadedFileHasher implements FileHasher {
  private thread: Worker | undefined;
  private asked = 0;
  private readonly waiting = new Map<number, { resolve: (hex: string) => void; reject: (error: Error) => void }>();

  async sha1(path: string, size: number): Promise<string> {
    if (size <= SMALL_BYTES)
      return createHash('sha1')
        .update(await readFile(path))
        .digest('hex');
    return new Promise((resolve, reject) => {
      const id = ++this.asked;
      this.waiting.set(id, { resolve, reject });
      const thread = (this.thread ??= this.start());
      // While somebody waits for an answer, the process does not end for want of anything else to do.
      thread.ref();
      thread.postMessage({ id, path });
    });
  }

  async close(): Promise<void> {
    await this.thread?.terminate();
  }

  private start(): Worker {
    const thread = new Worker(PROGRAM, { eval: true });
    thread.on('message', ({ id, hex, error }: Answer) => {
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (this.waiting.size === 0) thread.unref();
      if (hex !== undefined) waiter?.resolve(hex);
      else waiter?.reject(Object.assign(new Error(error?.message), { code: error?.code }));
    });
    const gone = (error: Error): void => {
      if (this.thread === thread) this.thread = undefined;
      for (const waiter of this.waiting.values()) waiter.reject(error);
      this.waiting.clear();
    };
    thread.on('error', gone);
    thread.on('exit', () => gone(new Error('the hashing thread has ended')));
    thread.unref();
    return thread;
  }
}
