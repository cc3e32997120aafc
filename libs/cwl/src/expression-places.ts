/**
 * Where expressions were written, for messages at run time. A plan does not repeat its texts for that: a text is known by a part of its hash.
 */
import type { ExpressionPlace, Origin, Plan, Process } from '@weft/plan';
import { sha256 } from './plan-hash.js';

export const MAX_PLACES_OF_A_TEXT = 3;

/** White space around a text does not count. */
export function expressionKey(text: string): string {
  return sha256(text.trim()).slice(0, 16);
}

/**
 * Where the character at `offset` (in UTF-16 code units) of an expression's text was written. Looked for in the process first; requirements are inherited, so
 * that it may be another one's. Empty: nobody knows, or nobody knows which.
 */
export function originsOfExpression(plan: Pick<Plan, 'processes'>, process: string, text: string, offset = 0): Origin[] {
  const key = expressionKey(text);
  const holds = (candidate: Process | undefined): candidate is Process => candidate?.expressionsAt?.[key] !== undefined;
  const own = plan.processes[process];
  const holders = holds(own) ? [own] : Object.values(plan.processes).filter(holds);
  const [holder] = holders;
  if (holder === undefined || holders.length > 1) return [];
  return (holder.expressionsAt?.[key] ?? []).map((place) => ({
    file: place.file ?? holder.at?.file ?? '',
    ...positionIn(text, offset, place),
  }));
}

function positionIn(text: string, offset: number, { line, column, written }: ExpressionPlace): { line: number; column: number } {
  const before = text.slice(0, offset).trimStart().split('\n');
  const [below, right] = [before.length - 1, before.at(-1)?.length ?? 0];
  if (written === undefined || (written === 'line' && below > 0)) return { line, column };
  return { line: line + below, column: column + right };
}
