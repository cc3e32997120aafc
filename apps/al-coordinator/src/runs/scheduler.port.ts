/**
 * What the coordinator asks of the scheduler. Rejections are ServiceErrors.
 */
import type { run } from '@weft/contracts';

export interface RunRequest {
  document: run.DocumentBundle;
  inputsJson: string;
  name: string;
  projectId: string;
  labels: Record<string, string>;
  /** A retry with the same key gets the same run. */
  idempotencyKey: string;
  noContainer: boolean;
  /** Use results of earlier tasks, or none; undefined: as the service is set up. */
  cache: boolean | undefined;
}

export interface SchedulerPort {
  submit(request: RunRequest, signal: AbortSignal): Promise<string>;
  /** Replays the run's events, then follows until the run ends. */
  watch(runId: string, afterSequence: number, signal: AbortSignal): AsyncIterable<run.RunEvent>;
  cancel(runId: string, reason: string, signal: AbortSignal): Promise<void>;
}
