/**
 * The facts a run's log holds: what came from outside. Everything else is derived by replaying them through `decide`.
 * Every event is plain JSON and is never changed once written; a new kind of fact gets a new type.
 */
import type { CwlObject } from '@weft/plan';
import type { EngineRules } from './rules.js';

/** Why a task or a run failed, in words a user can act on; `code` as in weft.run.v1.Failure. */
export interface Failure {
  code: string;
  message: string;
  step?: string;
  /** Of a task of a scattered step, as in its record. */
  index?: string;
  taskId?: string;
  exitCode?: number;
  stderrTail?: string[];
}

/** How the run is to be executed; fixed when it is accepted. */
export interface RunOptions {
  noContainer: boolean;
  defaultContainer?: string;
  /** Attempts of one task before a temporary failure becomes the run's failure; at least 1. */
  maxAttempts: number;
  /** Wall time from acceptance (or the last retry) after which the shell ends the run with its time limit, milliseconds; absent = none. */
  deadlineMs?: number;
  /** What a task's final failure does to the rest of the run; absent = 'fail-fast'. */
  failureMode?: 'fail-fast' | 'continue';
  /** A task killed for its memory is tried again with its memory times this, which is greater than 1; absent = not. */
  oomRetryFactor?: number;
  /** Use results of earlier tasks, and keep those of this run for later ones. With neither this nor `noCache` the call cache hears of no task. */
  cache?: boolean;
  /** Execute every task, whatever results are known; what comes out takes their place. */
  noCache?: boolean;
  /** Keep what steps pass to each other when no step needs it any more. */
  keepIntermediates?: boolean;
  /** Greater goes first; absent = 0. */
  priority?: number;
  /** Tasks on runners at the same time, at most; absent = no limit of the run's own. */
  maxParallelTasks?: number;
  /** What tasks see of whoever submitted the run; absent = nothing. */
  caller?: Caller;
  /** What the secrets among its inputs were sealed for: they open with it alone; absent = it has none. */
  sealedFor?: string;
}

/** The world that the run was submitted from: it stays the run's, whoever starts the services or retries it. */
export interface Caller {
  /** PATH of tasks that run as processes of the host; absent = the runner's. */
  path?: string;
  umask?: number;
  /** Variables for tasks of every runtime. */
  environment?: Record<string, string>;
}

/** The run was accepted with a plan (by hash) and a checked input object. Always the first entry. */
export interface RunAccepted {
  type: 'RunAccepted';
  runId: string;
  planHash: string;
  inputs: CwlObject;
  options: RunOptions;
  /** What decides besides; absent = as before there were versions of it. */
  rules?: EngineRules;
}

/** What one shard of a step (or one iteration of a loop) runs with. */
export interface BoundShard {
  index: number;
  inputs: CwlObject;
  /** False: its `when` was false. */
  run: boolean;
}

/** Answers EvaluateBindings. */
export interface BindingsEvaluated {
  type: 'BindingsEvaluated';
  node: string;
  iteration: number;
  shards: BoundShard[];
}

export interface BindingsFailed {
  type: 'BindingsFailed';
  node: string;
  iteration: number;
  /** Index of the first shard of the command that failed: which of the step's commands this answers. */
  firstShard: number;
  failure: Failure;
}

/** A runner began the attempt. For people who watch; nothing depends on it but how soon a conflict over a file is found. */
export interface TaskStarted {
  type: 'TaskStarted';
  taskId: string;
  attempt: number;
  runnerId: string;
  runtime: string;
  /** Locations that it may change in place; absent: none. So in its answers, where it may have begun. */
  inPlace?: string[];
}

/** What comes before the attempt's start takes a while (or it lost its start). For people who watch; nothing depends on it. */
export interface TaskPreparing {
  type: 'TaskPreparing';
  taskId: string;
  attempt: number;
  /** The runner that has it, and by what it is to run there; absent: none yet, its inputs are looked at first. */
  runnerId?: string;
  runtime?: string;
  /** In words: "staging its inputs". Empty: nothing any more, it waits for its turn. */
  doing: string;
}

export interface TaskSucceeded {
  type: 'TaskSucceeded';
  taskId: string;
  attempt: number;
  outputs: CwlObject;
  exitCode?: number;
  /** Nothing was executed: the outputs are an earlier task's. */
  cached?: boolean;
  inPlace?: string[];
}

export interface TaskFailed {
  type: 'TaskFailed';
  taskId: string;
  attempt: number;
  /** Where the attempt was, or was to be, executed: other runners are tried first. */
  runnerId?: string;
  failure: Failure;
  /** True where another attempt may succeed (infrastructure, `temporaryFailCodes`). */
  retryable: boolean;
  inPlace?: string[];
}

/** The attempt was stopped, or taken out of the queue, because the run is ending. */
export interface TaskCancelled {
  type: 'TaskCancelled';
  taskId: string;
  attempt: number;
  inPlace?: string[];
}

export interface CancelAsked {
  type: 'CancelAsked';
  reason: string;
  /** Nobody asked: the run's own time limit has passed, and the run fails with RUN_TIME_LIMIT. */
  timeLimit?: boolean;
}

/** A failed or cancelled run is to go on: follows RunEnded, and unseals the log. */
export interface RunRetried {
  type: 'RunRetried';
}

export type FinalStatus = 'succeeded' | 'failed' | 'cancelled';

/** Seals the log. Written by the shell when it carries out EndRun. */
export interface RunEnded {
  type: 'RunEnded';
  status: FinalStatus;
  /** Of a run that succeeded, or failed and has some; absent = those that follow from the log. */
  outputs?: CwlObject;
  failure?: Failure;
}

export type EngineEvent =
  | RunAccepted
  | BindingsEvaluated
  | BindingsFailed
  | TaskPreparing
  | TaskStarted
  | TaskSucceeded
  | TaskFailed
  | TaskCancelled
  | CancelAsked
  | RunEnded
  | RunRetried;

/** What is told of an attempt that goes on; any other event of a task answers its attempt. */
export function goesOn<Event extends { type: string }>(event: Event): event is Extract<Event, { type: 'TaskPreparing' | 'TaskStarted' }> {
  return event.type === 'TaskPreparing' || event.type === 'TaskStarted';
}
