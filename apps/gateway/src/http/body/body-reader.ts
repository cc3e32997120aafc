/**
 * Reads bodies away from the thread that serves everybody.
 *
 * Invariants:
 *  1. What is small (INLINE_BYTES) is read where it came in, in a few milliseconds at most. All else goes to a thread with limits on time and
 *     memory (libs/threads); of what it says only small values come back as values, the rest as text (json-part.ts).
 *  2. Callers take turns: by token, or else by address.
 */
import { ServiceError } from '@weft/platform';
import { locateWorkerProgram, type Refusals, ThreadPool } from '@weft/threads';
import { JsonPart } from './json-part.js';
import type { BodyTask, FromBodyThread } from './protocol.js';
import { readBody } from './read-body.js';
import { BodyRefusal } from './refusal.js';

const INLINE_BYTES = 64 * 1024;
const RETRY_AFTER_MS = 1_000;
const LIMITS = { threads: 1, cpuMs: 5_000, heapMb: 1024, waiting: 8, waitingInAll: 16 };

export class BodyReader {
  private readonly pool = new ThreadPool<BodyTask, FromBodyThread>({ ...LIMITS, refusals: REFUSALS, locate: locateReader });

  /** @throws ServiceError @param bytes are gone afterwards where they are large. */
  async read(bytes: Buffer, caller: string): Promise<unknown> {
    if (bytes.length <= INLINE_BYTES) return readHere(bytes);
    const own = ownBytes(bytes);
    const answer = await this.pool.run(own, caller, [own.buffer]);
    if (answer.kind === 'refused') throw new ServiceError('INVALID_ARGUMENT', answer.message);
    const parts = Object.entries(answer.parts).map(([key, { text, kind, keys }]) => [key, new JsonPart(text, kind, keys)]);
    return parts.length === 0 ? answer.value : Object.assign(answer.value as object, Object.fromEntries(parts));
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

function readHere(bytes: Buffer): unknown {
  try {
    return readBody(bytes).value;
  } catch (error) {
    throw error instanceof BodyRefusal ? new ServiceError('INVALID_ARGUMENT', error.message) : error;
  }
}

function locateReader(): Promise<URL> {
  return locateWorkerProgram({
    name: 'body-worker',
    beside: import.meta.url,
    source: './worker.ts',
    folders: ['./', '../../../../../libs/plan/src', '../../../../../libs/threads/src'],
  });
}

/** Whose memory nobody else uses, so that it can be handed over. */
function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength;
  return isWhole ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

const ADVICE = 'put what is large into files that the inputs name';
const invalid = (why: string): Error => new ServiceError('INVALID_ARGUMENT', `the body ${why}; ${ADVICE}`);

const REFUSALS: Refusals = {
  takesTooLong: (cpuMs) => invalid(`takes more than ${cpuMs / 1000} s to read`),
  takesTooMuch: (heapMb) => invalid(`takes more than ${heapMb} MiB of memory to read`),
  tooManyWait: (count, whose) => {
    const which = whose === 'owner' ? ' of yours' : '';
    const message = `${count} large requests${which} wait to be read; try again when some of them have been`;
    return new ServiceError('RESOURCE_EXHAUSTED', message, undefined, { retryAfterMs: RETRY_AFTER_MS });
  },
  stopping: () => new ServiceError('UNAVAILABLE', 'the gateway is closing'),
  broken: (why) => new ServiceError('INTERNAL', `the body cannot be read: ${why}`),
};
