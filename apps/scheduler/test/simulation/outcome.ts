/** How a run has ended, compared with the same run undisturbed. */
import type { EngineEvent, RunEnded } from '@weft/engine';
import { canonicalJson, type CwlObject } from '@weft/plan';
import type { LogEntry } from '@weft/run-store';
import { type LoggedRun, type Monitor, show } from './monitor.js';
import { withoutPlaces } from './tools.js';

/** What an undisturbed run of the workflow ends with. */
export interface Ending {
  status: RunEnded['status'];
  /** With files replaced by what they hold. */
  outputs: unknown;
  /** Tasks that succeeded. */
  succeeded: number;
}

export interface Expected {
  first: Ending;
  /** After a retry, which mends what broke the run before. */
  retried: Ending;
}

/** Failures that have to do with where tasks ran, not with what they do. */
const INFRASTRUCTURE = new Set(['RUNNER_LOST', 'UNAVAILABLE', 'NOT_FOUND', 'FAILED_PRECONDITION', 'RESOURCE_EXHAUSTED', 'CANCELLED']);

/** As they lie in the store. */
function outputsOf({ objects }: LoggedRun): CwlObject | undefined {
  return objects.outputs === undefined ? undefined : (JSON.parse(objects.outputs) as CwlObject);
}

export function endingOf(run: LoggedRun): Ending {
  const { log, header } = run;
  const outputs = outputsOf(run);
  const { status } = log.at(-1)?.event as unknown as RunEnded;
  return { status, outputs: outputs && withoutPlaces(outputs), succeeded: header.tasks.succeeded };
}

export function timesRetried(log: LogEntry[]): number {
  return log.filter(({ event }) => event.type === 'RunRetried').length;
}

export function checkEnd(monitor: Monitor, runId: string, run: LoggedRun, expected: Expected): void {
  const { log, header } = run;
  checkShape(monitor, runId, log);
  const { state } = monitor.replay(runId);
  const end = log.at(-1)?.event as unknown as RunEnded;
  const outputs = outputsOf(run);
  const told = canonicalJson([header.state, outputs, header.tasks.succeeded, header.tasks.known] as never);
  if (told !== canonicalJson([end.status, end.outputs ?? state.outputs, state.tally.succeeded, state.tasks.size] as never))
    monitor.violate('the end follows from the log', `the header of ${runId} says ${told}`);
  const sinceStart = log.slice(log.findLastIndex(({ event }) => event.type === 'RunRetried') + 1);
  checkOutcome(monitor, runId, { run, end, sinceStart }, timesRetried(log) > 0 ? expected.retried : expected.first);
  monitor.checkFiles(outputs, `${runId} has ended`);
}

function checkShape(monitor: Monitor, runId: string, log: LogEntry[]): void {
  log.forEach(({ sequence }, at) => {
    if (sequence !== at + 1) monitor.violate('sequence numbers have no gaps', `${runId}: ${sequence} at place ${at + 1}`);
  });
  const marks = log.map(({ event }) => event.type).filter((type) => type === 'RunEnded' || type === 'RunRetried');
  const alternate = marks.every((type, at) => type === (at % 2 === 0 ? 'RunEnded' : 'RunRetried'));
  if (!alternate || log.at(-1)?.event.type !== 'RunEnded')
    monitor.violate('RunEnded is there once per start, and last', `${runId}: ${show(log)}`);
}

interface Outcome {
  run: LoggedRun;
  end: RunEnded;
  /** The log since the run was begun, or begun again. */
  sinceStart: LogEntry[];
}

function checkOutcome(monitor: Monitor, runId: string, { run, end, sinceStart }: Outcome, expected: Ending): void {
  const wrong = (why: string): void => monitor.violate('outputs are those of an undisturbed run', `${runId}: ${why}; ${show(run.log)}`);
  const ending = endingOf(run);
  const code = end.failure?.code ?? '';
  if (end.status === 'cancelled') {
    if (!sinceStart.some(({ event }) => event.type === 'CancelAsked')) wrong('cancelled, but nobody asked');
    return;
  }
  if (code === 'RUN_TIME_LIMIT') {
    if (!sinceStart.some(({ event }) => event['timeLimit'] === true)) wrong('ended by its time limit, but none has passed');
    return;
  }
  if (end.status === 'succeeded') {
    if (text(ending) !== text(expected)) wrong(`${text(ending)} instead of ${text(expected)}`);
    return;
  }
  const accepted = run.log[0]?.event as unknown as Extract<EngineEvent, { type: 'RunAccepted' }>;
  const broken = sinceStart.some(({ event }) => INFRASTRUCTURE.has((event['failure'] as { code?: string } | undefined)?.code ?? ''));
  if (!INFRASTRUCTURE.has(code) && expected.status !== 'failed') wrong(`failed with ${code} ${end.failure?.message}`);
  else if (INFRASTRUCTURE.has(code) && !exhausted(sinceStart, end, accepted.options.maxAttempts))
    wrong(`gave up before the last attempt: ${end.failure?.message}`);
  else if (accepted.options.failureMode === 'continue' && !broken && ending.succeeded !== expected.succeeded)
    monitor.violate('with continue, everything that can succeed has', `${runId}: ${ending.succeeded} tasks, not ${expected.succeeded}`);
}

/** As many attempts as the run's options allow have failed. */
function exhausted(log: LogEntry[], end: RunEnded, maxAttempts: number): boolean {
  const failures = log.filter(({ event }) => event.type === 'TaskFailed' && event['taskId'] === end.failure?.taskId);
  return new Set(failures.map(({ event }) => event['attempt'])).size >= maxAttempts;
}

function text({ status, outputs }: Ending): string {
  return canonicalJson([status, outputs as CwlObject]);
}
