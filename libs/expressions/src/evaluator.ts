/**
 * The evaluator of CWL expressions: scans the text, takes parameter references the short way and sends JavaScript to the pool.
 *
 * Invariant: whatever goes wrong with an expression rejects with ExpressionError, and the evaluator goes on working.
 */
import { type CwlObject, type CwlValue, markedJson, unmarked } from '@weft/plan';
import { locateWorkerProgram } from '@weft/threads';
import {
  EvaluationDropped,
  ExpressionError,
  type TextPosition,
  needsEvaluation,
  type ExpressionContext,
  type ExpressionEvaluator,
  type ExpressionOptions,
  type OwnedEvaluator,
} from './api.js';
import { interpolatedText } from './interpolate.js';
import { parseParameterReference, resolveReference, type ParameterReference } from './parameter-reference.js';
import { MARKED, type ScriptPlace } from './protocol.js';
import { escapeRule, scan } from './scanner.js';
import { shortened } from './script-errors.js';
import type { ExpressionOwner } from './turns.js';
import { ScriptFault, WorkerPool } from './worker-pool.js';

const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_MEMORY_BYTES = 128 * 1024 * 1024;
const DEFAULT_WORKERS = 4;
const DEFAULT_PER_PROJECT = 2;
/** Where nobody says on whose behalf. */
const NOBODY: ExpressionOwner = { project: '', run: '' };
/** The interpreter is asked to stop this much before its thread is killed. */
const INTERRUPT_SHARE = 0.9;
const REMEMBERED_TEXTS = 2000;
/** Of a text that is remembered, in UTF-16 code units. */
const REMEMBERED_LENGTH = 16_384;

export interface EvaluatorOptions {
  /** Milliseconds of wall time that one evaluation may take, the killing of its thread included. Default 20,000. */
  timeoutMs?: number;
  /** Bytes that one evaluation may use. Default 128 MiB. */
  memoryBytes?: number;
  /** Most threads; a second one is started only behind a slow script. Default 4. */
  workers?: number;
  /** Most of them for one project. Default 2. */
  perProject?: number;
  /** Program of the worker thread. Default: `expression-worker.mjs` beside the bundle. */
  workerUrl?: URL;
}

type Compiled = { kind: 'literal'; text: string } | CompiledExpression;
/** `at`: where the code begins in the text. */
type CompiledExpression = { kind: 'expression'; code: string; at: number; text: string; reference: ParameterReference | undefined };

export interface StartedEvaluator extends OwnedEvaluator {
  /**
   * Starts the JavaScript worker before the first script asks for it (tens of milliseconds). Resolves when scripts can run; rejects with an
   * Error where they cannot, which they will say themselves: the caller may ignore it.
   */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Beside the bundle, or made of the sources. */
function locateProgram(): Promise<URL> {
  return locateWorkerProgram({ name: 'expression-worker', beside: import.meta.url, source: './worker.ts', folders: ['./'] });
}

export function createEvaluator(options: EvaluatorOptions = {}): StartedEvaluator {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, memoryBytes = DEFAULT_MEMORY_BYTES, workers = DEFAULT_WORKERS, workerUrl } = options;
  const { perProject = DEFAULT_PER_PROJECT } = options;
  const pool = new WorkerPool({
    workers,
    perProject,
    killAfterMs: timeoutMs,
    limits: { interruptAfterMs: Math.ceil(timeoutMs * INTERRUPT_SHARE), memoryBytes },
    locate: workerUrl ? () => Promise.resolve(workerUrl) : locateProgram,
  });
  return new Evaluator(pool);
}

class Evaluator implements StartedEvaluator {
  private readonly compiled = new Map<string, Compiled[]>();

  constructor(private readonly pool: WorkerPool) {}

  async evaluate(expression: string, context: ExpressionContext, options: ExpressionOptions): Promise<CwlValue> {
    if (!needsEvaluation(expression)) return expression;
    const segments = this.compile(expression, options);
    const only = segments.length === 1 ? segments[0] : undefined;
    if (only?.kind === 'expression') return this.value(only, context, options);
    const texts = segments.map((segment) =>
      segment.kind === 'literal' ? segment.text : this.value(segment, context, options).then(interpolatedText),
    );
    return (await Promise.all(texts)).join('');
  }

