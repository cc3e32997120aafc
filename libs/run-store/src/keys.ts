/**
 * Names of keys and channels.
 *
 * Invariants: every key of a run, and of its partition, carries the hash tag `{pNN}` of the partition, so that in a cluster they share a slot.
 * Plans, indexes and the set of replicas are touched by single-key commands only.
 */
import { type RunObject, partitionOf } from './ports.js';

export interface Keys {
  /** Number of the store's format. */
  format(): string;
  header(runId: string): string;
  log(runId: string): string;
  object(runId: string, which: RunObject): string;
  taskLog(runId: string): string;
  taskLogSize(runId: string): string;
  /** Hash: what went from the task log, and whose chunks go last. */
  taskLogState(runId: string): string;
  /** There for a day after somebody has deleted the run. */
  removed(runId: string): string;
  /** Set of the ids of runs that have not ended. */
  active(partition: number): string;
  /** Sorted set of the ids of runs that have ended, by the time of their end. */
  ended(partition: number): string;
  /** Hash: number and bytes of the partition's archived runs. */
  archived(partition: number): string;
  /** Position behind which every archived run lies. */
  newestArchived(): string;
  /** The same, of one project. */
  activeOf(partition: number, projectId: string): string;
  lease(partition: number): string;
  /** Sorted set: the scheduler's replicas, by the time until which they are taken to live. */
  replicas(): string;
  /** Channel: anything = replicas came or went, or a lease was given back. */
  replicaNews(): string;
  /** Channel: `<task id>.<attempt>`s, separated by spaces. */
  cancels(): string;
  /** Channel: `<last sequence> <run id>`; sequence 0 = removed. */
  nudge(partition: number): string;
  /** Channel: anything = there are new task log chunks. */
  taskLogNudge(runId: string): string;
  plan(hash: string): string;
  /** What secrets of runs are sealed with, base64. */
  secretsKey(): string;
  /** In the partition of the key itself: the run it leads to may be in another. */
  idempotency(projectId: string, key: string): string;
  /** Months that have an index, as sorted set. `projectId` undefined = all projects. */
  months(projectId: string | undefined): string;
  index(projectId: string | undefined, month: string): string;
}

export function createKeys(prefix: string): Keys {
  if (/[{}]/.test(prefix)) throw new RangeError(`the key prefix "${prefix}" must not have braces: they would replace the hash tags`);
  const tag = (partition: number): string => `${prefix}{p${String(partition).padStart(2, '0')}}`;
  const run = (runId: string): string => `${tag(partitionOf(runId))}:run:${runId}`;
  const scope = (projectId: string | undefined): string => (projectId === undefined ? 'all' : `project:${encodeURIComponent(projectId)}`);
  return {
    format: () => `${prefix}format`,
    secretsKey: () => `${prefix}secrets-key`,
    header: (runId) => `${run(runId)}:header`,
    log: (runId) => `${run(runId)}:log`,
    object: (runId, which) => `${run(runId)}:${which}`,
    taskLog: (runId) => `${run(runId)}:tasklog`,
    taskLogSize: (runId) => `${run(runId)}:tasklogsize`,
    taskLogState: (runId) => `${run(runId)}:tasklogstate`,
    removed: (runId) => `${run(runId)}:removed`,
    active: (partition) => `${tag(partition)}:active`,
    activeOf: (partition, projectId) => `${tag(partition)}:active:project:${encodeURIComponent(projectId)}`,
    ended: (partition) => `${tag(partition)}:ended`,
    archived: (partition) => `${tag(partition)}:archived`,
    newestArchived: () => `${prefix}archived:newest`,
    lease: (partition) => `${tag(partition)}:lease`,
    replicas: () => `${prefix}replicas`,
    replicaNews: () => `${prefix}replicas:news`,
    cancels: () => `${prefix}cancels`,
    nudge: (partition) => `${tag(partition)}:nudge`,
    taskLogNudge: (runId) => `${run(runId)}:tasklognudge`,
    plan: (hash) => `${prefix}plan:${hash}`,
    idempotency: (projectId, key) => `${tag(partitionOf(key))}:idem:${encodeURIComponent(projectId)}:${key}`,
    months: (projectId) => `${prefix}runs:${scope(projectId)}`,
    index: (projectId, month) => `${prefix}runs:${scope(projectId)}:${month}`,
  };
}
