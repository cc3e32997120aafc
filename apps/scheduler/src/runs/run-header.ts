/** The run's header as lists and GETs show it, from the engine's state. */
import { type RunState, tasksToCome } from '@weft/engine';
import type { RunHeader, RunState as HeaderState } from '@weft/run-store';

const MAX_CURRENT_STEPS = 20;

/** What the header keeps from the submission; the rest follows the state. */
export type HeaderBase = Pick<RunHeader, 'runId' | 'name' | 'projectId' | 'planHash' | 'pool' | 'labels' | 'submittedAtMs'>;

export function headerOf(base: HeaderBase, state: RunState, endedAtMs?: number): RunHeader {
  const toCome = tasksToCome(state);
  const header: RunHeader = {
    ...base,
    state: headerState(state),
    tasks: { ...state.tally, queued: state.tally.queued + toCome, known: state.tasks.size + toCome },
    currentSteps: currentSteps(state),
  };
  if (state.startedAtMs !== undefined) header.startedAtMs = state.startedAtMs;
  if (state.retriedAtMs !== undefined) header.retriedAtMs = state.retriedAtMs;
  if (state.phase !== 'ended') return header;
  const finishedAtMs = state.endedAtMs ?? endedAtMs;
  if (finishedAtMs !== undefined) header.finishedAtMs = finishedAtMs;
  if (state.failure !== undefined) header.failure = state.failure;
  return header;
}

export function headerState(state: RunState): HeaderState {
  switch (state.phase) {
    case 'new':
      return 'pending';
    case 'running':
    case 'failing':
      return state.startedAtMs === undefined ? 'pending' : 'running';
    case 'cancelling':
      return 'cancelling';
    case 'ended':
      return state.final ?? 'failed';
  }
}

function currentSteps(state: RunState): string[] {
  const steps: string[] = [];
  for (const step of state.live.keys()) {
    if (steps.push(step) === MAX_CURRENT_STEPS) break;
  }
  return steps;
}
