/**
 * What dies comes back and goes on: the scheduler and the step-runner are killed while a step is at work.
 */
import { ContainerEvents, describeWithDocker } from './docker.js';
import { begun, DOCKER, endsWell } from './gated-run.js';
import { Runs } from './runs-client.js';
import { type Gate, Stack, START_TIMEOUT_MS } from './stack.js';

let stack: Stack;
let runs: Runs;
let gate: Gate;

beforeAll(async () => {
  stack = await Stack.start();
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
beforeEach(() => {
  gate = stack.fifo('pipe');
});
afterAll(async () => {
  runs.close();
  await stack.stop();
});

it(
  'the scheduler: a process goes on and its run ends with the right output',
  async () => {
    const runId = await begun(runs, gate);
    await stack.killAndAwaitReturn('scheduler');
    await endsWell(stack, runs, gate, runId);
  },
  START_TIMEOUT_MS,
);

describeWithDocker('with a container at work', () => {
  it.each(['scheduler', 'step-runner'])(
    'the %s: the same container goes on and its run ends with the right output',
    async (victim) => {
      const events = await ContainerEvents.open();
      const runId = await begun(runs, gate, DOCKER);
      const { id } = await events.of(runId, 'start');
      await stack.killAndAwaitReturn(victim);
      await endsWell(stack, runs, gate, runId);
      await events.of(runId, 'destroy');
      expect(events.all(runId).filter(({ action }) => action === 'start')).toMatchObject([{ id }]);
      events.close();
    },
    START_TIMEOUT_MS,
  );
});
