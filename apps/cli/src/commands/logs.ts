/** `weft logs`: what the tools of a run wrote, each line with its time, step and attempt; or all of what one task wrote, byte for byte. */
import { run } from '@weft/contracts';
import { isServiceError } from '@weft/platform/client';
import { findRun } from '../client/find-run.js';
import type { RunsClient } from '../client/runs-client.js';
import { CommandError } from '../errors.js';
import { shownLogLine } from '../shown-text.js';
import { withRuns } from './with-runs.js';
import { findTasks, theTask } from './find-tasks.js';

export interface LogsOptions {
  follow?: boolean;
  task: string;
  full?: boolean;
  attempt?: number;
  stream?: 'stdout' | 'stderr';
  json?: boolean;
  gateway?: string;
}

/** @param which a task's id, a step, or a step with its index: `align[3]` */
export async function logsCommand(namedRun: string, which: string | undefined, options: LogsOptions): Promise<void> {
  const named = options.task !== '' ? options.task : (which ?? '');
  await withRuns({ gateway: options.gateway, runId: namedRun }, async (client) => {
    const runId = await findRun(client, namedRun);
    if (options.full) return writeWhole(client, runId, named, options);
    const tasks = named === '' ? undefined : await findTasks(client, runId, named);
    const only = tasks?.length === 1 ? (tasks[0]?.taskId ?? '') : '';
    const ids = tasks && new Set(tasks.map(({ taskId }) => taskId));
    const wanted = (chunk: run.LogChunk): boolean =>
      (ids?.has(chunk.taskId) ?? true) &&
      (options.attempt === undefined || chunk.attempt === options.attempt) &&
      (options.stream === undefined || chunk.stream === streamOf(options.stream));
    const write = options.json ? jsonLines() : prefixedLines();
    let omitted = false;
    for await (const chunk of client.logs({ runId, taskId: only, follow: options.follow === true, afterCursor: '' })) {
      if (!wanted(chunk) && !(chunk.omitted && chunk.taskId === '')) continue;
      omitted ||= chunk.omitted !== undefined;
      write.chunk(chunk);
    }
    write.end();
    if (omitted && !options.json) process.stderr.write(`weft: all that one task wrote: weft logs ${runId} <step or task> --full\n`);
  });
}

function streamOf(name: 'stdout' | 'stderr'): run.LogStream {
  return name === 'stdout' ? run.LogStream.STDOUT : run.LogStream.STDERR;
}

/** The whole logs of one task: stdout first, where no stream is named. */
async function writeWhole(client: RunsClient, runId: string, named: string, options: LogsOptions): Promise<void> {
  if (named === '') throw new CommandError('say whose whole log: weft logs <run> <step or task> --full');
  const { taskId, attempt } = theTask(await findTasks(client, runId, named), named);
  const streams = options.stream ? [options.stream] : (['stdout', 'stderr'] as const);
  let absent: unknown;
  for (const stream of streams) {
    try {
      const parts = client.taskLog({ runId, taskId, attempt: options.attempt ?? attempt, stream: streamOf(stream) });
      for await (const { data } of parts) await written(data);
    } catch (error) {
      if (!isServiceError(error) || error.code !== 'NOT_FOUND') throw error;
      // A tool that said something on one stream need not have on the other.
      if (absent !== undefined || streams.length === 1) throw error;
      absent = error;
    }
  }
}

/** No faster than whoever reads it. */
function written(data: Uint8Array): Promise<void> | undefined {
  if (process.stdout.write(data)) return undefined;
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

interface LogWriter {
  chunk(chunk: run.LogChunk): void;
  end(): void;
}

function jsonLines(): LogWriter {
  return { chunk: (chunk) => void process.stdout.write(`${JSON.stringify(run.LogChunk.toJSON(chunk))}\n`), end: () => undefined };
}

/** Chunks end anywhere; lines of several tasks must not be mixed. */
function prefixedLines(): LogWriter {
  const open = new Map<string, { prefix: string; text: string }>();
  // What goes into a file or another program is as the tool wrote it.
  const shown = process.stdout.isTTY ? shownLogLine : (line: string): string => line;
  const closed = (key: string): void => {
    const { prefix = '', text = '' } = open.get(key) ?? {};
    open.delete(key);
    if (text !== '') process.stdout.write(`${prefix}${shown(text)}\n`);
  };
  return {
    chunk: (chunk) => {
      const { taskId, attempt, stream, text: said } = chunk;
      const key = `${taskId}.${attempt}:${stream}`;
      // A line that a mark stands behind does not go on after it.
      if (chunk.omitted) for (const other of [run.LogStream.STDOUT, run.LogStream.STDERR]) closed(`${taskId}.${attempt}:${other}`);
      // The runner's own remarks are whole lines without their end.
      const text = stream === run.LogStream.SYSTEM && !said.endsWith('\n') ? `${said}\n` : said;
      const lines = ((open.get(key)?.text ?? '') + text).split('\n');
      const rest = lines.pop() ?? '';
      const prefix = prefixOf(chunk);
      // A line has the time at which it began.
      const first = open.get(key)?.prefix ?? prefix;
      for (const [n, line] of lines.entries()) process.stdout.write(`${n === 0 ? first : prefix}${shown(line)}\n`);
      open.delete(key);
      if (rest !== '') open.set(key, { prefix: lines.length === 0 ? first : prefix, text: rest });
    },
    end: () => {
      for (const key of [...open.keys()]) closed(key);
    },
  };
}

/** When, which step, which of its scattered tasks, and which attempt, where it is not the first. */
function prefixOf({ at, taskId, step, index, attempt }: run.LogChunk): string {
  const time = at === undefined || taskId === '' ? '' : `${clockTime(at)} `;
  const name = taskId === '' ? 'run' : step || 'tool';
  return `[${time}${name}${index === '' ? '' : `[${index}]`}${attempt > 1 ? ` attempt ${attempt}` : ''}] `;
}

function clockTime(at: Date): string {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
