/**
 * A fault of weft's own in a command: one sentence, and where its trace is, instead of the excerpt of bundled source that Node would print.
 *
 * Invariants:
 *  1. An error of the system (no room, no permission) is told as such; only what nobody foresaw is called a fault.
 *  2. The trace goes to the log of commands below WEFT_HOME; to the terminal only where it is asked for, or where there is no log.
 */
import { appendFileSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf } from './home.js';

/** Of the log of commands; it begins anew then. */
const MAX_BYTES = 1024 * 1024;

export interface FaultWriter {
  /** Where the trace is now; undefined: nowhere. */
  keep(trace: string): string | undefined;
  wantsTrace: boolean;
}

/** What a person is told; without a line break but where the trace is wanted. */
export function sentenceOf(error: unknown, { keep, wantsTrace }: FaultWriter): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 500) ?? '';
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof Error && error.name === 'CommandError') return error.message;
  if (error instanceof Error && 'syscall' in error) return wantsTrace ? trace : message;
  if (wantsTrace) return `a fault of weft's own: ${trace}`;
  const log = keep(trace);
  return `a fault of weft's own: ${message} (${log === undefined ? 'WEFT_DEBUG=1 shows where' : `its trace is in ${log}`})`;
}

export function faultWriter(env: NodeJS.ProcessEnv = process.env): FaultWriter {
  return { keep: keepTrace, wantsTrace: (env['WEFT_DEBUG'] ?? '') !== '' || /^(debug|trace)$/.test(env['WEFT_LOG_LEVEL'] ?? '') };
}

/** Ends the process at the first error that nobody has caught. */
export function onFault(): void {
  process.on('uncaughtException', (error: unknown) => {
    try {
      process.stderr.write(`weft: ${sentenceOf(error, faultWriter())}\n`);
    } finally {
      process.exit(1);
    }
  });
}

function keepTrace(trace: string): string | undefined {
  try {
    const { logs } = homeOf();
    const path = join(logs, 'commands.log');
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) truncateSync(path);
    appendFileSync(path, `${new Date().toISOString()} ${process.argv.slice(2, 3).join(' ')}: ${trace}\n`, { mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}
