import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsFor } from './registry-credentials.js';

const auth = (text: string): string => Buffer.from(text).toString('base64');

describe('credentials for a registry', () => {
  let directory: string;
  const path = process.env['PATH'];
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'weft-credentials-'))));
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true });
  });
  const configure = (config: unknown): void =>
    writeFileSync(join(directory, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  /** A credential helper, in shell. */
  const helper = (script: string): void => {
    writeFileSync(join(directory, 'docker-credential-spec'), `#!/bin/sh\nread address\n${script}\n`);
    chmodSync(join(directory, 'docker-credential-spec'), 0o755);
    process.env['PATH'] = `${directory}:${path}`;
  };

  it('are none where nobody has logged in', async () => {
    await expect(credentialsFor('r.test', directory)).resolves.toBeUndefined();
    await expect(credentialsFor('r.test', join(directory, 'none'))).resolves.toBeUndefined();
    configure({});
    await expect(credentialsFor('r.test', directory)).resolves.toBeUndefined();
  });

  it.each([
    [
      'its own',
      'r.test:5000',
      { 'r.test:5000': { auth: auth('me:a:b') } },
      { username: 'me', password: 'a:b', serveraddress: 'r.test:5000' },
    ],
    ["not another's", 'r.test', { 'r.test:5000': { auth: auth('me:p') } }, undefined],
    ['not those of a longer name', 'r.test', { 'evil.r.test': { auth: auth('me:p') }, 'r.test.evil': { auth: auth('me:p') } }, undefined],
    [
      'of an old file, with an address',
      'r.test',
      { 'https://r.test/v1/': { auth: auth('me:p') } },
      { username: 'me', password: 'p', serveraddress: 'r.test' },
    ],
    [
      "Docker Hub's",
      undefined,
      { 'https://index.docker.io/v1/': { auth: auth('me:p') } },
      { username: 'me', password: 'p', serveraddress: 'https://index.docker.io/v1/' },
    ],
    [
      "Docker Hub's by name",
      'docker.io',
      { 'https://index.docker.io/v1/': { auth: auth('me:p') } },
      { username: 'me', password: 'p', serveraddress: 'https://index.docker.io/v1/' },
    ],
    [
      'a token',
      'r.test',
      { 'r.test': { auth: auth('me:'), identitytoken: 't' } },
      { username: 'me', identitytoken: 't', serveraddress: 'r.test' },
    ],
    ['an entry that a helper has emptied', 'r.test', { 'r.test': {} }, undefined],
  ])('%s', async (_what, registry, auths, expected) => {
    configure({ auths });
    await expect(credentialsFor(registry, directory)).resolves.toEqual(expected);
  });

  it.each([
    ['no JSON', '{ secret', 'it is no JSON'],
    ['no pair', { auths: { 'r.test': { auth: auth('secret') } } }, "'auth' of r.test is not a name and a password in base64"],
    ['a helper by path', { credsStore: '../../bin/sh' }, "'../../bin/sh' is no name of a credential helper"],
  ])('in a file with %s: it is told, without what is in it', async (_what, config, why) => {
    configure(config);
    const message = `the credentials in ${join(directory, 'config.json')} cannot be used: ${why}`;
    await expect(credentialsFor('r.test', directory)).rejects.toMatchObject({ code: 'IMAGE_PULL', message, retryable: false });
  });

  it('come from the program that keeps them', async () => {
    configure({ credHelpers: { 'r.test': 'spec' }, auths: { 'r.test': {}, 's.test': { auth: auth('file:p') } } });
    helper(`echo '{"ServerURL":"'$address'","Username":"me","Secret":"of '$address'"}'`);
    await expect(credentialsFor('r.test', directory)).resolves.toEqual({ username: 'me', password: 'of r.test', serveraddress: 'r.test' });
    await expect(credentialsFor('s.test', directory)).resolves.toMatchObject({ username: 'file' });
    helper(`echo '{"Username":"<token>","Secret":"t"}'`);
    await expect(credentialsFor('r.test', directory)).resolves.toEqual({ identitytoken: 't', serveraddress: 'r.test' });
  });

  it.each([
    ['does not know the registry', 'echo credentials not found in native keychain; exit 1', undefined],
    ['fails', 'echo secret; exit 3', 'it ended with 3'],
    ['says something else', 'echo secret', 'its answer is no JSON'],
    ['leaves something out', `echo '{"Secret":"secret"}'`, 'its answer has no Username and Secret'],
    ['has no end', 'yes secret', 'it did not answer within 30 s and 262144 characters'],
  ])('of a program that %s', async (_what, script, why) => {
    configure({ credsStore: 'spec' });
    helper(script);
    const asked = credentialsFor('r.test', directory);
    if (why === undefined) await expect(asked).resolves.toBeUndefined();
    else await expect(asked).rejects.toMatchObject({ message: `cannot get credentials from docker-credential-spec: ${why}` });
  });

  it('of a program that is not there', async () => {
    configure({ credsStore: 'weft-has-none-of-that-name' });
    await expect(credentialsFor('r.test', directory)).rejects.toMatchObject({
      message: 'cannot get credentials from docker-credential-weft-has-none-of-that-name: ENOENT',
    });
  });
});
