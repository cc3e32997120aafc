/**
 * Logging: JSON lines on stderr, so that stdout stays free for results and for the `ready` line.
 */
import { type Logger, destination, pino } from 'pino';

export type { Logger };

/** Members with these names never reach the log, at the top or one level down. */
const SECRET_NAMES = ['password', 'secret', 'token', 'authorization', 'serviceSecret'];

/** `level` is one of pino's (trace, debug, info, warn, error, fatal, silent); anything else throws. */
export function createLogger(name: string, level = 'info'): Logger {
  return pino(
    { name, level, redact: { paths: SECRET_NAMES.flatMap((member) => [member, `*.${member}`]), censor: '[secret]' } },
    destination({ fd: 2, sync: true }),
  );
}
