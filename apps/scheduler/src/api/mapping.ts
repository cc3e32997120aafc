/** Run store and engine types ↔ weft.run.v1 messages. Numeric enums stop here. */
import { run as pb, status } from '@weft/contracts';
import type { Failure, TaskRecord } from '@weft/engine';
import type { RunHeader, RunObject, RunState, TaskLogChunk } from '@weft/run-store';
import { NO_OBJECT, shownObject, type ShownObject, TASK_OBJECT_BYTES } from './object-texts.js';

const LOG_STREAM: Record<TaskLogChunk['stream'], pb.LogStream> = {
  stdout: pb.LogStream.STDOUT,
  stderr: pb.LogStream.STDERR,
  system: pb.LogStream.SYSTEM,
};

const OBJECTS: Partial<Record<pb.ObjectKind, RunObject>> = { [pb.ObjectKind.INPUTS]: 'inputs', [pb.ObjectKind.OUTPUTS]: 'outputs' };

/** Undefined for UNSPECIFIED, and for what this version does not know. */
export const runObject = (value: pb.ObjectKind): RunObject | undefined => OBJECTS[value];

/** Undefined for what is no stream of a tool. */
export function toolStream(value: pb.LogStream): 'stdout' | 'stderr' | undefined {
  return value === pb.LogStream.STDOUT ? 'stdout' : value === pb.LogStream.STDERR ? 'stderr' : undefined;
}

export const runStatus = (state: RunState): pb.RunStatus => status.RUN_STATUS_OF[state];

/** Undefined for UNSPECIFIED. */
export const runState = (value: pb.RunStatus): RunState | undefined => status.runStatusWord(value);

/** A run as messages have it; without objects, as lists do. */
export function toRun(
  header: RunHeader,
  { inputs = NO_OBJECT, outputs = NO_OBJECT }: { inputs?: ShownObject; outputs?: ShownObject } = {},
): pb.Run {
  return {
    runId: header.runId,
    status: runStatus(header.state),
    name: header.name,
    projectId: header.projectId,
    planHash: header.planHash,
    submittedAt: new Date(header.submittedAtMs),
    startedAt: toDate(header.startedAtMs),
    retriedAt: toDate(header.retriedAtMs),
    finishedAt: toDate(header.finishedAtMs),
    inputsJson: inputs.json,
    inputsOmitted: inputs.omitted,
    outputsJson: outputs.json,
    outputsOmitted: outputs.omitted,
    failure: toFailure(header.failure),
    tasks: header.tasks,
    labels: header.labels,
    pool: header.pool,
    currentSteps: header.currentSteps,
  };
}

export function toTask(task: TaskRecord): pb.Task {
  const outputs = shownObject(task.outputs, TASK_OBJECT_BYTES);
  return {
    taskId: task.taskId,
    step: task.step,
    index: task.index,
    status: status.TASK_STATUS_OF[task.preparing === undefined ? task.status : 'preparing'],
    attempt: task.attempt,
    runnerId: task.runnerId ?? '',
    runtime: task.runtime ?? '',
    exitCode: task.exitCode,
    failure: toFailure(task.failure),
    queuedAt: new Date(task.queuedAtMs),
    startedAt: toDate(task.startedAtMs),
    finishedAt: toDate(task.finishedAtMs),
    outputsJson: outputs.json,
    outputsOmitted: outputs.omitted,
    cached: task.cached,
    scatterSize: task.scatterSize ?? 0,
    preparing: task.preparing ?? '',
  };
}

export function toFailure(failure: Failure | undefined): pb.Failure | undefined {
  if (!failure) return undefined;
  return {
    code: failure.code,
    message: failure.message,
    step: failure.step ?? '',
    index: failure.index ?? '',
    taskId: failure.taskId ?? '',
    exitCode: failure.exitCode,
    stderrTail: failure.stderrTail ?? [],
  };
}

export function toLogChunk(chunk: TaskLogChunk & { cursor: string }): pb.LogChunk {
  return {
    taskId: chunk.taskId,
    step: chunk.step,
    stream: LOG_STREAM[chunk.stream],
    text: chunk.text,
    at: new Date(chunk.atMs),
    cursor: chunk.cursor,
    attempt: chunk.attempt ?? 0,
    index: chunk.index ?? '',
    omitted: chunk.omitted,
  };
}

function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
