/**
 * Protobuf messages → the JSON of the REST API.
 *
 * Invariants: numeric enums stop here; the tables stop compiling when the protos gain a value, and a value that is in no table is an error.
 */
import { readJson } from '@weft/plan';
import { run, status } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { z } from 'zod';
import type { DiagnosticView, FailureView, RunSummary, RunView, TaskView } from './runs.schemas.js';

const SEVERITY: Record<Exclude<run.Severity, run.Severity.UNSPECIFIED>, 'error' | 'warning' | 'note'> = {
  [run.Severity.ERROR]: 'error',
  [run.Severity.WARNING]: 'warning',
  [run.Severity.NOTE]: 'note',
};

/** The word for a numeric enum value. @throws ServiceError INTERNAL for a value without a word. */
export function wordOf<W extends string>(table: Record<number, W>, value: number, what: string): W {
  return named(table[value], value, what);
}

function named<W extends string>(word: W | undefined, value: number, what: string): W {
  if (word === undefined) throw new ServiceError('INTERNAL', `${what} ${value} has no name here: the services are of different versions`);
  return word;
}

export const runStatusWord = (value: run.RunStatus): status.RunStatusWord => named(status.runStatusWord(value), value, 'run status');

export const iso = (at: Date | undefined): string | null => at?.toISOString() ?? null;

/** A JSON object another service sent; null where it sent none. @throws ServiceError INTERNAL where it is no JSON object. */
export function jsonObject(text: string, what: string): Record<string, unknown> | null {
  if (text === '') return null;
  let value: unknown;
  try {
    value = readJson(text);
  } catch (error) {
    throw new ServiceError('INTERNAL', `${what} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ServiceError('INTERNAL', `${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

export function failureView(failure: run.Failure | undefined): z.infer<typeof FailureView> | null {
  if (!failure) return null;
  const { code, message, step, index, taskId, exitCode, stderrTail } = failure;
  return { code, message, step, index, task_id: taskId, exit_code: exitCode ?? null, stderr_tail: stderrTail };
}

export function runView(found: run.Run): RunView {
  return {
    ...runSummary(found),
    inputs: found.inputsOmitted ? null : (jsonObject(found.inputsJson, 'the input object') ?? {}),
    outputs: jsonObject(found.outputsJson, 'the output object'),
    inputs_omitted: found.inputsOmitted,
    outputs_omitted: found.outputsOmitted,
  };
}

export function runSummary(found: run.Run): RunSummary {
  const counts = found.tasks ?? run.TaskCounts.fromPartial({});
  return {
    run_id: found.runId,
    status: runStatusWord(found.status),
    name: found.name,
    project_id: found.projectId,
    pool: found.pool,
    plan_hash: found.planHash,
    labels: found.labels,
    submitted_at: iso(found.submittedAt),
    started_at: iso(found.startedAt),
    retried_at: iso(found.retriedAt),
    finished_at: iso(found.finishedAt),
    failure: failureView(found.failure),
    tasks: {
      queued: counts.queued,
      running: counts.running,
      succeeded: counts.succeeded,
      failed: counts.failed,
      cancelled: counts.cancelled,
      skipped: counts.skipped,
      known: counts.known,
    },
    current_steps: found.currentSteps,
  };
}

export function taskView(task: run.Task): TaskView {
  return {
    task_id: task.taskId,
    step: task.step,
    index: task.index,
    status: named(status.taskStatusWord(task.status), task.status, 'task status'),
    preparing: task.preparing,
    attempt: task.attempt,
    runner_id: task.runnerId,
    runtime: task.runtime,
    exit_code: task.exitCode ?? null,
    cached: task.cached,
    failure: failureView(task.failure),
    queued_at: iso(task.queuedAt),
    started_at: iso(task.startedAt),
    finished_at: iso(task.finishedAt),
    outputs: jsonObject(task.outputsJson, "the task's outputs"),
    outputs_omitted: task.outputsOmitted,
  };
}

export function diagnosticView(diagnostic: run.Diagnostic): z.infer<typeof DiagnosticView> {
  const { severity, code, message, file, line, column, endLine, endColumn, hint } = diagnostic;
  const view = {
    severity: wordOf(SEVERITY, severity, 'severity'),
    code,
    message,
    file,
    line,
    column,
    end_line: endLine,
    end_column: endColumn,
  };
  return hint === '' ? view : { ...view, hint };
}
