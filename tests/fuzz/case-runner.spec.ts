/** The runner notices what it is there to notice. */
import { jest } from '@jest/globals';
import { CaseRunner } from './case-runner.js';

jest.setTimeout(60_000);
let runner: CaseRunner;
beforeAll(async () => {
  runner = await CaseRunner.start('broken-worker');
});
afterAll(() => runner.close());

const check = (root: string): Promise<void> => runner.check({ root, files: {} });

test.each([
  ['hang', 'no answer within'],
  ['crash', 'the thread died: Error: crashed'],
  ['hog', 'the thread died'],
  ['odd', 'something odd'],
])('a case that would %s', async (root, message) => {
  await expect(check(root)).rejects.toThrow(message);
  await expect(check('fine')).resolves.toBeUndefined();
});
