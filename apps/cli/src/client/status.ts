/** Statuses in words for people and programs. */
import { run, status } from '@weft/contracts';

export const runWord = (value: run.RunStatus): string => status.runStatusWord(value) ?? 'unknown';
export const taskWord = (value: run.TaskStatus): string => status.taskStatusWord(value) ?? 'unknown';

/** The status that a word of the command line names. Throws with the words there are. */
export function runStatusOf(word: string): run.RunStatus {
  const known = status.RUN_STATUS_WORDS.find((one) => one === word);
  if (known === undefined) throw new Error(`no such status: ${word}; there are ${status.RUN_STATUS_WORDS.join(', ')}`);
  return status.RUN_STATUS_OF[known];
}
