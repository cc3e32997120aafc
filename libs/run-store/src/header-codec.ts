/**
 * A run's header as Redis has it: fields `json`, and `now` with what has changed since; as much as can be said of one that cannot be read.
 *
 * Invariant: what is handed out is a header: text that is none (cut, overwritten, another program's) is an UnreadableRunError.
 */
import { isObject, readJson, writeJson } from '@weft/plan';
import { UnreadableRunError } from './errors.js';
import { runIdAt, timeAt } from './page-token.js';
import type { RunHeader, RunObject, RunState } from './ports.js';

const STATES: readonly string[] = ['pending', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] satisfies RunState[];
const COUNTS = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped', 'known'] as const;

/** @throws UnreadableRunError */
export function decodeHeader(runId: string, json: string, now: string | null | undefined): RunHeader {
  return checkedHeader(runId, { ...parsed(runId, json), ...(typeof now === 'string' && parsed(runId, now)) });
}

/** @throws UnreadableRunError where the members are not those of a header */
export function checkedHeader(runId: string, members: Record<string, unknown>): RunHeader {
  if (!isHeader(members)) throw new UnreadableRunError(runId, 'its header in the store is not one');
  // Before they lay beside it, objects were in the header.
  const { inputs: _inputs, outputs: _outputs, ...header } = members;
  return header as unknown as RunHeader;
}

/** What a list shows in the place of a run that cannot be read. */
export function unreadable(position: string, state: string | undefined, projectId: string | undefined, why: string): RunHeader {
  return {
    ...{ runId: runIdAt(position), submittedAtMs: timeAt(position), name: '', projectId: projectId ?? '', planHash: '', pool: '' },
    state: STATES.includes(state ?? '') ? (state as RunState) : 'failed',
    labels: {},
    failure: { code: 'UNREADABLE', message: why },
    tasks: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0, known: 0 },
    currentSteps: [],
  };
}

/** An object that an earlier version has in the header. */
export function objectInHeader(members: Record<string, unknown>, which: RunObject): string | undefined {
  const value = members[which];
  return value === undefined ? undefined : writeJson(value);
}

function parsed(runId: string, json: string): Record<string, unknown> {
  try {
    return readJson(json) as Record<string, unknown>;
  } catch {
    throw new UnreadableRunError(runId, 'its header in the store is not JSON');
  }
}

function isHeader(value: Record<string, unknown>): boolean {
  const { runId, name, projectId, planHash, pool, state, labels, submittedAtMs, tasks, currentSteps } = value;
  return (
    [runId, name, projectId, planHash, pool].every((text) => typeof text === 'string') &&
    STATES.includes(state as string) &&
    Number.isSafeInteger(submittedAtMs) &&
    isObject(labels) &&
    isObject(tasks) &&
    COUNTS.every((count) => Number.isSafeInteger(tasks[count])) &&
    Array.isArray(currentSteps)
  );
}
