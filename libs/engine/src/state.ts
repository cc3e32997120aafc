/**
 * The state of one run as replaying its log gives it.
 *
 * Invariants:
 *  1. State is owned by whoever calls `decide`, which changes it in place and hands it back: a wide scatter must not
 *     copy a hundred thousand records per event. The same events in the same order give the same state.
 *  2. `inFlight` counts the commands whose answer is still due; a run ends only when it is 0.
 *  3. A task record's status moves queued → running → succeeded | failed | cancelled; a retry moves it back to queued
 *     with the next attempt. Answers for any other attempt than the current one are ignored.
 *  4. What a run that fails or is cancelled leaves undone is in `parked`, in `unbegun` and in the records of its failed and cancelled tasks:
 *     together they are everything a retry has to do.
 *  5. State is data: no functions, and nothing outside of it but the plan, which it is a state of.
 *  6. What is kept of a task is bounded by its record and its outputs once it has succeeded, and of a shard that is not begun nothing: a run's
 *     memory follows what is under way and what is done, not what is to come. Records keep one shape (nothing is deleted from them).
 */
import type { CwlObject, CwlValue, EffectiveRequirements, Plan, Workflow, WorkflowStep } from '@weft/plan';
import type { BoundShard, Failure, FinalStatus, RunOptions } from './events.js';
import { type EngineRules, rulesOf } from './rules.js';
import type { ScatterShape, Shards } from './scatter.js';
import type { Topology } from './topology.js';

export type RunPhase = 'new' | 'running' | 'failing' | 'cancelling' | 'ended';
export type TaskStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';

/** Who waits for the outputs of a process that was activated. */
export type Owner = { kind: 'root' } | { kind: 'shard'; step: StepInstance; shard: number };

export interface TaskRecord {
  readonly taskId: string;
  /** Step path without scatter indexes: "qc/trim"; empty for a run of a single tool. */
  readonly step: string;
  /** Scatter indexes along the path: "3", "1,2", "3/0"; empty where nothing is scattered. */
  readonly index: string;
  readonly process: string;
  /** Shards of the scatter that it is one of; undefined where its step is not scattered. */
  readonly scatterSize: number | undefined;
  status: TaskStatus;
  attempt: number;
  runnerId: string | undefined;
  runtime: string | undefined;
  /** What its runner does with it before it starts, where that takes a while; its status is 'queued' then. */
  preparing: string | undefined;
  exitCode: number | undefined;
  cached: boolean;
  failure: Failure | undefined;
  queuedAtMs: number;
  startedAtMs: number | undefined;
  finishedAtMs: number | undefined;
  outputs: CwlObject | undefined;
  /** Kept while the task may have to be submitted again: until it has succeeded. */
  pending: PendingTask | undefined;
}

/** What a task's attempts are made of. */
export interface PendingTask {
  readonly inputs: CwlObject;
  readonly inherited: EffectiveRequirements;
  readonly owner: Owner;
  readonly expression: boolean;
  /** Runners on which it failed, and what its memory is multiplied by, in the attempts to come. */
  avoid?: string[];
  ramFactor?: number;
  /** The attempt that the last retry of the run began with: `maxAttempts` counts from it. Absent: 1. */
  firstAttempt?: number;
  /** An attempt that did not succeed may have changed files in place: there can be no other. */
  spoiled?: boolean;
}

/** One activation of a workflow. */
export interface Scope {
  /** Step path of the activation without indexes; empty for the root. */
  readonly path: string;
  readonly index: string;
  /** Step path with indexes: names the scope's steps in commands. */
  readonly node: string;
  readonly workflow: Workflow;
  readonly topology: Topology;
  readonly inherited: EffectiveRequirements;
  readonly owner: Owner;
  /** Scopes around it. */
  readonly depth: number;
  /** Values by source key (see `sourceKey`), while a step that is not done, or an output of the workflow, takes them. */
  readonly values: Map<string, CwlValue>;
  /** Of values that several take: how many are done with them. */
  readonly spent: Map<string, number>;
  readonly steps: Map<string, StepInstance>;
  pendingSteps: number;
}

export type StepPhase = 'waiting' | 'binding' | 'running' | 'done';

/** Shards of a step whose bindings are evaluated together. */
export interface BindingChunk {
  shards: { index: number; values: CwlObject }[];
  loop: boolean;
}

