/** Errors as the failures that users see. */
import type { Failure } from '@weft/engine';
import { TaskError } from '@weft/tasks';
import { boundFailure } from './event-limits.js';

/** Structural: an error that names a code of ours keeps it, anything else is a fault of the program. */
export function failureOf(error: unknown, step: string): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = error instanceof TaskError || (typeof code === 'string' && /^[A-Z_]+$/.test(code));
  return boundFailure({ code: known ? String(code) : 'INTERNAL', message: typeof message === 'string' ? message : String(error), step });
}
