/** What was just written is given once, and not kept for those who do not ask. */
import { jest } from '@jest/globals';
import { RecentInputs } from './recent-inputs.js';

it('gives each once', () => {
  const recent = new RecentInputs();
  recent.remember('r-1', { a: 1 });
  expect([recent.take('r-2'), recent.take('r-1'), recent.take('r-1')]).toEqual([undefined, { a: 1 }, undefined]);
});

it('keeps the newest few', () => {
  const recent = new RecentInputs();
  for (let n = 1; n <= 6; n += 1) recent.remember(`r-${n}`, n);
  expect([1, 2, 3, 4, 5, 6].map((n) => recent.take(`r-${n}`))).toEqual([undefined, undefined, 3, 4, 5, 6]);
});

it('forgets what nobody has asked for', () => {
  jest.useFakeTimers();
  const recent = new RecentInputs();
  recent.remember('r-1', 1);
  jest.advanceTimersByTime(5_000);
  expect(recent.take('r-1')).toBeUndefined();
  jest.useRealTimers();
});
