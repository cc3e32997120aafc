/**
 * `weft down`: stops the stack of this WEFT_HOME, kept or embedded, and returns when everything has ended. What is under way is kept, and said;
 * `--cancel` ends it first.
 */
import { withSchedulerOf } from '../client/connect.js';
import { followRun } from '../client/follow-run.js';
import type { RunsClient } from '../client/runs-client.js';
import { areKept, unfinishedRuns } from '../client/unfinished.js';
import { homeOf } from '../home.js';
import { CANCEL_LIMIT_MS } from '../interrupts.js';
import { connectToStack, type StackConnection } from '../stack/connect.js';

/** Milliseconds that the scheduler gets to say what is under way: a stack that cannot is stopped all the same. */
const ANSWER_MS = 3_000;

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function downCommand(options: { cancel?: boolean } = {}): Promise<void> {
  const stack = await connectToStack(homeOf());
  if (stack === undefined) return say('no stack is running');
  await settleRuns(stack, options.cancel ?? false);
  stack.send({ type: 'stop' });
  await stack.closed();
  say('stopped');
}

async function settleRuns(stack: StackConnection, cancel: boolean): Promise<void> {
  const status = await stack.status(() => true).catch(() => undefined);
  if (status?.state !== 'ready') return;
  try {
    await withSchedulerOf(status, async (runs) => {
      const unfinished = await within(ANSWER_MS, unfinishedRuns(runs));
      if (unfinished.length === 0) return;
      if (cancel)
        await within(
          CANCEL_LIMIT_MS,
          cancelAll(
            runs,
            unfinished.map(({ runId }) => runId),
          ),
        );
      else say(areKept(unfinished));
    });
  } catch (error) {
    say(`${cancel ? 'not every run could be cancelled' : 'the scheduler does not say what is under way'}: ${(error as Error).message}`);
  }
}

async function cancelAll(runs: RunsClient, runIds: string[]): Promise<void> {
  for (const runId of runIds) await runs.cancel(runId, 'the stack is stopped (weft down --cancel)');
  for (const runId of runIds) for await (const event of followRun(runs, runId)) void event;
  say(`cancelled ${runIds.join(', ')}`);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
