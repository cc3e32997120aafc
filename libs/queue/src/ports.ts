/**
 * The task queue: one BullMQ job per task attempt, one queue per pool.
 *
 * Invariants:
 *  1. The job id is the task's id and attempt: adding twice while the job exists adds once.
 *  2. A job is handed to one consumer at a time; if that consumer dies, to another.
 *  3. The handler's promise decides: resolved = done, and the same id may be added again; rejected = handed out again, after the error's
 *     `retryAfterMs` where it has one, else with back-off; never given up.
 *  4. Of a job that is done, long inputs are not kept.
 */
import type { CwlObject, JsonLimits } from '@weft/plan';

/** Inputs of more are long for a queue, which has every job whole in Redis. */
export const LONG_JOB: JsonLimits = { chars: 64 * 1024, values: 8 * 1024 };

export interface TaskJob {
  runId: string;
  taskId: string;
  attempt: number;
  /** Step path and scatter index, for people who look at the board. */
  step: string;
  index: string;
  pool: string;
  planHash: string;
  processId: string;
  inputs: CwlObject;
  /** Inputs that are not in `inputs`, because they are long and are the run's own: by name, what each is called there. */
  fromRun?: Record<string, string>;
  /** Effective requirements of the scopes around the tool (not its own). */
  inherited: { requirements: import('@weft/plan').Requirement[]; hints: import('@weft/plan').Requirement[] };
  options: {
    noContainer: boolean;
    defaultContainer?: string;
    cache?: boolean;
    noCache?: boolean;
    /** What the task sees of whoever submitted the run. */
    caller?: { path?: string; umask?: number; environment?: Record<string, string> };
    /** What opens the secrets among its inputs. */
    sealedFor?: string;
  };
  /** Runners on which earlier attempts failed: others are tried first. */
  avoid?: string[];
  /** Memory is reserved and limited times this, after attempts that were killed for theirs; absent = 1. */
  ramFactor?: number;
  /** Whose results may be reused, and whose limits apply. */
  projectId?: string;
  /** The attempt was begun before, by a consumer that is gone: its job is added again in case the queue has lost it. */
  begun?: boolean;
  /** 0 = default and first; then 1, 2, …: greater runs later. */
  priority: number;
}

export type JobRef = Pick<TaskJob, 'pool' | 'taskId' | 'attempt'>;

export interface TaskQueue {
  add(jobs: TaskJob[]): Promise<void>;
  /**
   * Takes out jobs that were never handed out. Gives those that it leaves, because a consumer has one or had: whoever gets it next goes on with
   * what that one began.
   */
  remove(jobs: JobRef[]): Promise<JobRef[]>;
  depth(pool: string): Promise<{ waiting: number; active: number; delayed: number; failed: number }>;
  close(): Promise<void>;
}

/** `again`: the job was handed out before, to a consumer that rejected it or died; what that one began may still be going on. */
export interface Delivery {
  again: boolean;
}

export type TaskHandler = (job: TaskJob, signal: AbortSignal, delivery: Delivery) => Promise<void>;

export interface TaskConsumer {
  /** Starts taking jobs of a pool, at most `concurrency` at a time. */
  consume(pool: string, concurrency: number, handler: TaskHandler): Promise<void>;
  /** Stops taking; running handlers get their signal aborted and are waited for. */
  close(): Promise<void>;
}
