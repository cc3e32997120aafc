/**
 * One finished run into the archive: written, read back, and only then taken out of the live store. After a crash anywhere in between it is
 * done again, from the start.
 */
import type { Lease, RunHeader } from '../ports.js';
import type { RunStore } from '../run-store.port.js';
import type { Eviction, RestingRunPages, RunArchive, StoredChunk } from '../retention.ports.js';

type Stores = Pick<RunStore, 'log' | 'retention'>;

/** @param lease over the run's partition. 'changed': try again; 'fenced': somebody else's matter now; 'gone': deleted, or it goes on. */
export async function archiveRun(store: Stores, archive: RunArchive, lease: Lease, runId: string): Promise<Eviction> {
  const run = await store.retention.read(runId);
  if (!run) return 'gone';
  await releasePlan(store, archive, run.header);
  const put = await archive.put(whole(store, run)).catch(unlessItLeft);
  // What lies in the archive was not touched: it is whoever's took the run out.
  if (!put) return 'gone';
  const evicted = await store.retention.evict(lease, run, put);
  // Deleted while it was written. With the lease lost it may be the next owner's copy: that stays.
  if (evicted === 'gone') await archive.remove(run);
  return evicted;
}

/** The run left the live store, or went on, while it was read: what was read may lack something. */
class LeftMeanwhile extends Error {}

/** Fails at the end, which is before anything is written, where the run is not there any more as it was. */
function whole({ retention }: Stores, run: RestingRunPages): RestingRunPages {
  async function* chunks(): AsyncGenerator<StoredChunk[], void, undefined> {
    yield* run.chunks;
    const now = await retention.read(run.header.runId);
    if (now?.sequence !== run.sequence) throw new LeftMeanwhile(`run ${run.header.runId} left while it was read`);
  }
  return { ...run, chunks: chunks() };
}

function unlessItLeft(error: unknown): undefined {
  if (!(error instanceof LeftMeanwhile)) throw error;
}

/** A plan leaves the live store with the runs that used it; whoever still needs it finds it in the archive. */
export async function releasePlan(store: Stores, archive: RunArchive, run: RunHeader): Promise<void> {
  const plan = await store.log.getPlan(run.planHash);
  if (!plan) return;
  await archive.putPlan(run.planHash, plan);
  await store.retention.releasePlan(run.planHash);
}
