/**
 * What the CLI needs of whoever runs runs: the scheduler of a local stack, or a gateway somewhere.
 */
import type { gateway, run, scheduler } from '@weft/contracts';

export interface Submission extends scheduler.RunOptions {
  document: run.DocumentBundle;
  /** The CWL input object, JSON. */
  inputsJson: string;
  inputsBaseUri: string;
  name: string;
  projectId: string;
  pool: string;
  labels: Record<string, string>;
  idempotencyKey: string;
}

export interface Submitted {
  run: run.Run;
  /** The idempotency key had been seen before. */
  existing: boolean;
  diagnostics: run.Diagnostic[];
}

/** The last event that was seen; sequence 0: none. */
export interface ResumePoint {
  afterSequence: number;
  afterOrdinal?: number;
}

export interface RunFilter {
  projectId: string;
  /** Only runs of no project. */
  withoutProject?: boolean;
  statuses: run.RunStatus[];
  pageSize: number;
  pageToken: string;
}

/** Every rejection is a ServiceError. */
export interface RunsClient {
  submit(submission: Submission): Promise<Submitted>;
  get(runId: string): Promise<run.Run>;
  /** An object of the run, in pieces. */
  object(runId: string, kind: run.ObjectKind): AsyncIterable<run.ObjectData>;
  /** Without inputs and outputs. */
  list(filter: RunFilter): Promise<{ runs: run.Run[]; nextPageToken: string }>;
  tasks(runId: string, pageToken: string): Promise<{ tasks: run.Task[]; nextPageToken: string }>;
  watch(runId: string, after: ResumePoint, signal?: AbortSignal): AsyncIterable<run.RunEvent>;
  logs(query: { runId: string; taskId: string; follow: boolean; afterCursor: string }, signal?: AbortSignal): AsyncIterable<run.LogChunk>;
  /** All that an attempt wrote to one stream; attempt 0 = the latest. */
  taskLog(query: gateway.TaskLogRequest): AsyncIterable<run.LogData>;
  cancel(runId: string, reason: string): Promise<run.Run>;
  retry(runId: string): Promise<run.Run>;
  /** A run that has ended, with all that it published; or only the whole logs of its tasks. */
  remove(runId: string, onlyLogs?: boolean): Promise<void>;
  trimCallCache(keepBytes: number): Promise<{ removed: number; bytes: number }>;
  close(): void;
}
