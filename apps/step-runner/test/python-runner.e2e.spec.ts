/** The example in Python (examples/python-runner) keeps the same contract as our own runner. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { callUnary, createClient, ServiceTls } from '@weft/platform';
import { makeAuthority, pythonRunnerUnavailable, startPythonRunner } from '@weft/testing';
import { executorContract } from './executor.contract.js';
import { type Launch, RunnerFixture, watch } from './runner.fixture.js';

const launch: Launch = async ({ listen, pool, sandboxRoot }) => {
  const program = await startPythonRunner({
    WEFT_HOME: sandboxRoot,
    WEFT_RUNNER_LISTEN: listen,
    WEFT_RUNNER_POOL: pool,
    WEFT_SANDBOX_ROOT: sandboxRoot,
  });
  return {
    address: String(program.ready['address']),
    close: async () => {
      const code = await program.stop();
      // What it could not handle is on stderr.
      if (code !== 0 || program.errors() !== '') throw new Error(`the runner ended with ${code}:\n${program.errors()}`);
    },
  };
};

const unavailable = pythonRunnerUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED the runner in Python: it ${unavailable}\n`);
const describeWithPython = unavailable === undefined ? describe : describe.skip;

describeWithPython('the runner in Python', () => {
  executorContract(() => new RunnerFixture('process', undefined, {}, launch));
});

describeWithPython('the runner in Python, full', () => {
  const runner = new RunnerFixture('process', undefined, {}, launch);
  beforeAll(() => runner.start());
  afterAll(() => runner.dispose());

  it('refuses what never fits, lets small tasks pass a big one that waits, and forgets one that is withdrawn', async () => {
    const { cores = 0 } = (await runner.describe()).capacity ?? {};
    const reserved = (share: number): { reserved: executor.Resources } => ({
      reserved: executor.Resources.create({ cores: cores * share }),
    });
    await expect(runner.run(runner.shell('true', reserved(2)))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    const holder = runner.shell('echo up; sleep 1000', reserved(0.5));
    const big = runner.shell('true', reserved(1));
    let held: Promise<unknown> | undefined;
    let after: Promise<unknown> | undefined;
    const first = await watch(runner.execute(holder), (seen) => {
      if (seen.handle === undefined || held !== undefined) return;
      held = watch(runner.execute(big), ({ events }) => {
        if (events.at(-1)?.event?.$case === 'queued') after ??= whileItWaits();
      });
    });
    expect(first.finished.outcome).toBe(executor.Outcome.CANCELLED);
    expect(await held).toMatchObject({ finished: { outcome: executor.Outcome.CANCELLED } });
    await after;
    expect((await runner.run(big)).finished.exitCode).toBe(0);

    async function whileItWaits(): Promise<void> {
      expect(await runner.describe()).toMatchObject({ inUse: { cores: cores * 0.5 }, tasksAdmitted: 1, tasksWaiting: 1 });
      expect((await runner.run(runner.shell('true', reserved(0.5)))).finished.exitCode).toBe(0);
      const withdraw = { taskId: big.taskId, attempt: 1, graceMs: 0, waitingOnly: true };
      await callUnary(runner.client, runner.client.cancel, withdraw);
      await callUnary(runner.client, runner.client.cancel, { ...withdraw, taskId: holder.taskId });
      expect(await runner.describe()).toMatchObject({ tasksAdmitted: 1, tasksWaiting: 0 });
      await runner.cancel(holder);
    }
  });
});

describeWithPython('the runner in Python, between hosts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-python-runner-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const home = { WEFT_HOME: folder, WEFT_SANDBOX_ROOT: join(folder, 'sandboxes') };

  async function describeItself(address: string, secret?: string, tls?: ServiceTls): Promise<string> {
    const client = createClient(executor.ContainerExecutorClient, address, secret, tls);
    try {
      return (await callUnary(client, client.describe, {})).runnerId;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      client.close();
    }
  }

  it('refuses an address that other machines can reach without secret or TLS', async () => {
    await expect(startPythonRunner({ ...home, WEFT_RUNNER_LISTEN: '0.0.0.0:0' })).rejects.toThrow('without a service secret or TLS');
  });

  it('answers who has the secret', async () => {
    const env = { WEFT_RUNNER_LISTEN: '0.0.0.0:0', WEFT_RUNNER_ID: 'py', WEFT_SERVICE_SECRET: 'hunter2' };
    const runner = await startPythonRunner({ ...home, ...env });
    const address = String(runner.ready['address']).replace('0.0.0.0', '127.0.0.1');
    expect(await describeItself(address)).toBe('UNAUTHENTICATED');
    expect(await describeItself(address, 'hunter2')).toBe('py');
    expect(await runner.stop()).toBe(0);
  });

  it('answers who has a certificate of its authority', async () => {
    const quiet = { info: (): void => undefined, warn: (): void => undefined };
    const [ours, theirs] = [makeAuthority(join(folder, 'ours')), makeAuthority(join(folder, 'theirs'))];
    const own = ours.issue('runner', ['IP:127.0.0.1']);
    const tls = { WEFT_TLS_CERT: own.cert, WEFT_TLS_KEY: own.key, WEFT_TLS_CA: own.ca };
    const runner = await startPythonRunner({ ...home, ...tls, WEFT_RUNNER_LISTEN: '127.0.0.1:0', WEFT_RUNNER_ID: 'py' });
    const address = String(runner.ready['address']);
    expect(await describeItself(address)).toBe('UNAVAILABLE');
    const stranger = theirs.issue('stranger', ['IP:127.0.0.1']);
    expect(await describeItself(address, undefined, new ServiceTls({ ...stranger, ca: own.ca }, quiet))).toBe('UNAVAILABLE');
    expect(await describeItself(address, undefined, new ServiceTls(own, quiet))).toBe('py');
    expect(await runner.stop()).toBe(0);
  });
});
