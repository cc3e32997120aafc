/**
 * One finished run into the archive: written, read back, and only then taken out of the live store. After a crash anywhere in between it is
 * done again, from the start.
 */
import type { Lease, RunHeader, RunStore } from '../ports.js';
import type { Eviction, RunArchive } from '../retention.ports.js';

type Stores = Pick<RunStore, 'log' | 'retention'>;

/** @param lease over the run's partition. 'changed': try again; 'fenced': somebody else's matter now; 'gone': deleted, or it goes on. */
export async function archiveRun(store: Stores, archive: RunArchive, lease: Lease, runId: string): Promise<Eviction> {
  const run = await store.retention.read(runId);
  if (!run) return 'gone';
  await releasePlan(store, archive, run.header);
  const evicted = await store.retention.evict(lease, run, await archive.put(run));
  // Deleted while it was written. With the lease lost it may be the next owner's copy: that stays.
  if (evicted === 'gone') await archive.remove(run);
  return evicted;
}

/** A plan leaves the live store with the runs that used it; whoever still needs it finds it in the archive. */
export async function releasePlan(store: Stores, archive: RunArchive, run: RunHeader): Promise<void> {
  const plan = await store.log.getPlan(run.planHash);
  if (!plan) return;
  await archive.putPlan(run.planHash, plan);
  await store.retention.releasePlan(run.planHash);
}
