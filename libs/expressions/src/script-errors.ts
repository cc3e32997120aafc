/** Failures of a script in the author's words: what happened, and on which line of what they wrote. */
import { libraryLine } from './scripts.js';
import type { SandboxLimits } from './protocol.js';

export type ScriptFailure =
  | { kind: 'interrupted' }
  /** `json`: what the harness's `explain` made of the thrown value. */
  | { kind: 'script'; json: string }
  | { kind: 'unexplained' }
  /** The interpreter gave up in a way that reached the host. */
  | { kind: 'host'; error: unknown };

/** Of the interpreter's words, for people alone. */
const BIGINT_HINT = 'an integer beyond 2^53 is a BigInt here: reckon with 1n, or with Number(x) where digits may be lost';

const PLACE = /\b(expression|expressionLib):(\d+)/;

export function describeFailure(failure: ScriptFailure, library: string[], limits: SandboxLimits): string {
  switch (failure.kind) {
    case 'interrupted':
      return timeoutMessage(limits.interruptAfterMs);
    case 'unexplained':
      return `it failed, and not even its error could be read within ${mebibytes(limits.memoryBytes)} of memory`;
    case 'host':
      return failure.error instanceof RangeError || (failure.error as { name?: unknown })?.name === 'RangeError'
        ? 'it nests too deeply (stack overflow)'
        : `the interpreter failed: ${failure.error instanceof Error ? failure.error.message : String(failure.error)}`;
    case 'script':
      return scriptMessage(JSON.parse(failure.json) as { name: string; message: string; stack: string }, library, limits);
  }
}

export function timeoutMessage(timeoutMs: number): string {
  return `it did not finish within ${timeoutMs >= 1000 ? `${timeoutMs / 1000} s` : `${timeoutMs} ms`}`;
}

/** At most about a hundred characters of an expression, on one line. */
export function shortened(expression: string): string {
  const line = expression.trim().replace(/\s+/g, ' ');
  return line.length <= 100 ? line : `${line.slice(0, 97)}…`;
}

function scriptMessage(thrown: { name: string; message: string; stack: string }, library: string[], limits: SandboxLimits): string {
  const place = placeOf(thrown.stack, library);
  if (thrown.name === 'ResultError') return thrown.message;
  if (thrown.name === 'InternalError' && thrown.message === 'out of memory')
    return `it needs more than ${mebibytes(limits.memoryBytes)} of memory${place}`;
  if (thrown.message === 'stack overflow') return `it recurses or nests too deeply (stack overflow)${place}`;
  if (thrown.name === '') return `it threw ${thrown.message}`;
  const hint = thrown.name === 'TypeError' && /bigint/i.test(thrown.message) ? `; ${BIGINT_HINT}` : '';
  return `${thrown.name}: ${thrown.message}${place}${hint}`;
}

function placeOf(stack: string, library: string[]): string {
  const place = PLACE.exec(stack);
  if (!place) return '';
  const line = Number(place[2]);
  if (place[1] === 'expression') return ` (line ${line} of the expression)`;
  const inLibrary = libraryLine(library, line);
  return ` (line ${inLibrary.line} of expressionLib[${inLibrary.index}])`;
}

function mebibytes(bytes: number): string {
  const size = bytes / (1024 * 1024);
  return size >= 1 ? `${Math.round(size)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
