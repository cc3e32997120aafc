import { scheduler } from '@weft/contracts';
import { callerOf } from './caller-options.js';
import { runOptionsOf } from './run-options.js';

const caller = (part: Partial<scheduler.Caller>): scheduler.Caller => scheduler.Caller.create(part);

it.each<[string, Partial<scheduler.Caller>, object]>([
  ['nothing', {}, {}],
  ['a PATH', { path: '/a:/b c' }, { path: '/a:/b c' }],
  ['a umask of 0', { umask: 0 }, { umask: 0 }],
  ['a umask, but for the rights of the owner, whose files the runner reads', { umask: 0o777 }, { umask: 0o077 }],
  ['variables', { environment: { A: '', 'B.C': 'x=y' } }, { environment: { A: '', 'B.C': 'x=y' } }],
])('of a caller is kept: %s', (_what, part, expected) => {
  expect(callerOf(caller(part))).toEqual(expected);
});

it.each<[string, Partial<scheduler.Caller>, RegExp]>([
  ['a relative directory', { path: '/a:bin' }, /"bin", which is not absolute/],
  ['the current directory', { path: '/a:' }, /"", which is not absolute/],
  ['a NUL in PATH', { path: '/a\0' }, /NUL/],
  ['a PATH without end', { path: `/${'a'.repeat(40_000)}` }, /path has 40001 bytes; 32768 are allowed/],
  ['a umask that is none', { umask: 0o1000 }, /umask is 512/],
  ['a name with =', { environment: { 'A=B': '' } }, /"A=B" is no name/],
  ['a name that is empty', { environment: { '': '' } }, /"" is no name/],
  ['a NUL in a value', { environment: { A: '\0' } }, /"A" is no name/],
  [
    'more than travels with every job',
    { environment: { A: 'x'.repeat(100_000) } },
    /variables have 100001 bytes together; 98304 are allowed/,
  ],
])('of a caller is refused: %s', (_what, part, message) => {
  expect(() => callerOf(caller(part))).toThrow(message);
});

it('a caller is taken only where nobody but this user can call', () => {
  const options = scheduler.RunOptions.create({ caller: caller({ path: '/a' }) });
  expect(runOptionsOf(options, { defaultAttempts: 3, takesCaller: true, callCache: 'asked' }).caller).toEqual({ path: '/a' });
  expect(() => runOptionsOf(options, { defaultAttempts: 3, takesCaller: false, callCache: 'asked' })).toThrow(
    expect.objectContaining({
      code: 'PERMISSION_DENIED',
      message: expect.stringMatching(/taken only by a scheduler that its own user alone/),
    }),
  );
});
