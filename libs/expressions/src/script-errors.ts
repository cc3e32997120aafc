/** Failures of a script in the author's words: what happened, and on which line of what they wrote. */
import { codeColumn, libraryLine, STRICT } from './scripts.js';
import type { SandboxLimits, ScriptError, ScriptPlace } from './protocol.js';

export type ScriptFailure =
  | { kind: 'interrupted' }
  /** `json`: what the harness's `explain` made of the thrown value. */
  | { kind: 'script'; json: string }
  | { kind: 'unexplained' }
  /** The interpreter gave up in a way that reached the host. */
  | { kind: 'host'; error: unknown };

/** Of the interpreter's words, for people alone. */
const BIGINT_HINT = 'an integer beyond 2^53 is a BigInt here: reckon with 1n, or with Number(x) where digits may be lost';

const PLACE = /\b(expression|expressionLib):(\d+)(?::(\d+))?/;

/** What was evaluated. */
export interface FailedScript {
  code: string;
  library: string[];
}

export function describeFailure(failure: ScriptFailure, script: FailedScript, limits: SandboxLimits): ScriptError {
  switch (failure.kind) {
    case 'interrupted':
      return { error: timeoutMessage(limits.interruptAfterMs) };
    case 'unexplained':
      return { error: `it failed, and not even its error could be read within ${mebibytes(limits.memoryBytes)} of memory` };
    case 'host':
      return { error: hostMessage(failure.error) };
    case 'script':
      return scriptError(JSON.parse(failure.json) as Thrown, script, limits);
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

interface Thrown {
  name: string;
  message: string;
  stack: string;
}

function hostMessage(error: unknown): string {
  if ((error as { name?: unknown } | undefined)?.name === 'RangeError') return 'it nests too deeply (stack overflow)';
  return `the interpreter failed: ${error instanceof Error ? error.message : String(error)}`;
}

function scriptError(thrown: Thrown, script: FailedScript, limits: SandboxLimits): ScriptError {
  const place = placeOf(thrown.stack, script);
  return { error: scriptMessage(thrown, inWords(place), limits), ...(place && { place }) };
}

function scriptMessage(thrown: Thrown, place: string, limits: SandboxLimits): string {
  if (thrown.name === 'ResultError') return thrown.message;
  if (thrown.name === 'InternalError' && thrown.message === 'out of memory')
    return `it needs more than ${mebibytes(limits.memoryBytes)} of memory${place}`;
  if (thrown.message === 'stack overflow') return `it recurses or nests too deeply (stack overflow)${place}`;
  if (thrown.name === '') return `it threw ${thrown.message}`;
  const hint = thrown.name === 'TypeError' && /bigint/i.test(thrown.message) ? `; ${BIGINT_HINT}` : '';
  return `${thrown.name}: ${thrown.message}${place}${hint}`;
}

function placeOf(stack: string, { code, library }: FailedScript): ScriptPlace | undefined {
  const [, which, lineText, columnText] = PLACE.exec(stack) ?? [];
  if (which === undefined) return undefined;
  const line = Number(lineText);
  const column = Number(columnText ?? 1);
  if (which === 'expression') return { line, column: codeColumn(code, line, column) };
  const inLibrary = libraryLine(library, line);
  return { library: inLibrary.index, line: inLibrary.line, column: line === 1 ? Math.max(1, column - STRICT.length) : column };
}

function inWords(place: ScriptPlace | undefined): string {
  if (place === undefined) return '';
  return ` (line ${place.line} of ${place.library === undefined ? 'the expression' : `expressionLib[${place.library}]`})`;
}

function mebibytes(bytes: number): string {
  const size = bytes / (1024 * 1024);
  return size >= 1 ? `${Math.round(size)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
