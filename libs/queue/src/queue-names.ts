/**
 * Names in Redis: which queue, which prefix, which job id.
 *
 * Invariants: all keys of a pool's queue share the hash tag `{weft:<pool>}`, so that BullMQ's scripts stay in one slot.
 */
import type { TaskJob } from './ports.js';

export const DEFAULT_PREFIX = 'weft';

/** BullMQ separates with ':'. Throws (INVALID_ARGUMENT) for a name that would not survive it. */
export function checkPool(pool: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(pool)) {
    throw Object.assign(new Error(`"${pool}" is not the name of a pool: letters, digits, '.', '_', '-'`), {
      name: 'ServiceError',
      code: 'INVALID_ARGUMENT',
    });
  }
  return pool;
}

export function taskQueueName(pool: string): string {
  return `weft-tasks-${checkPool(pool)}`;
}

export function taskQueuePrefix(pool: string, prefix = DEFAULT_PREFIX): string {
  return `{${prefix}:${checkPool(pool)}}`;
}

/** Set of the pools that have a queue. */
export function poolsKey(prefix = DEFAULT_PREFIX): string {
  return `${prefix}:pools`;
}

/** `<task id>.<attempt>`: neither all digits nor with a ':' (BullMQ's rules), and different for every attempt. */
export function jobIdOf(job: Pick<TaskJob, 'taskId' | 'attempt'>): string {
  return `${job.taskId}.${job.attempt}`;
}
