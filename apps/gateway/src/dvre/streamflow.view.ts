/** Runs in the words of the DVRE dialect. */
import type { run, status } from '@weft/contracts';
import { iso, jsonObject, runStatusWord } from '../runs/run.view.js';
import type { DVRE_STATUS_WORDS, WorkflowStatus, WorkflowSummary } from './streamflow.schemas.js';

const STATUS: Record<status.RunStatusWord, (typeof DVRE_STATUS_WORDS)[number]> = {
  pending: 'PENDING',
  running: 'RUNNING',
  cancelling: 'RUNNING',
  succeeded: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'TERMINATED',
};

/** The pool behind a deployment: `local` and `docker` are how a task runs, not where, so both mean the default pool. */
export function poolOf(deployment: string): string {
  return deployment === 'local' || deployment === 'docker' ? 'default' : deployment;
}

/** The deployment as the client named it; for runs of other interfaces, their pool. */
function deploymentOf(found: run.Run): string {
  return found.labels['deployment'] ?? (found.pool === 'default' || found.pool === '' ? 'local' : found.pool);
}

/** Finished tasks of those known, 0..1. It is 1 only once the run succeeded: later scatters may still add tasks. */
function progressOf(found: run.Run): number {
  const word = runStatusWord(found.status);
  if (word === 'succeeded') return 1;
  if (!found.tasks || found.tasks.known === 0) return 0;
  const { succeeded, failed, cancelled, skipped, known } = found.tasks;
  return Math.min(0.99, Math.floor(((succeeded + failed + cancelled + skipped) / known) * 100) / 100);
}

export function statusView(found: run.Run): WorkflowStatus {
  return {
    ...summaryOf(found),
    progress: progressOf(found),
    current_step: currentStep(found),
    output: jsonObject(found.outputsJson, 'the output object'),
    ...(found.outputsOmitted && { output_omitted: true as const }),
    error: found.failure?.message ?? null,
    estimated_completion: null,
    execution_engine: 'weft',
    deployment: deploymentOf(found),
    started_at: iso(found.startedAt),
    completed_at: iso(found.finishedAt),
  };
}

export function summaryOf(found: run.Run): WorkflowSummary {
  return {
    workflow_id: found.runId,
    status: STATUS[runStatusWord(found.status)],
    submitted_at: iso(found.submittedAt),
    project_id: found.projectId || null,
    contract_address: found.labels['contract_address'] ?? null,
  };
}

/** The first step at work; a run of a single tool has one without a name, which is called main. */
function currentStep(found: run.Run): string | null {
  const [first] = found.currentSteps;
  return first === '' ? 'main' : (first ?? null);
}
