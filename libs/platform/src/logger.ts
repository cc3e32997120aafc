/**
 * Logging: JSON lines on stderr, so that stdout stays free for results and for the `ready` line.
 *
 * Invariant: a line that cannot be written (the disk is full, nobody reads the pipe) is dropped and counted; it never ends or blocks the
 * process. How many there were is told with the next line that can.
 */
import { writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';

export type { Logger };

/** Members with these names never reach the log, at the top or one level down. */
const SECRET_NAMES = ['password', 'secret', 'token', 'authorization', 'serviceSecret'];

/** `level` is one of pino's (trace, debug, info, warn, error, fatal, silent); anything else throws. */
export function createLogger(name: string, level = 'info'): Logger {
  return pino(
    { name, level, redact: { paths: SECRET_NAMES.flatMap((member) => [member, `*.${member}`]), censor: '[secret]' } },
    lossyDestination((bytes) => writeSync(2, bytes)),
  );
}

/** How often a pipe whose reader is slow is tried again, and the pause, milliseconds. */
const TRIES = 100;
const PAUSE_MS = 10;

/** @param write as writeSync: may write a part, or throw. Exported for its tests. */
export function lossyDestination(write: (bytes: Buffer) => number, pause = sleep): { write(line: string): void } {
  let lost = 0;
  let torn = false;
  const writeAll = (text: string): void => {
    let rest = Buffer.from(text);
    for (let tries = 0; rest.length > 0;) {
      try {
        const written = write(rest);
        torn = written < rest.length;
        rest = rest.subarray(written);
      } catch (error) {
        tries += 1;
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries > TRIES) throw error;
        pause();
      }
    }
  };
  return {
    write: (line) => {
      try {
        if (torn) writeAll('\n');
        if (lost > 0)
          writeAll(`${JSON.stringify({ level: 40, time: Date.now(), msg: `${lost} lines could not be written to this log` })}\n`);
        lost = 0;
        writeAll(line);
      } catch {
        lost += 1;
      }
    },
  };
}

function sleep(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
