import { callerOf, missingNames } from './caller.js';

const world = (env: Record<string, string>): Parameters<typeof callerOf>[0] => ({ env, cwd: '/here', umask: 0o077 });

it.each<[string, string | undefined, string]>([
  ['absolute directories as they are', '/a/bin:/b', '/a/bin:/b'],
  ['relative ones where this shell is', 'bin:/b:../x', '/here/bin:/b:/x'],
  ['an empty one, which is the current directory', '/a::/b', '/a:/here:/b'],
  ['each once, where it stood first', '/a:/b:/a/', '/a:/b'],
  ['nothing', undefined, ''],
  ['a colon in no name', ':', '/here'],
])('PATH goes with the run: %s', (_what, path, expected) => {
  expect(callerOf(world(path === undefined ? {} : { PATH: path }))).toEqual({ path: expected, umask: 0o077, environment: {} });
});

const ENV = { PATH: '/a', HOME: '/h', TMPDIR: '/t', PWD: '/p', SHLVL: '1', WEFT_API_TOKEN: 's', REF: 'r', LD_LIBRARY_PATH: '/l', _: 'x' };

it.each<[string, string[], boolean, Record<string, string>]>([
  ['none by themselves', [], false, {}],
  ['those that are named', ['REF', 'LD_LIBRARY_PATH'], false, { REF: 'r', LD_LIBRARY_PATH: '/l' }],
  ['several in one word', ['REF,LD_LIBRARY_PATH,'], false, { REF: 'r', LD_LIBRARY_PATH: '/l' }],
  ['none that is not set', ['REF', 'NOT_SET'], false, { REF: 'r' }],
  ['all but what is this process’s or weft’s own', [], true, { REF: 'r', LD_LIBRARY_PATH: '/l' }],
  ['what is named even so', ['HOME'], true, { REF: 'r', LD_LIBRARY_PATH: '/l', HOME: '/h' }],
])('of the variables: %s', (_what, names, entire, expected) => {
  expect(callerOf(world(ENV), { names, entire }).environment).toEqual(expected);
});

it('names that are not set are told', () => {
  expect(missingNames(ENV, ['REF,NO', 'NEITHER'])).toEqual(['NO', 'NEITHER']);
});
