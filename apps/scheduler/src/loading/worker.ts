/** Loading thread: takes one task at a time. Bundled as `loading-worker.mjs`. */
import { writeJson } from '@weft/plan';
import { readlinkSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { fingerprintOf } from '../runs/fingerprint.js';
import { loadSubmission } from './load-submission.js';
import type { FromLoader, LoadingTask } from './protocol.js';

const port = parentPort;
if (!port) throw new Error('the loading worker is started as a worker thread');
const answer = (message: FromLoader): void => port.postMessage(message);

answer({ kind: 'started', threadPath: threadPath() });
port.on('message', (task: LoadingTask) => {
  run(task).then(answer, (error: unknown) => answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }));
});

async function run(task: LoadingTask): Promise<FromLoader> {
  if (task.kind === 'fingerprint') return { kind: 'fingerprint', fingerprint: fingerprintOf(task.request) };
  const { plan, inputs, ...rest } = await loadSubmission(task.request);
  return {
    kind: 'loaded',
    loaded: { ...rest, ...(plan && { planJson: writeJson(plan) }), ...(inputs && { inputsJson: writeJson(inputs) }) },
  };
}

/** Undefined where the system does not say. */
function threadPath(): string | undefined {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}`;
  } catch {
    return undefined;
  }
}
