/**
 * The engine's answer while it pulls, loads, imports or builds: one JSON object a line, of which one may be an error.
 *
 * Invariant: an answer that is cut is an error, never an end.
 */
import { StringDecoder } from 'node:string_decoder';
import type { ProgressLine } from './progress-text.js';

const LINE_LENGTH = 1024 * 1024;

/** @throws Error with what the engine reports; the connection's error */
export async function followProgress(stream: NodeJS.ReadableStream, onLine: (line: ProgressLine) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_LENGTH) throw new Error('the engine answered with a line that has no end');
    for (const line of lines) take(line, onLine);
  }
  take(rest, onLine);
}

function take(text: string, onLine: (line: ProgressLine) => void): void {
  if (text.trim() === '') return;
  const line = JSON.parse(text) as ProgressLine & { error?: unknown; errorDetail?: { message?: unknown } };
  const problem = line.errorDetail?.message ?? line.error;
  if (problem !== undefined) throw new Error(String(problem));
  onLine(line);
}
