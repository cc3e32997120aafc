import { createFakeResultStore, FakeResultData } from './fake-result-store.js';
import { resultStoreContract } from './result-store.contract.js';

describe('fake result store', () => {
  resultStoreContract(async () => {
    let nowMs = 1_000_000;
    const data = new FakeResultData(() => nowMs);
    return {
      one: createFakeResultStore(data),
      two: createFakeResultStore(data),
      lapse: async () => void (nowMs += 3_600_000),
      close: async () => undefined,
    };
  });
});
