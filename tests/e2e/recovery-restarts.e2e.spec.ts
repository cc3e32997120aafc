/**
 * All of it dies and comes back: every program at once, with and without its tasks; and Redis alone, while runs are being submitted.
 */
import { type AddressInfo, createServer } from 'node:net';
import { run } from '@weft/contracts';
import { isServiceError } from '@weft/platform';
import { ContainerEvents, describeWithDocker } from './docker.js';
import { begun, DOCKER, endedWell, endsWell } from './gated-run.js';
import { Runs } from './runs-client.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

let stack: Stack;
let runs: Runs;

beforeAll(async () => {
  // A gateway that is started again answers where it did.
  stack = await Stack.start({ WEFT_GRPC_LISTEN: `127.0.0.1:${await freePort()}` });
  runs = new Runs(stack.grpc);
}, START_TIMEOUT_MS);
afterAll(async () => {
  runs.close();
  await stack.stop();
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** SIGKILL for everything, then `weft up`. */
async function powerCut(): Promise<void> {
  await stack.killEverything();
  runs.close();
  await stack.comeBack();
  runs = new Runs(stack.grpc);
}

it(
  'every program is killed: a process is begun again, because it died with its runner, and the run ends right',
  async () => {
    const gate = stack.fifo('pipe');
    const runId = await begun(runs, gate);
    await powerCut();
    gate.open();
    await endedWell(runs, gate, runId, 2);
    await stack.noSandboxLeft();
  },
  START_TIMEOUT_MS,
);

describeWithDocker('with a container at work', () => {
  it(
    'each service may be killed during one run, twice in a row',
    async () => {
      const gate = stack.fifo('pipe');
      const runId = await begun(runs, gate, DOCKER);
      for (const victim of ['step-runner', 'scheduler', 'redis', 'gateway', 'step-runner', 'scheduler', 'redis', 'gateway'])
        await stack.killAndAwaitReturn(victim);
      await endsWell(stack, runs, gate, runId);
    },
    START_TIMEOUT_MS,
  );

  it(
    'the same container goes on while every program is killed, twice in a row',
    async () => {
      const events = await ContainerEvents.open();
      const gate = stack.fifo('pipe');
      const runId = await begun(runs, gate, DOCKER);
      const { id } = await events.of(runId, 'start');
      await powerCut();
      await powerCut();
      await endsWell(stack, runs, gate, runId);
      await events.of(runId, 'destroy');
      expect(events.all(runId).filter(({ action }) => action === 'start')).toMatchObject([{ id }]);
      events.close();
    },
    START_TIMEOUT_MS,
  );
});

/** Ends at once: what is tested is that it is there. */
const PLUS_ONE = {
  cwlVersion: 'v1.2',
  class: 'ExpressionTool',
  requirements: { InlineJavascriptRequirement: {} },
  inputs: { n: 'int' },
  outputs: { n: 'int' },
  expression: '${ return { n: inputs.n + 1 }; }',
};
const SUBMISSIONS = 200;

it(
  'Redis restarts while 200 runs are submitted: each that was acknowledged ends, and a repeated one is the same run',
  async () => {
    const acknowledged = new Map<number, string>();
    const refused = new Map<number, string>();
    const submit = async (n: number): Promise<void> => {
      try {
        acknowledged.set(n, await runs.submit(PLUS_ONE, { n }, { idempotencyKey: `load-${n}`, projectId: 'load' }));
      } catch (error) {
        if (!isServiceError(error)) throw error;
        refused.set(n, error.code);
      }
    };
    let restarted: Promise<void> | undefined;
    const numbers = Array.from({ length: SUBMISSIONS }, (_, n) => n);
    const lane = async (): Promise<void> => {
      for (let n = numbers.shift(); n !== undefined; n = numbers.shift()) {
        // In the middle of it all.
        if (n === SUBMISSIONS / 4) restarted = stack.killAndAwaitReturn('redis');
        await submit(n);
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    await restarted;
    expect([...refused.values()].filter((code) => !['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL'].includes(code))).toEqual([]);
    const before = new Map(acknowledged);
    for (let n = 0; n < SUBMISSIONS; n++) await submit(n);
    for (const [n, runId] of before) expect(acknowledged.get(n)).toBe(runId);
    expect(new Set(acknowledged.values()).size).toBe(SUBMISSIONS);
    for (const [n, runId] of acknowledged)
      expect(await runs.end(runId)).toMatchObject({ status: run.RunStatus.SUCCEEDED, outputsJson: JSON.stringify({ n: n + 1 }) });
  },
  START_TIMEOUT_MS,
);
