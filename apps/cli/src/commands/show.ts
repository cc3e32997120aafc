/** `weft show`: one run with its tasks, and why it failed. */
import { readJson, writeJson } from '@weft/plan';
import { run } from '@weft/contracts';
import type { RunsClient } from '../client/runs-client.js';
import { objectText } from '../client/run-objects.js';
import { findRun } from '../client/find-run.js';
import { runWord, taskWord } from '../client/status.js';
import { describeFailure } from '../execute.js';
import { reusedLine } from '../progress/reused.js';
import { shownLine } from '../shown-text.js';
import { between, localTime, table, took } from '../table.js';
import { withRuns } from './with-runs.js';

export async function showCommand(named: string, options: { json?: boolean; gateway?: string }): Promise<void> {
  const { found, tasks } = await withRuns({ gateway: options.gateway, runId: named }, async (client) => {
    const runId = await findRun(client, named);
    const got = await client.get(runId);
    return { found: options.json ? await withObjects(client, got) : got, tasks: await allTasks(client, runId) };
  });
  if (options.json) {
    const shown = { ...(run.Run.toJSON(found) as object), tasks: tasks.map((task) => run.Task.toJSON(task)) };
    return void process.stdout.write(`${writeJson(shown, 2)}\n`);
  }
  process.stdout.write(describe(found));
  if (tasks.length > 0)
    process.stdout.write(`\n${table(['STEP', 'INDEX', 'STATUS', 'ATTEMPT', 'TOOK', 'EXIT', 'RUNNER', 'TASK'], tasks.map(row))}`);
  const reused = reusedLine(
    tasks.filter(({ cached }) => cached).length,
    tasks.filter(({ status }) => status === run.TaskStatus.SUCCEEDED).length,
  );
  if (reused !== undefined) process.stdout.write(`\n${reused}\n`);
  for (const absence of await absences(found, options)) process.stdout.write(`\nwaiting for ${shownLine(absence)}\n`);
  if (found.failure) process.stdout.write(`\n${describeFailure(found.failure)}\n`);
  if (found.outputsOmitted) process.stdout.write(`\noutputs are long: weft show --json ${found.runId} prints them\n`);
  if (found.outputsJson) process.stdout.write(`\noutputs ${writeJson(readJson(found.outputsJson), 2)}\n`);
}

/** What runners of the run's pool wait for themselves, where it may keep the run waiting; only the local stack's are known. */
async function absences(found: run.Run, { gateway }: { gateway?: string }): Promise<string[]> {
  const over = found.finishedAt !== undefined;
  if (over || gateway !== undefined || process.env['WEFT_URL'] !== undefined) return [];
  const { withRegistry } = await import('../client/connect-registry.js');
  const runners = await withRegistry(undefined, (registry) => registry.list(found.pool));
  const away = runners.flatMap(({ description }) => description?.runtimes.filter(({ expected }) => expected) ?? []);
  return [...new Set(away.map(({ unavailable }) => unavailable))];
}

/** What is long is fetched: the JSON is whole. */
async function withObjects(client: RunsClient, found: run.Run): Promise<run.Run> {
  const { runId, inputsOmitted, outputsOmitted } = found;
  return {
    ...found,
    ...(inputsOmitted && { inputsOmitted: false, inputsJson: await objectText(client, runId, run.ObjectKind.INPUTS) }),
    ...(outputsOmitted && { outputsOmitted: false, outputsJson: await objectText(client, runId, run.ObjectKind.OUTPUTS) }),
  };
}

async function allTasks(client: RunsClient, runId: string): Promise<run.Task[]> {
  const tasks: run.Task[] = [];
  let pageToken = '';
  do {
    const page = await client.tasks(runId, pageToken);
    for (const task of page.tasks) tasks.push(task);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return tasks;
}

function describe(found: run.Run): string {
  const facts: [string, string][] = [
    ['run', found.runId],
    ['name', found.name],
    ['status', runWord(found.status)],
    ['submitted', localTime(found.submittedAt)],
    ['started', localTime(found.startedAt)],
    ['retried', localTime(found.retriedAt)],
    ['finished', localTime(found.finishedAt)],
    ['took', took(found)],
    ['project', found.projectId],
    ['pool', found.pool],
    [
      'labels',
      Object.entries(found.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['plan', found.planHash],
  ];
  return facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(10)} ${shownLine(value)}\n`)
    .join('');
}

function row(task: run.Task): string[] {
  const exit = task.exitCode === undefined ? '' : String(task.exitCode);
  const runner = task.runnerId === '' ? '' : `${task.runnerId} (${task.runtime})`;
  return [
    task.step || '-',
    task.index,
    stateOf(task),
    String(task.attempt),
    between(task.startedAt, task.finishedAt),
    exit,
    runner,
    task.taskId,
  ];
}

function stateOf({ status, cached, preparing }: run.Task): string {
  const detail = cached ? 'cached' : preparing;
  return detail === '' ? taskWord(status) : `${taskWord(status)} (${detail})`;
}
