/**
 * Two schedulers over one Redis: either goes on with what the other had, and a cancel reaches tasks that the other follows.
 */
import { run } from '@weft/contracts';
import { begun, endedWell, endsWell } from './gated-run.js';
import { Replica } from './replica.js';
import { Runs } from './runs-client.js';
import { type Gate, Stack, START_TIMEOUT_MS } from './stack.js';

const RUNS = 6;

let stack: Stack;
let runs: Runs;

beforeAll(async () => {
  // The tasks of a whole test stand before their gates at the same time.
  stack = await Stack.start({ WEFT_RUNNER_CORES: String(2 * RUNS) });
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
afterAll(async () => {
  runs.close();
  await stack.stop();
});

/** Several runs, each with its first step before a gate of its own. */
async function several(): Promise<{ runId: string; gate: Gate }[]> {
  const gates = Array.from({ length: RUNS }, () => stack.fifo('pipe'));
  return Promise.all(gates.map(async (gate) => ({ gate, runId: await begun(runs, gate) })));
}

it(
  'one that stops answering: the other takes its runs and its tasks, and it does no harm when it comes back',
  async () => {
    const other = await Replica.start(stack, 'other');
    const begunRuns = await several();
    await stack.signal('scheduler', 'SIGSTOP');
    for (const { gate } of begunRuns) gate.open();
    for (const { runId, gate } of begunRuns) await endedWell(other, gate, runId);
    await stack.signal('scheduler', 'SIGCONT');
    await stack.noSandboxLeft();
    expect(await other.stop()).toBe(0);
    const gate = stack.fifo('pipe');
    await endsWell(stack, runs, gate, await begun(runs, gate));
  },
  START_TIMEOUT_MS,
);

it(
  'one that is killed: the other goes on with what it had begun',
  async () => {
    const other = await Replica.start(stack, 'killed');
    const begunRuns = await several();
    await other.stop('SIGKILL');
    for (const { gate } of begunRuns) gate.open();
    for (const { runId, gate } of begunRuns) await endedWell(runs, gate, runId);
    await stack.noSandboxLeft();
  },
  START_TIMEOUT_MS,
);

it(
  'a cancel stops the tasks of both',
  async () => {
    const other = await Replica.start(stack, 'cancelling');
    const begunRuns = await several();
    await Promise.all(begunRuns.map(({ runId }) => runs.cancel(runId)));
    for (const { runId } of begunRuns) expect(await runs.end(runId)).toMatchObject({ status: run.RunStatus.CANCELLED });
    // A tool that still ran would keep its sandbox: its gate was never opened.
    await stack.noSandboxLeft();
    expect(await other.stop()).toBe(0);
  },
  START_TIMEOUT_MS,
);

it(
  'runs are shared out to one that joins, and given back by one that leaves',
  async () => {
    const gate = stack.fifo('pipe');
    const runId = await begun(runs, gate);
    for (const name of ['first', 'second']) expect(await (await Replica.start(stack, name)).stop()).toBe(0);
    await endsWell(stack, runs, gate, runId);
  },
  START_TIMEOUT_MS,
);
