/** What the service and its loading threads say to each other. What is large travels as text: a tree would be copied node by node, on both threads. */
import type { scheduler } from '@weft/contracts';
import type { Loaded, LoadRequest } from './load-submission.js';

export type LoadingTask = { kind: 'load'; request: LoadRequest } | { kind: 'fingerprint'; request: scheduler.SubmitRunRequest };

export type LoadedTexts = Omit<Loaded, 'plan' | 'inputs'>;

export type FromLoader = { kind: 'loaded'; loaded: LoadedTexts } | { kind: 'fingerprint'; fingerprint: string };
