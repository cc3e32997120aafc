/** What the service and its loading threads say to each other. What is large travels as text: a tree would be copied node by node, on both threads. */
import type { scheduler } from '@weft/contracts';
import type { Loaded, LoadRequest } from './load-submission.js';

export type LoadingTask = { kind: 'load'; request: LoadRequest } | { kind: 'fingerprint'; request: scheduler.SubmitRunRequest };

export interface LoadedTexts extends Omit<Loaded, 'plan' | 'inputs'> {
  planJson?: string;
  inputsJson?: string;
}

/** First what the thread is called, for its processor time; then one answer for each task. */
export type FromLoader =
  | { kind: 'started'; threadPath: string | undefined }
  | { kind: 'loaded'; loaded: LoadedTexts }
  | { kind: 'fingerprint'; fingerprint: string }
  | { kind: 'failed'; message: string };
