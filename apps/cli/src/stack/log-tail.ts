/** The end of a program's log, for a person to read. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 64 * 1024;

/** The last lines of the file, however long it is; those that our services write as JSON in words. */
export function logTail(path: string, lines: number): string[] {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).map(inWords);
  } finally {
    closeSync(file);
  }
}

/** "message: error" of a line as pino writes it; any other line as it is. */
export function inWords(line: string): string {
  let entry: { msg?: unknown; err?: { message?: unknown } };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return line;
  }
  if (typeof entry?.msg !== 'string') return line;
  const why = entry.err?.message;
  return typeof why === 'string' && !entry.msg.includes(why) ? `${entry.msg}: ${why}` : entry.msg;
}
