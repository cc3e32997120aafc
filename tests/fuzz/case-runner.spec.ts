/** The runner notices what it is there to notice, and goes on. */
import { CaseRunner } from './case-runner.js';

let runner: CaseRunner;
afterEach(() => runner.close());

const check = (root: string): Promise<void> => runner.check({ root, files: {} });

/** More work than anything but a hang does, so that it decides for that alone. */
const ENOUGH_MS = 600_000;

test.each([
  ['hang', 500, 'no answer after 500 ms of CPU time'],
  ['wait', ENOUGH_MS, 'the worker waits for nothing and has no answer'],
  ['crash', ENOUGH_MS, /the worker died \(exit code 1\)[^]*Error: crashed/],
  ['hog', ENOUGH_MS, /the worker died \(SIG\w+\)[^]*heap out of memory/],
  ['odd', ENOUGH_MS, 'something odd'],
])('a case that would %s', async (root, cpuLimitMs, message) => {
  runner = await CaseRunner.start({ program: 'broken-worker', cpuLimitMs });
  await expect(check(root)).rejects.toThrow(message);
  await expect(check('fine')).resolves.toBeUndefined();
});
