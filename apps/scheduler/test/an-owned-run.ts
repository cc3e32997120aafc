/** For tests of those who deal with runs that a replica owns: one that takes every event and wants every attempt, unless they say otherwise. */
import { initialState, type RunState, type TaskRecord } from '@weft/engine';
import type { Plan } from '@weft/plan';
import { aRunHeader } from '@weft/testing';
import type { OwnedRun } from '../src/runs/owned-run.js';

const NO_PLAN: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: '', processes: {} };

export function anOwnedRun(over: Partial<OwnedRun> = {}): OwnedRun {
  const { runId = 'r-1', plan = NO_PLAN } = over;
  const base = aRunHeader({ runId, projectId: 'p', pool: 'default', planHash: 'h' });
  const run: OwnedRun = {
    ...{ runId, base, plan, serial: 0, lease: { partition: 0, owner: 'me', token: 1 }, state: initialState(plan) },
    ...{ isStopped: false, sequence: 1, wants: () => true, listen: () => () => undefined },
    offer: async () => true,
    header: () => base,
  };
  // What is computed stays so.
  return Object.defineProperties(run, Object.getOwnPropertyDescriptors(over)) as OwnedRun;
}

/** The state of a run that has these tasks. */
export function stateWith(tasks: Iterable<TaskRecord>, over: Partial<RunState> = {}): RunState {
  return { ...initialState(NO_PLAN), tasks: new Map([...tasks].map((task) => [task.taskId, task])), ...over };
}

export function aTaskRecord(over: Partial<TaskRecord> = {}): TaskRecord {
  return {
    ...{ taskId: 't-1', step: 's', index: '', process: 't', scatterSize: undefined, status: 'queued', attempt: 1, runnerId: undefined },
    ...{ runtime: undefined, preparing: undefined, exitCode: undefined, cached: false, failure: undefined, queuedAtMs: 0 },
    ...{ startedAtMs: undefined, finishedAtMs: undefined, outputs: undefined, pending: undefined },
    ...over,
  };
}
