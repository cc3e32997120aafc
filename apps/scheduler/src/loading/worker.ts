/** Loading thread. Bundled as `loading-worker.mjs`. */
import { writeJson } from '@weft/plan';
import { serveTasks } from '@weft/threads/serve';
import { fingerprintOf } from './fingerprint.js';
import { loadSubmission } from './load-submission.js';
import type { FromLoader, LoadingTask } from './protocol.js';

serveTasks(async (task: LoadingTask): Promise<FromLoader> => {
  if (task.kind === 'fingerprint') return { kind: 'fingerprint', fingerprint: fingerprintOf(task.request) };
  const { plan, inputs, ...rest } = await loadSubmission(task.request);
  return {
    kind: 'loaded',
    loaded: { ...rest, ...(plan && { planJson: writeJson(plan) }), ...(inputs && { inputsJson: writeJson(inputs) }) },
  };
});
