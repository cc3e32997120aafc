/**
 * Loads what callers send, away from the thread that serves everybody.
 *
 * Invariants:
 *  1. What is small (INLINE_SIZE) is loaded where it came in: that is faster than a message, and cannot take long, because nothing that loading
 *     does grows faster than the text (libs/cwl/src/limits.ts). All else goes to a thread, one at a time each.
 *  2. Projects take turns; each may have so many waiting and no more, so that one caller's large documents do not keep another's from being read.
 *  3. Nothing is started before the first large submission; a thread that has nothing to do for a while ends.
 */
import type { scheduler } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { type CwlObject, type Plan, readJson } from '@weft/plan';
import { fingerprintOf } from '../runs/fingerprint.js';
import { loadSubmission, sizeOf, type Loaded, type LoadRequest } from './load-submission.js';
import { LoadingThread, type LoadingJob, type ThreadLimits } from './loading-thread.js';
import type { FromLoader, LoadingTask } from './protocol.js';

/** Characters; what people write by hand has fewer. */
const INLINE_SIZE = 16 * 1024;
const IDLE_MS = 30_000;
const RETRY_AFTER_MS = 1_000;

export interface LoadingOptions extends ThreadLimits {
  threads: number;
  /** Large submissions of one project that may wait. */
  waiting: number;
  locate(): Promise<URL>;
}

export interface Loading {
  load(request: LoadRequest, project: string): Promise<Loaded>;
  fingerprint(request: scheduler.SubmitRunRequest): Promise<string>;
  close(): Promise<void>;
}

export class LoadingPool implements Loading {
  private readonly threads = new Set<LoadingThread>();
  /** By project; who was served last stands last. */
  private readonly waiting = new Map<string, LoadingJob[]>();
  private readonly idle = new Map<LoadingThread, NodeJS.Timeout>();
  private url: Promise<URL> | undefined;
  private closed = false;

  constructor(private readonly options: LoadingOptions) {}

  async load(request: LoadRequest, project: string): Promise<Loaded> {
    if (sizeOf(request) <= INLINE_SIZE) return loadSubmission(request);
    const answer = await this.run({ kind: 'load', request }, project);
    if (answer.kind !== 'loaded') throw new Error(`a loading thread answered '${answer.kind}'`);
    const { planJson, inputsJson, ...rest } = answer.loaded;
    return {
      ...rest,
      ...(planJson !== undefined && { plan: readJson(planJson) as Plan }),
      ...(inputsJson !== undefined && { inputs: readJson(inputsJson) as CwlObject }),
    };
  }

  async fingerprint(request: scheduler.SubmitRunRequest): Promise<string> {
    const { document, inputsJson, inputsBaseUri: baseUri } = request;
    if (sizeOf({ document: document ?? { rootUri: '', files: {} }, job: { inputsJson, baseUri } }) <= INLINE_SIZE)
      return fingerprintOf(request);
    const answer = await this.run({ kind: 'fingerprint', request }, request.projectId);
    if (answer.kind !== 'fingerprint') throw new Error(`a loading thread answered '${answer.kind}'`);
    return answer.fingerprint;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const jobs of this.waiting.values())
      for (const job of jobs) job.reject(new ServiceError('UNAVAILABLE', 'the service is stopping'));
    this.waiting.clear();
    for (const timer of this.idle.values()) clearTimeout(timer);
    await Promise.all([...this.threads].map((thread) => thread.close()));
  }

  private async run(task: LoadingTask, project: string): Promise<FromLoader> {
    if (this.closed) throw new ServiceError('UNAVAILABLE', 'the service is stopping');
    const line = this.waiting.get(project) ?? [];
    if (line.length >= this.options.waiting) {
      const message = `${line.length} large submissions of this project wait to be read; try again when some of them have been`;
      throw new ServiceError('RESOURCE_EXHAUSTED', message, undefined, { retryAfterMs: RETRY_AFTER_MS });
    }
    const answer = new Promise<FromLoader>((resolve, reject) => line.push({ task, resolve, reject }));
    this.waiting.set(project, line);
    this.url ??= this.options.locate();
    const url = await this.url.catch((error: unknown) => {
      this.url = undefined;
      for (const job of line.splice(0)) job.reject(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    });
    if (url !== undefined) this.dispatch(url);
    return answer;
  }

  private dispatch(url: URL): void {
    while (!this.closed && this.waiting.size > 0) {
      const thread = [...this.threads].find((one) => !one.busy) ?? (this.threads.size < this.options.threads ? this.start(url) : undefined);
      if (thread === undefined) return;
      const job = this.next();
      if (job === undefined) return;
      clearTimeout(this.idle.get(thread));
      this.idle.delete(thread);
      thread.send(job);
    }
  }

  /** Of the project that has waited longest. */
  private next(): LoadingJob | undefined {
    for (const [project, line] of this.waiting) {
      const job = line.shift();
      this.waiting.delete(project);
      if (line.length > 0) this.waiting.set(project, line);
      if (job !== undefined) return job;
    }
    return undefined;
  }

  private start(url: URL): LoadingThread {
    const thread: LoadingThread = new LoadingThread(url, this.options, {
      idle: (one) => {
        this.idle.set(one, setTimeout(() => void one.close(), IDLE_MS).unref());
        this.dispatch(url);
      },
      gone: (one) => {
        clearTimeout(this.idle.get(one));
        this.idle.delete(one);
        this.threads.delete(one);
        this.dispatch(url);
      },
    });
    this.threads.add(thread);
    return thread;
  }
}
