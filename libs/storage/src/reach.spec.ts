/** What of this host no input may be. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileUri } from './file-uri.js';
import { LocalStorage } from './local-storage.adapter.js';
import { Reach } from './reach.js';

let root: string;
const at = (...names: string[]): string => join(root, ...names);
const pipe = (): string => {
  expect(spawnSync('mkfifo', [at('inputs/pipe')]).status).toBe(0);
  return at('inputs/pipe');
};
let storage: LocalStorage;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'weft-reach-')));
  for (const name of ['inputs', 'inputs/deep', 'stack', 'stack/keys', 'stack/results']) mkdirSync(at(name));
  for (const name of ['inputs/deep/x', 'stack/keys/secret', 'stack/results/y']) writeFileSync(at(name), 'x');
  storage = new LocalStorage({ own: { closed: [at('stack')], open: [at('stack/results')] } });
});
afterEach(() => rmSync(root, { recursive: true }));

const given = (path: string, kind: 'file' | 'directory'): Promise<string> => storage.resolveInput(pathToFileUri(path), kind);

type Case = [string, 'file' | 'directory', () => string];

it.each<Case>([
  ['a file', 'file', () => at('inputs/deep/x')],
  ['a directory', 'directory', () => at('inputs')],
  ['what was published', 'file', () => at('stack/results/y')],
  ['a directory of that', 'directory', () => at('stack/results')],
])('%s is an input', async (_what, kind, path) => expect(await given(path(), kind)).toBe(path()));

it.each<[...Case, RegExp]>([
  ['a file of the kernel', 'file', () => '/proc/self/environ', /lies in a file system of the kernel \(/],
  [
    'one by way of a link',
    'file',
    () => (symlinkSync('/proc/1/environ', at('inputs/link')), at('inputs/link')),
    /lies in a file system of the kernel \(/,
  ],
  ['a device', 'file', () => '/dev/zero', /of the kernel/],
  ['a pipe', 'file', pipe, /is neither a file nor a directory/],
  ['a directory with a pipe in it', 'directory', () => (pipe(), at('inputs')), /holds a pipe, pipe/],
  ['the root directory', 'directory', () => '/', /holds \/proc/],
  ['a directory of the kernel', 'directory', () => '/sys', /of the kernel/],
  ['a directory of the stack', 'directory', () => at('stack'), /belongs to the stack itself/],
  ['a file in one', 'file', () => at('stack/keys/secret'), /belongs to the stack itself/],
  ['what is not there in one', 'file', () => at('stack/none'), /belongs to the stack itself/],
  ['what holds one', 'directory', () => root, /holds the stack's own directories/],
])('%s is none', async (what, kind, path, why) => {
  await expect(given(path(), kind)).rejects.toMatchObject({
    code: what === 'a pipe' ? 'UNSUPPORTED' : 'ACCESS',
    message: expect.stringMatching(why),
  });
});

it('a directory with a socket deep in it is none', async () => {
  const server = createServer().listen(at('inputs/deep/engine.sock'));
  await once(server, 'listening');
  try {
    await expect(given(at('inputs'), 'directory')).rejects.toMatchObject({
      message: expect.stringMatching(/holds a socket, deep\/engine.sock/),
    });
  } finally {
    server.close();
  }
});

it('a directory of more entries than are looked through is none', async () => {
  const none = { closed: [], open: [] };
  // deep, x
  await expect(new Reach(none, [], 2).checkTree(at('inputs'), 'uri')).resolves.toBeUndefined();
  await expect(new Reach(none, [], 1).checkTree(at('inputs'), 'uri')).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'uri has more than 1 entries: name what is needed of it',
  });
});

describe('a pipe that nobody writes into', () => {
  afterEach(() => {
    // Lets go of who waits for a writer all the same.
    try {
      closeSync(openSync(at('inputs/pipe'), constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENXIO' });
    }
  });

  it.each([
    ['text', (uri: string) => storage.readText(uri, 10)],
    ['bytes', (uri: string) => storage.open(uri)],
  ])('is read as no file, and not waited for: %s', async (_what, read) => {
    await expect(read(pathToFileUri(pipe()))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('is neither a file nor a directory'),
    });
  });
});
