/**
 * The statuses of runs and tasks as words (logs, JSON, the command line) and as the numbers of weft.run.v1.
 *
 * Invariant: both tables stop compiling when the protos gain a value; a number without a word is one of a later version.
 */
import { RunStatus, TaskStatus } from './gen/weft/run/v1/run.js';

export const RUN_STATUS_WORDS = ['pending', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export const TASK_STATUS_WORDS = ['queued', 'preparing', 'running', 'succeeded', 'failed', 'cancelled', 'skipped'] as const;

export type RunStatusWord = (typeof RUN_STATUS_WORDS)[number];
export type TaskStatusWord = (typeof TASK_STATUS_WORDS)[number];

const RUN_WORDS: Record<Exclude<RunStatus, RunStatus.UNSPECIFIED>, RunStatusWord> = {
  [RunStatus.PENDING]: 'pending',
  [RunStatus.RUNNING]: 'running',
  [RunStatus.CANCELLING]: 'cancelling',
  [RunStatus.SUCCEEDED]: 'succeeded',
  [RunStatus.FAILED]: 'failed',
  [RunStatus.CANCELLED]: 'cancelled',
};

const TASK_WORDS: Record<Exclude<TaskStatus, TaskStatus.UNSPECIFIED>, TaskStatusWord> = {
  [TaskStatus.QUEUED]: 'queued',
  [TaskStatus.PREPARING]: 'preparing',
  [TaskStatus.RUNNING]: 'running',
  [TaskStatus.SUCCEEDED]: 'succeeded',
  [TaskStatus.FAILED]: 'failed',
  [TaskStatus.CANCELLED]: 'cancelled',
  [TaskStatus.SKIPPED]: 'skipped',
};

const FINAL: ReadonlySet<RunStatus> = new Set([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED]);

/** Undefined for UNSPECIFIED and for numbers that this version does not know. */
export function runStatusWord(status: RunStatus): RunStatusWord | undefined {
  return (RUN_WORDS as Partial<Record<RunStatus, RunStatusWord>>)[status];
}

/** Undefined for UNSPECIFIED and for numbers that this version does not know. */
export function taskStatusWord(status: TaskStatus): TaskStatusWord | undefined {
  return (TASK_WORDS as Partial<Record<TaskStatus, TaskStatusWord>>)[status];
}

export const RUN_STATUS_OF = inverse(RUN_WORDS);
export const TASK_STATUS_OF = inverse(TASK_WORDS);

export function isFinalStatus(status: RunStatus): boolean {
  return FINAL.has(status);
}

function inverse<Word extends string>(words: Record<number, Word>): Record<Word, number> {
  return Object.fromEntries(Object.entries(words).map(([status, word]) => [word, Number(status)])) as Record<Word, number>;
}
