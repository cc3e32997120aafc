/** A task that fills its work directory with traps: what the runner opens there, and what it walks. */
import { run } from '@weft/contracts';
import { describeWithDocker, HardenedStack, START_TIMEOUT_MS, tool } from './hardened-stack.js';

describeWithDocker('a hardened stack', () => {
  let hardened: HardenedStack;
  beforeAll(async () => {
    hardened = await HardenedStack.start();
  }, START_TIMEOUT_MS);
  afterAll(() => hardened.stop());

  it('lets a neighbour begin beside a task that goes on', async () => {
    const runId = await hardened.submit(tool('sleep 100000'));
    await hardened.runs.untilRunning(runId);
    await hardened.neighbourRuns(runId);
    await hardened.runs.cancel(runId);
    const attack = await hardened.witness(runId);
    expect([attack.end.status, attack.attempts]).toEqual([run.RunStatus.CANCELLED, 1]);
    await hardened.expectUnharmed(attack);
  });
});
