/**
 * What the evaluator and its worker threads say to each other. Everything is plain data; values travel as JSON text.
 *
 * Invariant: an evaluation has no effect outside of the sandbox, so it may be sent again to another worker when one dies.
 */

/** Before JSON in which long whole numbers are marked (libs/plan, json.ts). What stringifiers write does not begin with it, and parsers skip it. */
export const MARKED = ' ';

/** One script. Numbers point into the batch's tables, so that equal texts travel once. */
export interface EvaluationRequest {
  id: number;
  /** "(…)" or "{…}", with its bracket. */
  code: string;
  inputs: number;
  self: number;
  runtime: number;
  library: number;
}

export interface Batch {
  /** JSON texts. */
  texts: string[];
  /** Library code, in order. */
  libraries: string[][];
  evaluations: EvaluationRequest[];
}

/** A character of a script, or of the item of `expressionLib` with that index. One-based. */
export interface ScriptPlace {
  library?: number;
  line: number;
  column: number;
}

/** `error` is a sentence. */
export interface ScriptError {
  error: string;
  place?: ScriptPlace;
}

/** `json` is the value's JSON text. */
export type EvaluationReply = { id: number } & ({ json: string } | ScriptError);

/** From the worker: replies so far; `done` once the batch is finished, or left off. */
export interface BatchReply {
  replies: EvaluationReply[];
  done: boolean;
}

export interface SandboxLimits {
  /** Milliseconds of wall time after which the interpreter interrupts a script. */
  interruptAfterMs: number;
  /** Bytes that a script and its data may occupy. */
  memoryBytes: number;
}

export interface WorkerSetup {
  limits: SandboxLimits;
  /**
   * Three 64-bit floats: id of the evaluation that is running (0: none), when it began (milliseconds since the epoch), and from the other side
   * whether the batch is to end with it (1).
   */
  progress: SharedArrayBuffer;
}
