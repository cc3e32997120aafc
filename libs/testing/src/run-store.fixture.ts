/** What the contracts of the run store begin with. */
import { readJson } from '@weft/plan';
import { type Lease, type LogEntry, type RunHeader, type RunObject, type RunStore, partitionOf, textOf } from '@weft/run-store';
import { aRunHeader } from './builders.js';

/** Two stores over the same, empty data, as two processes have them. */
export interface RunStoreFixture {
  one: RunStore;
  two: RunStore;
  /** Closes both and forgets the data. */
  close(): Promise<void>;
}

export const accepted = (runId: string): LogEntry['event'] => ({ type: 'RunAccepted', runId });
export const ended: LogEntry['event'] = { type: 'RunEnded', state: 'succeeded' };

/** A run in the store and the lease over its partition. */
export async function startRun(store: RunStore, header: RunHeader = aRunHeader()): Promise<Lease> {
  await store.intake.create(header, accepted(header.runId));
  return leaseOf(store, header.runId);
}

export async function leaseOf(store: RunStore, runId: string, owner = 'owner-1', ttlMs = 600_000): Promise<Lease> {
  const lease = (await store.leases.acquire(owner, ttlMs)).find(({ partition }) => partition === partitionOf(runId));
  if (!lease) throw new Error(`${owner} did not get the partition of ${runId}`);
  return lease;
}

/** As it was written; undefined: there is none. */
export async function objectOf(store: RunStore, which: RunObject, runId = 'r-1'): Promise<unknown> {
  const found = await store.reader.object(runId, which);
  return found && readJson(await textOf(found));
}