/** One step of one scope. */
export interface StepInstance {
  readonly scope: Scope;
  readonly step: WorkflowStep;
  /** Path with indexes, the step's own scatter index excluded: "a[3]/b". */
  readonly node: string;
  readonly effective: EffectiveRequirements;
  phase: StepPhase;
  /** Steps that it waits for. */
  needs: number;
  shape?: ScatterShape;
  /** Its shards, while some are to be begun: those from `nextShard` on. */
  shards?: Shards;
  nextShard: number;
  /** Outputs by shard; undefined while a shard runs. */
  results: (CwlObject | undefined)[];
  pendingShards: number;
  /** Loops: the iteration that runs now, the inputs it has and the outputs so far. */
  iteration: number;
  loopInputs?: CwlObject;
  loopOutputs: CwlObject[];
  /** The binding chunks whose answers are due, by their first shards. */
  dueBindings: Map<number, BindingChunk>;
}

/** A process that is to be started. */
export interface Activation {
  process: string;
  inputs: CwlObject;
  owner: Owner;
  /** Step path without and with indexes, and the indexes alone (see Scope). */
  path: string;
  node: string;
  index: string;
  /** Requirements of the scopes and the step around it. */
  inherited: EffectiveRequirements;
  /** Shards of the scatter that it is one of. */
  scatterSize?: number;
}

/** What one machine leaves to another, to the end of the turn, or to a retry of the run; `decide.ts` says which machine does it. */
export type Work =
  | { type: 'activate'; activation: Activation }
  | { type: 'complete'; owner: Owner; outputs: CwlObject }
  | { type: 'startStep'; step: StepInstance }
  | { type: 'beginShards'; step: StepInstance; room: number }
  | { type: 'askBindings'; step: StepInstance; shards: { index: number; values: CwlObject }[]; loop: boolean }
  | { type: 'runBound'; step: StepInstance; shards: BoundShard[] }
  | { type: 'nextIteration'; step: StepInstance; outputs: CwlObject }
  | { type: 'finishLoop'; step: StepInstance }
  | { type: 'finishStep'; step: StepInstance }
  | { type: 'stepDone'; step: StepInstance; outputs: CwlObject }
  | { type: 'finishScope'; scope: Scope }
  | { type: 'succeed'; outputs: CwlObject }
  | { type: 'retryTask'; task: TaskRecord };

/** Where in the run a task is: the steps around it, outermost first. */
export interface Place {
  /** Node and process of the scope. */
  scope: string;
  workflow: string;
  step: string;
  shard: number;
  iteration: number;
}

export interface FileUser {
  taskId: string;
  /** Of its step, for messages: "a/b", and the index of its shard. */
  step: string;
  index: string;
  places: readonly Place[];
}

/** By task. */
export interface FileUsers {
  readers: Map<string, FileUser>;
  writers: Map<string, FileUser>;
}

/** Who uses which files, as far as anybody changes files in place. */
export interface InPlaceBook {
  at: Map<string, FileUsers>;
  /** By directory, the locations below it that are in `at`. */
  below: Map<string, Set<string>>;
  users: Map<string, FileUser>;
}

export interface RunState {
  readonly plan: Plan;
  runId: string;
  phase: RunPhase;
  options: RunOptions;
  rules: EngineRules;
  /** Steps by node, while they are not done. */
  readonly steps: Map<string, StepInstance>;
  readonly tasks: Map<string, TaskRecord>;
  readonly topologies: Map<string, Topology>;
  readonly tally: Record<TaskStatus, number>;
  /** Tasks queued or running by step path; steps without any are not there. */
  readonly live: Map<string, number>;
  inFlight: number;
  /** Shards whose bindings are being evaluated. */
  binding: number;
  /** Scattered steps with shards that are to be begun; the next one is the last: the deepest, and of these the one that came first. */
  readonly unbegun: StepInstance[];
  /** Shards of all steps that are done, and iterations of loops: only what these took can have become needless. */
  doneShards: number;
  /** The root process' activation, where that is a workflow. */
  root?: Scope;
  /** Who uses which files, where the plan lets tasks change files in place. */
  inPlace?: InPlaceBook;
  /** What would have been next where the run had not stopped, in order. */
  parked: Work[];
  /** The first failure; in a run that goes on after failures, the reason why it will end as failed. */
  failure?: Failure;
  cancelReason?: string;
  /** Of a run that failed after it had gone on: those that it has. */
  outputs?: CwlObject;
  /** The root process' own outputs, whatever became of them when the run was sealed. */
  completed?: CwlObject;
  final?: FinalStatus;
  acceptedAtMs: number;
  /** When the run was last retried: deadlines count from it. */
  retriedAtMs?: number;
  startedAtMs?: number;
  endedAtMs?: number;
}

export function initialState(plan: Plan): RunState {
  return {
    plan,
    runId: '',
    phase: 'new',
    options: { noContainer: false, maxAttempts: 1 },
    rules: rulesOf(undefined),
    steps: new Map(),
    tasks: new Map(),
    topologies: new Map(),
    tally: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 },
    live: new Map(),
    inFlight: 0,
    binding: 0,
    unbegun: [],
    doneShards: 0,
    parked: [],
    acceptedAtMs: 0,
  };
}
