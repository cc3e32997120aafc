/**
 * Graceful end of a process: SIGTERM and SIGINT close once and exit 0; a second signal gives up at once; a close that fails exits 1.
 * The end of its supervisor is as SIGTERM, with a limit: nobody is left who would follow with SIGKILL.
 */
import { followSupervisor, isSupervised } from './supervised.js';

/** Milliseconds for closing without a supervisor. */
const ORPHAN_GRACE_MS = 15_000;

export function onShutdown(close: () => Promise<void>): void {
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(signal === 'SIGINT' ? 130 : 143);
    closing = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.stderr.write(`${JSON.stringify({ level: 50, msg: `shutdown failed: ${reason}` })}\n`, () => process.exit(1));
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (!isSupervised()) return;
  followSupervisor(() => {
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
    if (!closing) stop('SIGTERM');
  });
}
