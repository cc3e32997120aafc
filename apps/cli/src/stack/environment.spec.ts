import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import fc from 'fast-check';
import { configurationOf, differences, servicePath, stackEnvironment } from './environment.js';

const ROOT = '/homes/me/.weft';

describe('the environment of a stack’s programs', () => {
  it('has fixed values, whatever the shell has', () => {
    const shell = { PATH: '/conda/bin', TMPDIR: '/scratch/job-1', LANG: 'de_DE', HOME: '/home/me', USER: 'me', WEFT_HOME: 'elsewhere' };
    expect(stackEnvironment(shell, ROOT)).toEqual({
      ...{ HOME: '/home/me', USER: 'me', LANG: 'C.UTF-8', TMPDIR: `${ROOT}/tmp`, WEFT_HOME: ROOT },
      PATH: expect.not.stringContaining('conda'),
    });
  });

  it('has a HOME where the shell has none', () => {
    expect(stackEnvironment({}, ROOT)['HOME']).toBe(ROOT);
  });

  it.each<[string, string | undefined]>([
    ['WEFT_CALL_CACHE', 'off'],
    ['REDIS_URL', 'redis://x'],
    ['DOCKER_HOST', 'unix:///run/user/1/podman.sock'],
    ['https_proxy', 'http://proxy:3128'],
    ['AWS_SESSION_TOKEN', 'secret'],
    ['XDG_RUNTIME_DIR', '/run/user/1'],
    ['NODE_OPTIONS', undefined],
    ['NODE_ENV', undefined],
    ['npm_config_cache', undefined],
    ['LD_PRELOAD', undefined],
    ['LD_LIBRARY_PATH', undefined],
    ['PYTHONPATH', undefined],
    ['CONDA_PREFIX', undefined],
    ['BASH_ENV', undefined],
    ['SSH_AUTH_SOCK', undefined],
    ['AWS_SOMETHING', undefined],
    ['WEFT_API_TOKEN', undefined],
    ['WEFT_URL', undefined],
  ])('takes %s: %s', (name, expected) => {
    expect(stackEnvironment({ [name]: expected ?? 'x' }, ROOT)[name]).toBe(expected);
  });

  it('takes nothing that is not named, and always the same of it', () => {
    const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/);
    fc.assert(
      fc.property(fc.dictionary(names, fc.string()), (shell) => {
        const strange = Object.keys(shell).filter((name) => !/^(WEFT_|AWS_|DOCKER_|SSL_CERT_)/.test(name));
        const known = new Set([...Object.keys(stackEnvironment({}, ROOT)), 'TZ', 'USER', 'LOGNAME']);
        const made = stackEnvironment(shell, ROOT);
        expect(strange.filter((name) => name in made && !known.has(name))).toEqual([]);
      }),
    );
  });

  it('names files where the shell is, not where the services are', () => {
    expect(stackEnvironment({ WEFT_LIMITS_FILE: 'limits.yml', WEFT_TLS_CA: '/ca.pem', WEFT_POOLS: 'a' }, ROOT)).toMatchObject({
      ...{ WEFT_LIMITS_FILE: resolve('limits.yml'), WEFT_TLS_CA: '/ca.pem', WEFT_POOLS: 'a' },
    });
  });
});

describe('the PATH of services', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-path-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the standard one, then where this shell finds what services start', () => {
    mkdirSync(join(folder, 'redis'));
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'redis/redis-server'), '');
    chmodSync(join(folder, 'redis/redis-server'), 0o755);
    const directories = servicePath({ PATH: `${join(folder, 'other')}:${join(folder, 'redis')}` }).split(':');
    expect(directories.slice(0, 2)).toEqual(['/usr/local/sbin', '/usr/local/bin']);
    expect(directories).toEqual(expect.arrayContaining([dirname(process.execPath), join(folder, 'redis')]));
    expect(directories).not.toContain(join(folder, 'other'));
  });
});

describe('a configuration', () => {
  const of = configurationOf;

  it('does not tell its values', () => {
    expect(JSON.stringify(of({ AWS_SECRET_ACCESS_KEY: 'hunter2' }))).not.toContain('hunter2');
  });

  it.each<[string, Record<string, string>, Record<string, string>, boolean, string[]]>([
    ['the same', { WEFT_A: '1' }, { WEFT_A: '1' }, false, []],
    ['what is no configuration', { PATH: '/a', TMPDIR: '/b' }, { PATH: '/c' }, false, []],
    ['another value', { WEFT_A: '1', WEFT_B: '1' }, { WEFT_A: '2', WEFT_B: '1' }, false, ['WEFT_A']],
    ['one that only this shell has', { WEFT_A: '1' }, {}, false, ['WEFT_A']],
    ['one that the first shell had', {}, { WEFT_A: '1' }, false, ['WEFT_A']],
    ['one that the operator of a stack that stays has set', {}, { WEFT_A: '1' }, true, []],
    ['another value than the operator’s', { WEFT_A: '1' }, { WEFT_A: '2' }, true, ['WEFT_A']],
    ['values that change places', { WEFT_A: '1', WEFT_B: '2' }, { WEFT_A: '2', WEFT_B: '1' }, false, ['WEFT_A', 'WEFT_B']],
    ['what a command reads for itself', { WEFT_URL: 'x', WEFT_API_TOKEN: 'y' }, {}, false, []],
  ])('is compared: %s', (_what, wanted, has, stays, expected) => {
    expect(differences(of(wanted), of(has), stays)).toEqual(expected);
  });

  it('is the same from inside the stack', () => {
    const shell = { WEFT_LIMITS_FILE: 'limits.yml', WEFT_CALL_CACHE: 'off', HTTP_PROXY: 'http://p', WEFT_HOME: 'x', PATH: '/a' };
    expect(of(stackEnvironment(shell, ROOT))).toEqual(of(shell));
  });
});
