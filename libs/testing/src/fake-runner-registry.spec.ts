/** The fake registry keeps the contract; its clock is the test's. */
import { aRunner } from './builders.js';
import { FakeRegistryData, createFakeRunnerRegistry } from './fake-runner-registry.js';
import { runnerRegistryContract } from './runner-registry.contract.js';

describe('fake runner registry', () => {
  runnerRegistryContract(async () => {
    const data = new FakeRegistryData();
    const [one, two] = [createFakeRunnerRegistry(data), createFakeRunnerRegistry(data)];
    return { one, two, close: async () => void (await Promise.all([one.close(), two.close()])) };
  });

  it('lapses by the clock it was given', async () => {
    let nowMs = 1000;
    const registry = createFakeRunnerRegistry(new FakeRegistryData(() => nowMs));
    await registry.register(aRunner(), 100);
    nowMs = 1099;
    expect(await registry.list()).toMatchObject([{ lastSeenMs: 1000 }]);
    nowMs = 1100;
    expect(await registry.list()).toEqual([]);
  });
});
