/**
 * `--log-dir`: what the tools of a run wrote to stdout and stderr, a file for each that has something, in a folder of the run.
 *
 * Invariant: names are made of the task's number and of what is plain in the name of its step; nothing that is there already is touched.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from '@weft/contracts';
import { isServiceError } from '@weft/platform/client';
import type { RunsClient } from '../client/runs-client.js';

const STREAMS = [
  ['stdout', run.LogStream.STDOUT],
  ['stderr', run.LogStream.STDERR],
] as const;

type Logs = Pick<RunsClient, 'tasks' | 'taskLog'>;

/** The folder that was made. */
export async function writeLogs(runs: Logs, runId: string, directory: string): Promise<string> {
  const folder = join(directory, runId);
  await mkdir(folder, { recursive: true });
  let pageToken = '';
  do {
    const page = await runs.tasks(runId, pageToken);
    for (const task of page.tasks)
      for (const [name, stream] of STREAMS) await writeOne(runs, runId, task, stream, join(folder, `${nameOf(task)}.${name}`));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return folder;
}

async function writeOne(runs: Logs, runId: string, { taskId, attempt }: run.Task, stream: run.LogStream, path: string): Promise<void> {
  try {
    const parts = runs.taskLog({ runId, taskId, attempt, stream })[Symbol.asyncIterator]();
    const first = await parts.next();
    if (first.done === true) return;
    await pipeline(Readable.from(bytesOf(first.value, parts)), createWriteStream(path, { flags: 'wx' }));
  } catch (error) {
    // What said nothing has no log.
    if (isServiceError(error) && error.code === 'NOT_FOUND') return;
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(path, { force: true });
    throw error;
  }
}

async function* bytesOf(first: run.LogData, rest: AsyncIterator<run.LogData>): AsyncGenerator<Uint8Array> {
  yield first.data;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value.data;
}

/** "12-align[3]". */
function nameOf({ taskId, step, index }: run.Task): string {
  const plain = (step || 'tool').replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 100);
  return `${taskId.slice(taskId.lastIndexOf('-') + 1)}-${plain}${index === '' ? '' : `[${index.replace(/[^0-9,]/g, '_')}]`}`;
}
