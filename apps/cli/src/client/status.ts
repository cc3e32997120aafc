/** Statuses in words for people and programs, and which of them are final. */
import { run } from '@weft/contracts';

const RUN_WORDS: Record<run.RunStatus, string> = {
  [run.RunStatus.UNSPECIFIED]: 'unknown',
  [run.RunStatus.PENDING]: 'pending',
  [run.RunStatus.RUNNING]: 'running',
  [run.RunStatus.CANCELLING]: 'cancelling',
  [run.RunStatus.SUCCEEDED]: 'succeeded',
  [run.RunStatus.FAILED]: 'failed',
  [run.RunStatus.CANCELLED]: 'cancelled',
};

const TASK_WORDS: Record<run.TaskStatus, string> = {
  [run.TaskStatus.UNSPECIFIED]: 'unknown',
  [run.TaskStatus.QUEUED]: 'queued',
  [run.TaskStatus.RUNNING]: 'running',
  [run.TaskStatus.SUCCEEDED]: 'succeeded',
  [run.TaskStatus.FAILED]: 'failed',
  [run.TaskStatus.CANCELLED]: 'cancelled',
  [run.TaskStatus.SKIPPED]: 'skipped',
};

export const runWord = (status: run.RunStatus): string => RUN_WORDS[status];
export const taskWord = (status: run.TaskStatus): string => TASK_WORDS[status];

const FINAL = new Set([run.RunStatus.SUCCEEDED, run.RunStatus.FAILED, run.RunStatus.CANCELLED]);
export const isFinal = (status: run.RunStatus): boolean => FINAL.has(status);

/** The statuses that a word of the command line names. Throws with the words there are. */
export function runStatusOf(word: string): run.RunStatus {
  const found = (Object.keys(RUN_WORDS) as unknown as run.RunStatus[]).find((status) => RUN_WORDS[status] === word && Number(status) !== 0);
  if (found === undefined) throw new Error(`no such status: ${word}; there are ${Object.values(RUN_WORDS).slice(1).join(', ')}`);
  return Number(found);
}
