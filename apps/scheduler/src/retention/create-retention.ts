/**
 * What happens to runs and their files after they were needed, put together: intermediate files go while runs go on, finished runs go to the
 * archive after the retention time, and come back where they are retried.
 */
import type { RetiredFolders } from '@weft/call-cache';
import { decide, type EngineEvent, initialState, liveLocations } from '@weft/engine';
import { type CwlObject, type Plan, readJson } from '@weft/plan';
import { type Logger, ServiceError } from '@weft/platform';
import {
  type ArchivingRunStore,
  FileRunArchive,
  type Lease,
  type LogEntry,
  newestPosition,
  type RunArchive,
  type RunHeader,
  type RunStore,
  textOf,
} from '@weft/run-store';
import type { Storage } from '@weft/storage';
import type { Clock } from '../kernel/clock.js';
import { engineEvent } from '../runs/log-events.js';
import type { CommandExecutor } from '../runs/owned-run.js';
import { StorageArchiveFiles } from './archive-files.js';
import { Intermediates } from './intermediates.js';
import { RetentionKeeper } from './retention-keeper.js';
import { RunFolders } from './run-folders.js';

export function createArchive(storage: Storage, dataUri: string): RunArchive {
  return new FileRunArchive(new StorageArchiveFiles(storage, `${dataUri}archive/`));
}

export interface RetentionOptions {
  /** Without the archive: what is finished leaves it. */
  live: RunStore;
  /** With it. */
  store: ArchivingRunStore;
  archive: RunArchive;
  plan(hash: string): Promise<Plan>;
  storage: Storage;
  dataUri: string;
  retentionMs: number;
  leases(): Lease[];
  clock: Clock;
  logger: Logger;
  cache?: RetiredFolders;
}

export interface Retention {
  /** What runs have published. */
  folders: RunFolders;
  following(executor: CommandExecutor): CommandExecutor;
  /** This replica has got another partition, or may have missed what became of one. */
  partitionTaken(): void;
  /** A run has turned out to have ended: whoever sealed it may not have heard so. */
  foundEnded(finishedAtMs: number): void;
  /** What a submission refers to in other runs' folders stays; comes before it is made sure that it is there. */
  pin(inputs: CwlObject): Promise<void>;
  /** Sees to it that a finished run can go on. @throws ServiceError FAILED_PRECONDITION where files that it needs are gone */
  beforeRetry(header: RunHeader): Promise<void>;
  /** Runs that this replica has moved to the archive. */
  archivedRuns(): number;
  start(): Promise<void>;
  /** While the leases are held. */
  stopMoving(): Promise<void>;
  /** After the last actor has stopped. */
  close(): Promise<void>;
}

export function createRetention(options: RetentionOptions): Retention {
  const { live, store, archive, storage, dataUri, retentionMs, clock, logger } = options;
  const folders = new RunFolders(storage, dataUri, logger, options.cache);
  const intermediates = new Intermediates({ folders, header: (runId) => store.reader.get(runId), clock, logger });
  const clear = async (runId: string): Promise<void> => {
    const run = await live.retention.read(runId);
    if (!run) return;
    const outputs = await live.reader.object(runId, 'outputs');
    const object = outputs && (readJson(await textOf(outputs)) as CwlObject);
    await intermediates.clear(runId, object, eventsOf(run.entries));
  };
  const keeper = new RetentionKeeper({ store: live, archive, leases: options.leases, clear, retentionMs, clock, logger });
  return {
    folders,
    following: (executor) => {
      const followed = intermediates.following(executor);
      return {
        ...followed,
        applied: (actor, event) => {
          followed.applied(actor, event);
          if (event.type === 'RunEnded') keeper.endedAt(clock.now());
        },
      };
    },
    partitionTaken: () => keeper.look(),
    foundEnded: (finishedAtMs) => keeper.endedAt(finishedAtMs),
    archivedRuns: () => keeper.archived,
    pin: (inputs) => folders.pin(inputs),
    beforeRetry: async (header) => {
      await checkFiles(options, folders, header);
      if (!(await store.restore(header.runId))) throw new ServiceError('NOT_FOUND', `no run ${header.runId}`);
    },
    start: async () => {
      // A store that was set up anew beside an archive that is there.
      if ((await live.retention.newestArchived()) === undefined) {
        const newest = await newestPosition(archive);
        if (newest !== undefined) await live.retention.noteArchived(newest);
      }
      keeper.look();
    },
    stopMoving: () => keeper.close(),
    close: () => intermediates.close(),
  };
}

async function* eventsOf(pages: AsyncIterable<LogEntry[]>): AsyncGenerator<EngineEvent, void, undefined> {
  for await (const page of pages) yield* page.map(engineEvent);
}

/** Whether everything that a retry would hand to its tasks is still there. */
async function checkFiles({ store, plan }: RetentionOptions, folders: RunFolders, { runId, planHash }: RunHeader): Promise<void> {
  const state = initialState(await plan(planHash));
  let atMs = 0;
  for (const entry of await store.reader.read(runId, 0)) decide(state, engineEvent(entry), (atMs = entry.atMs));
  decide(state, { type: 'RunRetried' }, atMs);
  const needed = new Set([...liveLocations(state).locations].map((location) => folders.folderOf(runId, location)));
  needed.delete(undefined);
  if (needed.size === 0) return;
  const there = new Set(await folders.list(runId));
  if ([...needed].every((folder) => folder === undefined || there.has(folder))) return;
  const why = 'files that its next steps need were removed after the retention time';
  throw new ServiceError('FAILED_PRECONDITION', `run ${runId} cannot be retried: ${why}; submit it again`);
}
