/** The call cache of a simulated replica, put together as the app does, over the messages of its world. */
import { CallCache, ContentIdMemory, type ResultStore, ResultFolders, StoredResults } from '@weft/call-cache';
import type { Logger } from '@weft/platform';
import type { TaskJob } from '@weft/queue';
import type { Storage } from '@weft/storage';
import { createFakeResultStore, type FakeResultData, inMessages, remotePort, type VirtualProcess } from '@weft/testing';
import type { RunnerPool } from '../../src/placement/runner-pool.js';
import { TaskReuse } from '../../src/execution/reuse/task-reuse.js';
import { DATA_URI } from './simulated-files.js';

const noHasher = { sha1: () => Promise.reject(new Error('the simulation hashes nothing')), close: () => Promise.resolve() };

export interface SimulatedReuse {
  of(job: TaskJob): TaskReuse;
  folders: ResultFolders;
  /** Keys that are claimed here. */
  readonly claimed: number;
  close(): Promise<void>;
}

export interface SimulatedReuseDeps {
  process: VirtualProcess;
  results: FakeResultData;
  storage: Storage;
  pool: RunnerPool;
  logger: Logger;
  maxBytes: number;
}

export function simulatedReuse({ process, results, storage, pool, logger, maxBytes }: SimulatedReuseDeps): SimulatedReuse {
  const inner = createFakeResultStore(results);
  const store = {
    ...remotePort(process, 'results', inner as ResultStore, ['look', 'lookWithout', 'put', 'giveBack', 'renew']),
    subscribe: (key: string, onNews: Parameters<ResultStore['subscribe']>[1]) =>
      process.call('results.subscribe', () => inner.subscribe(key, inMessages(process, 'news of a result', onNews))),
    close: () => inner.close(),
  };
  const index = remotePort(process, 'kept', inner, ['keysOf', 'move', 'surplus', 'removed']);
  const { clock } = process;
  const contents = new ContentIdMemory(storage, noHasher, clock.now);
  const cache = new CallCache({
    ...{ store, contents, after: clock.after, onProblem: () => undefined },
    results: new StoredResults(storage, contents, DATA_URI),
  });
  const programs = {
    of: (_run: { runId: string }, _where: unknown, { argv }: { argv: string[] }) =>
      process.call('inspect', async () => ({ program: argv[0] ?? '' })),
  };
  const settling = new Set<Promise<void>>();
  return {
    of: (job) =>
      new TaskReuse(job, { cache, contents: programs, pool, logger, dataUri: DATA_URI }, (settled) => {
        settling.add(settled);
        void settled.finally(() => settling.delete(settled));
      }),
    folders: new ResultFolders({ index, storage, dataUri: DATA_URI, maxBytes, ttlMs: Infinity, now: clock.now }),
    get claimed() {
      return cache.claimed;
    },
    close: async () => {
      await Promise.all(settling);
      cache.close();
    },
  };
}
