/**
 * How far a run is, and how long it will take, from what was seen of it. Pure.
 *
 * Invariants:
 *  1. Done is what succeeded or was skipped; what failed or was cancelled is never counted as done.
 *  2. A time is told only where tasks were executed to derive it from, and as 'at least' where tasks are to come that nobody can count yet.
 */
import type { ExpectedSteps } from './expected-steps.js';
import type { StepBoard } from './step-board.js';

export interface Forecast {
  done: number;
  total: number;
  percent: number;
  left?: { ms: number; atLeast: boolean };
}

/** Fewer say nothing about the next. */
const MIN_EXECUTED = 2;
const BAR_WIDTH = 20;

/** @param nowMs by the same clock as the board's times */
export function forecast(board: StepBoard, expected: ExpectedSteps | undefined, nowMs: number): Forecast {
  const counts = board.totals();
  const toBegin = expected === undefined ? 0 : [...expected.paths].filter((path) => !board.has(path)).length;
  const total = board.known() + toBegin;
  const done = counts.succeeded + counts.skipped;
  const percent = total === 0 ? 0 : Math.floor((100 * done) / total);
  const { executed, sinceMs } = board.pace();
  const remaining = total - done - counts.failed - counts.cancelled;
  if (executed < MIN_EXECUTED || sinceMs === undefined || remaining <= 0) return { done, total, percent };
  const atLeast = expected === undefined || expected.open || toBegin > 0;
  return { done, total, percent, left: { ms: (remaining * Math.max(0, nowMs - sinceMs)) / executed, atLeast } };
}

/** "[█████░░░░░░░░░░░░░░░] 25%, 5 of 20 done, 2 running, 1 failed; about 3 min left". */
export function progressLine(board: StepBoard, expected: ExpectedSteps | undefined, nowMs: number): string {
  const { done, total, percent, left } = forecast(board, expected, nowMs);
  const { running, failed, cancelled } = board.totals();
  const full = Math.floor((BAR_WIDTH * percent) / 100);
  const also = Object.entries({ running, failed, cancelled }).flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []));
  const counted = [`${percent}%`, `${done} of ${total} done`, ...also].join(', ');
  return `[${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}] ${counted}${left === undefined ? '' : `; ${leftInWords(left)}`}`;
}

/** No finer than what it is worth. */
function leftInWords({ ms, atLeast }: { ms: number; atLeast: boolean }): string {
  const minutes = ms / 60_000;
  const [amount, unit] = minutes < 90 ? [Math.round(minutes), 'min'] : [Math.round(minutes / 60), 'h'];
  if (amount === 0) return atLeast ? 'some time left' : 'less than a minute left';
  return `${atLeast ? 'at least' : 'about'} ${amount} ${unit} left`;
}
