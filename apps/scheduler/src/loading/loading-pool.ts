/**
 * Loads what callers send, away from the thread that serves everybody.
 *
 * Invariants:
 *  1. What is small (INLINE_SIZE) is loaded where it came in: that is faster than a message, and cannot take long, because nothing that loading
 *     does grows faster than the text (libs/cwl/src/limits.ts). All else goes to a thread, one at a time each.
 *  2. Projects take turns (libs/threads).
 */
import type { scheduler } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { type CwlObject, type Plan, readJson } from '@weft/plan';
import { type Refusals, ThreadPool, type ThreadPoolOptions } from '@weft/threads';
import { fingerprintOf } from './fingerprint.js';
import { loadSubmission, sizeOf, type Loaded, type LoadRequest } from './load-submission.js';
import type { FromLoader, LoadingTask } from './protocol.js';

/** Characters; what people write by hand has fewer. */
const INLINE_SIZE = 16 * 1024;
const RETRY_AFTER_MS = 1_000;

export type LoadingOptions = Omit<ThreadPoolOptions, 'refusals'>;

export interface Loading {
  load(request: LoadRequest, project: string): Promise<Loaded>;
  fingerprint(request: scheduler.SubmitRunRequest): Promise<string>;
  close(): Promise<void>;
}

export class LoadingPool implements Loading {
  private readonly pool: ThreadPool<LoadingTask, FromLoader>;

  constructor(options: LoadingOptions) {
    this.pool = new ThreadPool({ ...options, refusals: REFUSALS });
  }

  async load(request: LoadRequest, project: string): Promise<Loaded> {
    if (sizeOf(request) <= INLINE_SIZE) return loadSubmission(request);
    const answer = await this.pool.run({ kind: 'load', request }, project);
    if (answer.kind !== 'loaded') throw new Error(`a loading thread answered '${answer.kind}'`);
    const { planJson, inputsJson, ...rest } = answer.loaded;
    return {
      ...rest,
      ...(planJson !== undefined && { planJson, plan: readJson(planJson) as Plan }),
      ...(inputsJson !== undefined && { inputsJson, inputs: readJson(inputsJson) as CwlObject }),
    };
  }

  async fingerprint(request: scheduler.SubmitRunRequest): Promise<string> {
    const { document, inputsJson, inputsBaseUri: baseUri } = request;
    if (sizeOf({ document: document ?? { rootUri: '', files: {} }, job: { inputsJson, baseUri } }) <= INLINE_SIZE)
      return fingerprintOf(request);
    const answer = await this.pool.run({ kind: 'fingerprint', request }, request.projectId);
    if (answer.kind !== 'fingerprint') throw new Error(`a loading thread answered '${answer.kind}'`);
    return answer.fingerprint;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

const invalid = (why: string): Error => new ServiceError('INVALID_ARGUMENT', `this submission ${why}`);

const REFUSALS: Refusals = {
  takesTooLong: (cpuMs) =>
    invalid(`takes more than ${cpuMs / 1000} s to load; put what is large into files that the inputs name, or take it apart`),
  takesTooMuch: (heapMb) => invalid(`takes more than ${heapMb} MiB of memory to load; put what is large into files that the inputs name`),
  tooManyWait: (count, whose) => {
    const which = whose === 'owner' ? ' of this project' : '';
    const message = `${count} large submissions${which} wait to be read; try again when some of them have been`;
    return new ServiceError('RESOURCE_EXHAUSTED', message, undefined, { retryAfterMs: RETRY_AFTER_MS });
  },
  stopping: () => new ServiceError('UNAVAILABLE', 'the service is stopping'),
  broken: (why) => new ServiceError('INTERNAL', `the document cannot be loaded: ${why}`),
};
