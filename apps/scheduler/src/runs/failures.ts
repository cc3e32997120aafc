/** Errors as the failures that users see. */
import { originsOfExpression } from '@weft/cwl';
import type { Failure } from '@weft/engine';
import { ExpressionError } from '@weft/expressions';
import type { Plan } from '@weft/plan';
import { TaskError } from '@weft/tasks';
import { boundFailure } from './memory/event-limits.js';

/** The process (a key of the plan) whose expressions were evaluated. */
export interface Evaluated {
  plan: Pick<Plan, 'processes'>;
  process: string;
}

/** Structural: an error that names a code of ours keeps it, anything else is a fault of the program. */
export function failureOf(error: unknown, step: string, evaluated?: Evaluated): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = error instanceof TaskError || (typeof code === 'string' && /^[A-Z_]+$/.test(code));
  const said = typeof message === 'string' ? message : String(error);
  return boundFailure({ code: known ? String(code) : 'INTERNAL', message: `${placeOf(error, evaluated)}${said}`, step });
}

/** "file:line:column: " of the expression that is at fault, as far as that is known; the file as seen from the root document. */
function placeOf(error: unknown, evaluated: Evaluated | undefined): string {
  const at = error instanceof ExpressionError ? error.at : error instanceof TaskError ? beginOf(error.expression) : undefined;
  if (evaluated === undefined || at === undefined) return '';
  const origins = originsOfExpression(evaluated.plan, evaluated.process, at.text, at.offset);
  const places = origins.map(({ file, line, column }) => `${file}:${line}:${column}`);
  return places.length === 0 ? '' : `${places.join(' or ')}: `;
}

function beginOf(expression: string | undefined): { text: string; offset: number } | undefined {
  return expression === undefined ? undefined : { text: expression, offset: 0 };
}
