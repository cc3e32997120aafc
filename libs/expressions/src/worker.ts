/** Worker thread: takes batches of evaluations and answers them in order. Bundled as `expression-worker.mjs`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Batch, EvaluationReply, EvaluationRequest, BatchReply, WorkerSetup } from './protocol.js';
import { Sandbox } from './sandbox.js';

/** Replies are handed over at least this often, so that the ones already known survive when this thread is killed. */
const REPLY_AFTER_MS = 20;

const setup = workerData as WorkerSetup;
const progress = new Float64Array(setup.progress);
const sandbox = new Sandbox(setup.limits, Date.now);
const port = parentPort;
if (!port) throw new Error('the expression worker is started as a worker thread');

/** The interpreter starts with the thread. Where that fails, the first evaluation tries again and says why. */
let queue: Promise<void> = sandbox.ready().then(
  () => undefined,
  () => undefined,
);
port.on('message', (batch: Batch) => {
  queue = queue.then(() => runBatch(batch, (reply) => port.postMessage(reply)));
});

async function runBatch(batch: Batch, answer: (reply: BatchReply) => void): Promise<void> {
  let replies: EvaluationReply[] = [];
  let answeredAt = Date.now();
  for (const request of batch.evaluations) {
    await sandbox.ready();
    if (progress[2] === 1) break;
    const startedAt = Date.now();
    if (startedAt - answeredAt > REPLY_AFTER_MS) {
      answer({ replies, done: false });
      replies = [];
      answeredAt = startedAt;
    }
    progress[1] = startedAt;
    progress[0] = request.id;
    replies.push(await evaluate(batch, request));
    progress[0] = 0;
  }
  answer({ replies, done: true });
}

async function evaluate(batch: Batch, request: EvaluationRequest): Promise<EvaluationReply> {
  const result = await sandbox.run({
    code: request.code,
    inputsJson: batch.texts[request.inputs] ?? 'null',
    selfJson: batch.texts[request.self] ?? 'null',
    runtimeJson: batch.texts[request.runtime] ?? 'null',
    library: batch.libraries[request.library] ?? [],
  });
  return { id: request.id, ...result };
}