  drop(owner: ExpressionOwner): void {
    this.pool.drop(owner);
  }

  async warmUp(): Promise<void> {
    await this.pool.warmUp(NOBODY);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  private compile(expression: string, options: ExpressionOptions): Compiled[] {
    const rule = escapeRule(options.declaredVersion);
    const text = expression.trim();
    const key = `${rule} ${text}`;
    const known = this.compiled.get(key);
    if (known) return known;
    const compiled = scan(text, rule).map((segment): Compiled =>
      segment.kind === 'literal' ? segment : { ...segment, text, reference: parseParameterReference(segment.code) },
    );
    if (text.length > REMEMBERED_LENGTH) return compiled;
    if (this.compiled.size >= REMEMBERED_TEXTS) this.compiled.clear();
    this.compiled.set(key, compiled);
    return compiled;
  }

  private async value(segment: CompiledExpression, context: ExpressionContext, options: ExpressionOptions): Promise<CwlValue> {
    const { reference } = segment;
    if (reference && !(options.javascript && reference.escaped)) {
      const resolved = resolveReference(reference, { inputs: context.inputs, self: context.self, runtime: context.runtime });
      if (resolved.found) return resolved.value;
      if (!options.javascript) throw failure(resolved.reason, segment);
    }
    if (!options.javascript) {
      throw failure('this is JavaScript and not a parameter reference; it needs InlineJavascriptRequirement', segment);
    }
    return this.script(segment, context, options);
  }

  private async script(
    segment: CompiledExpression,
    context: ExpressionContext,
    { expressionLib: library, owner = NOBODY }: ExpressionOptions,
  ): Promise<CwlValue> {
    const json = await this.pool
      .run({
        code: segment.code,
        library,
        owner,
        inputsJson: scriptText(context.inputs),
        selfJson: scriptText(context.self ?? null),
        runtimeJson: scriptText(context.runtime),
      })
      .catch((error: unknown) => {
        if (error instanceof EvaluationDropped) throw error;
        const at = error instanceof ScriptFault ? positionOf(error.place, segment, library) : undefined;
        throw failure(error instanceof Error ? error.message : String(error), segment, at);
      });
    return parseResult(json);
  }
}

/** The same evaluator, on somebody's behalf. */
export function ownedBy(evaluator: ExpressionEvaluator, owner: ExpressionOwner): ExpressionEvaluator {
  return { evaluate: (expression, context, options) => evaluator.evaluate(expression, context, { ...options, owner }) };
}

function failure(reason: string, { code, at, text }: CompiledExpression, position?: TextPosition): ExpressionError {
  return new ExpressionError(`${reason}: $${shortened(code)}`, `$${code}`, position ?? { text, offset: at - 1 });
}

function positionOf(place: ScriptPlace | undefined, { code, at, text }: CompiledExpression, library: string[]): TextPosition | undefined {
  if (place === undefined) return undefined;
  if (place.library === undefined) return { text, offset: at + offsetOf(code, place) };
  const source = library[place.library] ?? '';
  return { text: source, offset: offsetOf(source, place) };
}

/** A stack is a text that a script can change: what it says may lie outside. */
function offsetOf(text: string, { line, column }: ScriptPlace): number {
  const lines = text.split('\n', line);
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(before + column - 1, text.length);
}

/** JSON, or, with MARKED before it, marked JSON: where there are whole numbers that a number of JavaScript does not hold. */
function scriptText(value: CwlValue): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if ((error as { name?: unknown }).name !== 'TypeError') throw error;
    return MARKED + markedJson(value);
  }
}

/** A member named `__proto__` would change the prototype of whatever object it is copied to: it is left out. */
function parseResult(text: string): CwlValue {
  return text.startsWith(MARKED) ? (unmarked(parsePlain(text)) as CwlValue) : parsePlain(text);
}

function parsePlain(json: string): CwlValue {
  if (!json.includes('__proto__')) return JSON.parse(json) as CwlValue;
  return JSON.parse(json, function (this: CwlObject, key: string, value: CwlValue) {
    return key === '__proto__' ? undefined : value;
  }) as CwlValue;
}
