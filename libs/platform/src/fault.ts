/**
 * The last words of a service that meets a fault of its own: one line of its log, with the trace in it, instead of the excerpt of bundled
 * source that Node would print. Whoever shows the end of the log shows the message alone.
 */
import { createLogger } from './logger.js';

/**
 * To be called before anything else is loaded that may fail. Ends the process with 1 at the first error that nobody has caught. That stdout or
 * stderr cannot be written (a full disk, a reader that is gone) is no fault of the service: it serves on.
 */
export function onFault(name: string, end: (code: number) => void = process.exit): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('uncaughtException', (error: unknown) => {
    try {
      createLogger(name).fatal({ err: error }, `the ${name} ended by a fault of its own`);
    } catch {
      // Where its log cannot be written there is nobody to tell.
    }
    end(1);
  });
}
