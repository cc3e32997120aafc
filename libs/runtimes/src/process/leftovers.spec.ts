import { readFileSync } from 'node:fs';
import { isGone, leftoversOf } from './leftovers.js';

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

// A process that ends between two looks at /proc must not stop the sweep; under Jest such an error is of another realm.
it('recognises what is gone by the code of the error alone', () => {
  expect(isGone(errorOf(() => readFileSync('/proc/0/stat')))).toBe(true);
  expect(isGone(errorOf(() => process.kill(2 ** 22 + 1, 0)))).toBe(true);
  expect(isGone(errorOf(() => readFileSync('/proc')))).toBe(false);
  expect([isGone(undefined), isGone(null), isGone('ENOENT')]).toEqual([false, false, false]);
});

describe('within one tick of the clock', () => {
  const member = (pid: number, parent: number) => ({ pid, parent, group: 10, startedAt: 7 });
  it('an older process of an earlier task is a leftover', () => expect(leftoversOf(10, [member(11, 1), member(12, 10)])).toEqual([11]));
  it('a child of the task is none', () => expect(leftoversOf(10, [member(12, 10), member(13, 12)])).toEqual([]));
  it('nor is one whose pid began again at the bottom', () =>
    expect(leftoversOf(10, [member(99, 10), member(11, 99), member(12, 11)])).toEqual([]));
});
