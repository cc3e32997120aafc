/**
 * The call cache of a scheduler, put together: results in Redis, files in storage, and their housekeeping.
 *
 * Invariant: nothing is looked for on a timer but what has outlived its time, which nothing tells; what is moved into the cache has it swept
 * soon after.
 */
import {
  CallCache,
  ContentIdMemory,
  createRedisResultStore,
  ResultFolders,
  type RetiredFolders,
  StoredResults,
  ThreadedFileHasher,
} from '@weft/call-cache';
import type { executor } from '@weft/contracts';
import type { Logger, RedisConnection } from '@weft/platform';
import type { TaskJob } from '@weft/queue';
import type { Storage } from '@weft/storage';
import type { Clock } from '../../kernel/clock.js';
import { RunContents } from './run-contents.js';
import type { RunnerPool } from '../../placement/runner-pool.js';
import { TaskReuse } from './task-reuse.js';

export interface ReuseOptions {
  redis: RedisConnection;
  storage: Storage;
  pool: RunnerPool;
  client(address: string): executor.ContainerExecutorClient;
  logger: Logger;
  clock: Clock;
  /** Ends in '/'. */
  dataUri: string;
  ttlMs: number;
  maxBytes: number;
  onLookedUp?(hit: boolean): void;
}

/** Between two looks at what has outlived its time, milliseconds. */
const SWEEP_MS = 3_600_000;
/** After something was moved into the cache. */
const SWEEP_SOON_MS = 5_000;

export interface ReusedResults {
  /** For one job. */
  of(job: TaskJob): TaskReuse;
  /** For whoever removes what tasks published. */
  folders: RetiredFolders;
  /** Removes what only the cache keeps, least recently used first, until no more than so many bytes are left. */
  trim(keepBytes: number): Promise<{ removed: number; bytes: number }>;
  /** Waits for what is being stored. */
  close(): Promise<void>;
}

export function createReuse(options: ReuseOptions): ReusedResults {
  const { logger, clock, storage, dataUri, pool, onLookedUp } = options;
  const store = createRedisResultStore({
    redis: options.redis,
    ttlMs: options.ttlMs,
    onError: (error) => logger.warn({ err: error }, 'call cache: connection to Redis'),
  });
  const hasher = new ThreadedFileHasher();
  const contents = new ContentIdMemory(storage, hasher);
  const onProblem = (text: string, error: unknown): void => logger.warn({ err: error }, text);
  const cache = new CallCache({ store, results: new StoredResults(storage, contents, dataUri), contents, after: clock.after, onProblem });
  const kept = new ResultFolders({ index: store, storage, dataUri, maxBytes: options.maxBytes, ttlMs: options.ttlMs, now: clock.now });
  const sweeper = new Sweeper(clock, async () => {
    const swept = await kept.sweep().catch((error: unknown) => onProblem('call cache not swept', error));
    if (swept && swept.removed > 0) logger.info(swept, 'removed results from the call cache');
  });
  sweeper.within(SWEEP_MS);
  const runContents = new RunContents(options.client, clock.now);
  const settling = new Set<Promise<void>>();
  return {
    of: (job) =>
      new TaskReuse(job, { cache, contents: runContents, pool, logger, dataUri, onLookedUp }, (settled) => {
        settling.add(settled);
        void settled.finally(() => settling.delete(settled));
      }),
    folders: {
      retire: async (folders) => {
        const left = await kept.retire(folders);
        if (left.length < folders.length) sweeper.within(SWEEP_SOON_MS);
        return left;
      },
    },
    trim: (keepBytes) => kept.sweep(keepBytes),
    close: async () => {
      sweeper.stop();
      await Promise.all(settling);
      cache.close();
      await hasher.close();
      await store.close();
    },
  };
}

/** One sweep at a time; afterwards the next one is due after SWEEP_MS at the latest. */
class Sweeper {
  private callOff: () => void = () => undefined;
  private dueMs = Infinity;
  private stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly sweep: () => Promise<void>,
  ) {}

  within(delayMs: number): void {
    const dueMs = this.clock.now() + delayMs;
    if (this.stopped || dueMs >= this.dueMs) return;
    this.callOff();
    this.dueMs = dueMs;
    this.callOff = this.clock.after(delayMs, () => void this.run());
  }

  stop(): void {
    this.stopped = true;
    this.callOff();
  }

  private async run(): Promise<void> {
    await this.sweep();
    this.dueMs = Infinity;
    this.within(SWEEP_MS);
  }
}
