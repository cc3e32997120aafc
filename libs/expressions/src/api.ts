/**
 * Evaluation of CWL expressions (CWL v1.2 CommandLineTool §3.5, "Expressions").
 */
import type { CwlObject, CwlValue } from '@weft/plan';
import type { ExpressionOwner } from './turns.js';

/** What `$(…)` can see. */
export interface ExpressionContext {
  inputs: CwlObject;
  self: CwlValue;
  /** outdir, tmpdir, cores, ram, outdirSize, tmpdirSize; exitCode in output bindings. */
  runtime: CwlObject;
}

export interface ExpressionOptions {
  /** InlineJavascriptRequirement is in effect: without it only parameter references are allowed. */
  javascript: boolean;
  /** Library code, in order. */
  expressionLib: string[];
  /** "v1.0" and "v1.1" documents: a backslash outside of an expression only takes the special meaning from the next character. Default: v1.2's rule. */
  declaredVersion?: string;
  /** On whose behalf: projects and runs take turns (turns.ts). */
  owner?: ExpressionOwner;
}

/** Evaluates strings with `$(…)` or `${…}` in them. */
export interface ExpressionEvaluator {
  /**
   * The value of `expression`: a lone expression gives its value, one inside other text is interpolated into a string,
   * a string without any (see `needsEvaluation`) is returned as it is. The value may share structure with the context.
   * Rejects with ExpressionError (code "EXPRESSION"): what was evaluated, what went wrong, where in the script.
   */
  evaluate(expression: string, context: ExpressionContext, options: ExpressionOptions): Promise<CwlValue>;
}

/** What a run had asked for was dropped: nobody has a use for it any more. */
export class EvaluationDropped extends Error {
  readonly code = 'CANCELLED';
  override readonly name = 'EvaluationDropped';
  constructor() {
    super('the evaluation was dropped: its run is stopped');
  }
}

/** Who may have evaluated what for whom, and may call it off. */
export interface OwnedEvaluator extends ExpressionEvaluator {
  /**
   * All that is evaluated on somebody's behalf rejects with EvaluationDropped: at once what waits, within about a second what is being evaluated.
   * What is asked for later is evaluated as ever.
   */
  drop(owner: ExpressionOwner): void;
}

export class ExpressionError extends Error {
  readonly code = 'EXPRESSION';
  override readonly name = 'ExpressionError';
  /** `at`: where in what its author wrote, as far as that is known. */
  constructor(
    message: string,
    readonly expression: string,
    readonly at?: TextPosition,
  ) {
    super(message);
  }
}

/** A character of a text that an author wrote. */
export interface TextPosition {
  /** All of the string that was to be evaluated, perhaps without the white space around it, or an item of `expressionLib`. */
  text: string;
  /** In UTF-16 code units. */
  offset: number;
}

/** True where the string has something to evaluate. */
export function needsEvaluation(text: unknown): text is string {
  return typeof text === 'string' && (text.includes('$(') || text.includes('${'));
}
