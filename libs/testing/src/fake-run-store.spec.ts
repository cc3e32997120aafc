/** The fake run store keeps the contract. */
import { FakeRunStoreData } from './fake-run-data.js';
import { createFakeRunStore } from './fake-run-store.js';
import { runStoreContract } from './run-store.contract.js';

describe('fake run store', () => {
  runStoreContract(async () => {
    const data = new FakeRunStoreData();
    const [one, two] = [createFakeRunStore(data), createFakeRunStore(data)];
    return { one, two, close: async () => void (await Promise.all([one.close(), two.close()])) };
  });
});
