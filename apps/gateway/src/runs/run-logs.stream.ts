/**
 * A run's logs as plain text.
 *
 * Invariants: text of one task is passed on as it is, with remarks of the runner and marks of what is left out as lines of their own; text of
 * several tasks is passed on in whole lines, each with its step and task in front, so that tasks that write at the same time do not run into
 * each other's lines.
 */
import { run } from '@weft/contracts';

/** Characters of a line that is held back for its end; longer ones go out in pieces. */
const MAX_HELD = 64 * 1024;

export async function* rawLogText(chunks: AsyncIterable<run.LogChunk>): AsyncGenerator<string, void> {
  let midLine = false;
  for await (const { stream, text: written } of chunks) {
    if (written === '') continue;
    const remark = stream === run.LogStream.SYSTEM;
    const text: string = remark ? `${midLine ? '\n' : ''}${written}${written.endsWith('\n') ? '' : '\n'}` : written;
    midLine = !text.endsWith('\n');
    yield text;
  }
}

export async function* labelledLogText(chunks: AsyncIterable<run.LogChunk>): AsyncGenerator<string, void> {
  const held = new Map<string, { prefix: string; text: string }>();
  for await (const chunk of chunks) {
    const key = `${chunk.taskId} ${chunk.stream}`;
    const prefix = chunk.step === '' ? '' : `[${chunk.step} ${chunk.taskId}] `;
    const remark = chunk.stream === run.LogStream.SYSTEM && !chunk.text.endsWith('\n');
    const text = (held.get(key)?.text ?? '') + chunk.text + (remark ? '\n' : '');
    const end = text.length > MAX_HELD ? text.length : text.lastIndexOf('\n') + 1;
    if (end > 0) yield withPrefix(prefix, text.slice(0, end));
    if (end === text.length) held.delete(key);
    else held.set(key, { prefix, text: text.slice(end) });
  }
  for (const { prefix, text } of held.values()) yield withPrefix(prefix, text);
}

/** `text` with the prefix before each line, ended by a newline. */
function withPrefix(prefix: string, text: string): string {
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text;
  return `${lines
    .split('\n')
    .map((line) => prefix + line)
    .join('\n')}\n`;
}
