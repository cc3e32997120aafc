/**
 * The run store in memory: same contract as the Redis adapter. Several stores over one FakeRunStoreData are several processes over one Redis.
 */
import type { RunStore } from '@weft/run-store';
import { FakeLeases, fakeTaskCancels } from './fake-leases.js';
import { FakeRunStoreData } from './fake-run-data.js';
import { FakeRunIntake } from './fake-run-intake.js';
import { FakeRunLog } from './fake-run-log.js';
import { FakeRunReader } from './fake-run-reader.js';
import { FakeRunRetention } from './fake-run-retention.js';
import { FakeTaskLogs } from './fake-task-logs.js';

export function createFakeRunStore(data = new FakeRunStoreData()): RunStore {
  const closing = new AbortController();
  const reader = new FakeRunReader(data, closing.signal);
  return {
    intake: new FakeRunIntake(data),
    log: new FakeRunLog(data, reader),
    leases: new FakeLeases(data),
    cancels: fakeTaskCancels(data),
    nudges: {
      subscribe: async (partition, onNudge, onReset) => {
        const stopListening = data.listen(partition, (runId, sequence) => sequence > 0 && onNudge(runId, sequence));
        const reset = (): void => onReset();
        data.resets.add(reset);
        const stop = (): void => {
          stopListening();
          data.resets.delete(reset);
        };
        closing.signal.addEventListener('abort', stop);
        return async () => stop();
      },
    },
    reader,
    retention: new FakeRunRetention(data),
    taskLogs: new FakeTaskLogs(data, closing.signal),
    open: () => Promise.resolve(),
    ping: () => Promise.resolve(),
    close: async () => closing.abort(),
  };
}
