/** Tasks by what people call them: an id, a step, a step with its index. */
import type { run } from '@weft/contracts';
import type { RunsClient } from '../client/runs-client.js';
import { CommandError } from '../errors.js';

const SHOWN = 5;

/** @throws CommandError where there is none */
export async function findTasks(client: RunsClient, runId: string, named: string): Promise<run.Task[]> {
  const found: run.Task[] = [];
  let pageToken = '';
  do {
    const page = await client.tasks(runId, pageToken);
    for (const task of page.tasks) if (isNamed(task, named)) found.push(task);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  if (found.length === 0) throw new CommandError(`run ${runId} has no task or step '${named}' (yet): weft show ${runId} lists them`);
  return found;
}

/** The one that is meant. @throws CommandError where there are several */
export function theTask(tasks: readonly run.Task[], named: string): run.Task {
  const [task] = tasks;
  if (task !== undefined && tasks.length === 1) return task;
  const names = tasks.slice(0, SHOWN).map((one) => (one.index === '' ? one.taskId : `${one.step}[${one.index}]`));
  const more = tasks.length > SHOWN ? ', …' : '';
  throw new CommandError(`'${named}' has ${tasks.length} tasks: name one (${names.join(', ')}${more}), or its id`);
}

function isNamed({ taskId, step, index }: run.Task, named: string): boolean {
  // A document that is a tool has no steps: its task is shown as `tool`.
  return taskId === named || (step || 'tool') === named || (index !== '' && `${step}[${index}]` === named);
}
