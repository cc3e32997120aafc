/** `weft logs`: what the tools of a run wrote, each line with its step. */
import { run } from '@weft/contracts';
import { shownLogLine } from '../shown-text.js';
import { withRuns } from './with-runs.js';

export interface LogsOptions {
  follow?: boolean;
  task: string;
  json?: boolean;
  gateway?: string;
}

export async function logsCommand(runId: string, options: LogsOptions): Promise<void> {
  const write = options.json ? jsonLines() : prefixedLines();
  await withRuns(options, async (client) => {
    const query = { runId, taskId: options.task, follow: options.follow === true, afterCursor: '' };
    for await (const chunk of client.logs(query)) write.chunk(chunk);
  });
  write.end();
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
  return {
    chunk: ({ taskId, step, stream, text: written }) => {
      // The runner's own remarks are whole lines without their end.
      const text = stream === run.LogStream.SYSTEM && !written.endsWith('\n') ? `${written}\n` : written;
      const key = `${taskId}:${stream}`;
      const lines = ((open.get(key)?.text ?? '') + text).split('\n');
      const prefix = `[${step || 'tool'}] `;
      open.set(key, { prefix, text: lines.pop() ?? '' });
      for (const line of lines) process.stdout.write(`${prefix}${shown(line)}\n`);
    },
    end: () => {
      for (const { prefix, text } of open.values()) if (text !== '') process.stdout.write(`${prefix}${shown(text)}\n`);
    },
  };
}
