import { jest } from '@jest/globals';
import { IdleWatch } from './idle.js';

/** A stack whose runs finish when the test says so. */
function stack(): {
  idle: IdleWatch;
  left: () => number;
  finish: () => Promise<void>;
  fail: (error: Error) => Promise<void>;
  errors: Error[];
} {
  let leaves = 0;
  let settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const errors: Error[] = [];
  const idle = new IdleWatch({
    lingerMs: 5_000,
    runsFinished: (signal) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
    leave: () => (leaves += 1),
    failed: (error) => errors.push(error),
  });
  const flush = async (): Promise<void> => {
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
  };
  return {
    idle,
    errors,
    left: () => leaves,
    finish: () => (settle?.resolve(), flush()),
    fail: (error) => (settle?.reject(error), flush()),
  };
}

describe('IdleWatch', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('goes after the linger time once the last connection is gone and no run is active', async () => {
    const { idle, left, finish } = stack();
    idle.connected();
    idle.disconnected();
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
    await finish();
    jest.advanceTimersByTime(4_999);
    expect(left()).toBe(0);
    jest.advanceTimersByTime(1);
    expect(left()).toBe(1);
  });

  it('stays when a connection comes back, before and after the runs finished', async () => {
    const { idle, left, finish } = stack();
    idle.connected();
    idle.disconnected();
    await finish();
    idle.connected();
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
    idle.disconnected();
    idle.connected();
    await finish();
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
  });

  it('stays while another connection is open', async () => {
    const { idle, left, finish } = stack();
    idle.connected();
    idle.connected();
    idle.disconnected();
    await finish();
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
  });

  it('stays for good when it is kept', async () => {
    const { idle, left, finish } = stack();
    idle.connected();
    idle.keep();
    idle.disconnected();
    await finish();
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
  });

  it('stays and says so when the runs cannot be looked at', async () => {
    const { idle, left, fail, errors } = stack();
    idle.connected();
    idle.disconnected();
    await fail(new Error('no answer'));
    jest.advanceTimersByTime(60_000);
    expect(left()).toBe(0);
    expect(errors.map((error) => error.message)).toEqual(['no answer']);
  });
});
