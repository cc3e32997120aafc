import { spawnSync } from 'node:child_process';
import { commandBytes, refuseTooLong, whyNotStarted } from './argument-limits.js';

const KIB = 1024;
const long = (bytes: number): string => 'x'.repeat(bytes);
const parts = (count: number, bytes: number): string[] => new Array<string>(count).fill(long(bytes));

it.each<[string, string[], Record<string, string>, RegExp]>([
  [
    'one argument',
    ['echo', long(128 * KIB)],
    {},
    /^argument 1 \('x{40}…'\) has 131073 bytes, and Linux takes at most 131072 in one: hand long lists/,
  ],
  ['one of two-byte characters', ['é'.repeat(64 * KIB)], {}, /^argument 0 .* has 131073 bytes/],
  ['a variable', ['env'], { LIST: long(128 * KIB) }, /^the environment variable LIST has 131078 bytes/],
  ['all together', ['echo', ...parts(70, 100 * KIB)], {}, /^the command has 71 arguments of 7\d{6} bytes .* at most 6291456/],
])('%s that Linux does not take is refused before it is tried', (_, argv, environment, message) => {
  expect(() => refuseTooLong(argv, environment)).toThrow(
    expect.objectContaining({ code: 'ARGUMENTS_TOO_LONG', message: expect.stringMatching(message) }),
  );
});

it('takes what the system takes, and refuses what it does not', () => {
  const fits = ['true', long(128 * KIB - 1)];
  expect(() => refuseTooLong(fits, {})).not.toThrow();
  expect(spawnSync('true', fits.slice(1), { env: {} }).error).toBeUndefined();
  expect(spawnSync('true', [long(128 * KIB)], { env: {} }).error).toMatchObject({ code: 'E2BIG' });
  expect(spawnSync('true', parts(62, 100 * KIB), { env: {} }).error).toMatchObject({ code: 'E2BIG' });
});

it('explains what could not be started only where its length may be why', () => {
  expect(whyNotStarted(['echo', 'a'], { A: 'b' })).toBeUndefined();
  expect(whyNotStarted(['echo', ...parts(30, 100 * KIB)], {})).toMatch(/^its command has 3\d{6} bytes/);
  expect(commandBytes(['ab'], { A: 'b' })).toBe(3 + 8 + 4 + 8);
});
