/**
 * A stream from far away that ends whole or with a StorageError, and counts what comes.
 *
 * Invariant: where the length is known, a stream that ends early is an error, whatever the connection thought of it.
 */
import { type Readable, Transform } from 'node:stream';
import { StorageError } from './ports.js';

export interface GuardOptions {
  uri: string;
  /** Bytes that must come; absent: not known. */
  expected?: number;
  onBytes?: (bytes: number) => void;
  /** Bytes to leave out at the beginning, of a server that knows no ranges. */
  skip?: number;
  /** Bytes to hand on after those; what follows is not waited for. */
  take?: number;
}

export function guardStream(source: Readable, options: GuardOptions): Readable {
  const { uri, expected, onBytes } = options;
  let [received, skip, left, satisfied] = [0, options.skip ?? 0, options.take ?? Infinity, false];
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      onBytes?.(chunk.length);
      const from = Math.min(skip, chunk.length);
      skip -= from;
      const piece = chunk.subarray(from, from + Math.min(left, chunk.length));
      left -= piece.length;
      if (left === 0 && !satisfied) {
        satisfied = true;
        source.unpipe(guard);
        source.destroy();
        guard.end();
      }
      done(null, piece);
    },
    flush(done) {
      if (satisfied || expected === undefined || received === expected) done();
      else done(broken(`after ${received} of ${expected} bytes`));
    },
  });
  const broken = (how: string): StorageError => new StorageError('IO', `${uri}: the connection ended ${how}`, uri);
  source.once('error', (error: Error) => satisfied || guard.destroy(broken(`after ${received} bytes (${error.message})`)));
  source.once('close', () => satisfied || source.readableEnded || guard.destroy(broken(`after ${received} bytes`)));
  guard.once('close', () => source.destroy());
  return source.pipe(guard);
}
