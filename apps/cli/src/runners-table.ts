/** Runners for people and for programs. Pure. */
import { executor, registry } from '@weft/contracts';
import { between } from './table.js';

export const RUNNER_COLUMNS = ['RUNNER', 'POOL', 'STATE', 'TASKS', 'CORES', 'RAM', 'DISK', 'GPUS', 'RUNTIMES', 'SEEN', 'LABELS', 'ADDRESS'];

export function runnerRow({ address, description, draining, lastSeen }: registry.Runner, now: Date): string[] {
  const { runnerId, pool, runtimes, capacity, inUse, labels, tasksAdmitted, tasksWaiting } =
    description ?? executor.DescribeResponse.create();
  const [has, held] = [capacity ?? executor.Resources.create(), inUse ?? executor.Resources.create()];
  return [
    runnerId,
    pool,
    draining ? 'draining' : 'ready',
    tasksWaiting > 0 ? `${tasksAdmitted} (+${tasksWaiting} waiting)` : String(tasksAdmitted),
    `${rounded(held.cores)}/${rounded(has.cores)}`,
    `${gib(held.ramBytes)}/${gib(has.ramBytes)} GiB`,
    `${gib(held.diskBytes)}/${gib(has.diskBytes)} GiB`,
    `${held.gpus}/${has.gpus}`,
    runtimes.map(({ name, unavailable }) => (unavailable === '' ? name : `(${name})`)).join(','),
    lastSeen === undefined ? '' : `${between(lastSeen, now)} ago`,
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    address,
  ];
}

export function runnerJson(runner: registry.Runner): unknown {
  return registry.Runner.toJSON(runner);
}

function gib(bytes: number): number {
  return rounded(bytes / 1024 ** 3);
}

function rounded(amount: number): number {
  return Math.round(amount * 10) / 10;
}
