/** Each kind of thing that a task may leave, and what is said of it. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { Trash } from '@weft/storage';
import { streamFilesOf } from '../sandbox/sandbox-layout.js';
import { attemptFailure } from './faults.js';
import { HostileSandbox, SECRET } from './hostile-sandbox.fixture.js';
import { placeStreams } from './streams.js';
import { LIMITS } from './looked.js';

const { FILE, DIRECTORY } = executor.EntryKind;

let sandbox: HostileSandbox;
beforeAll(async () => {
  sandbox = await HostileSandbox.create();
});
beforeEach(() => sandbox.begin());
afterAll(() => sandbox.remove());

const pathsOf = async (): Promise<string[]> =>
  (await sandbox.tree().tree.manifest()).map(({ path, kind }) => (kind === DIRECTORY ? `${path}/` : path));

it.each([
  ['a named pipe', () => sandbox.put('it', 'fifo'), 'INVALID_ARGUMENT', "'it' is a named pipe (FIFO): neither a file nor a directory"],
  ['a socket', () => sandbox.put('it', 'socket'), 'INVALID_ARGUMENT', "'it' is a socket: neither a file nor a directory"],
  ['a link that leads nowhere', () => sandbox.put('it', { link: 'gone' }), 'INVALID_ARGUMENT', "'it' does not exist"],
  ['a link to itself', () => sandbox.put('it', { link: 'it' }), 'INVALID_ARGUMENT', "'it' goes through more than 40 symbolic links"],
  [
    'a link out',
    () => sandbox.put('it', { link: sandbox.secret }),
    'PERMISSION_DENIED',
    /^'it' leads to '.*outside\/secret', outside the working directory and the inputs of the task$/,
  ],
  [
    'a name that is no UTF-8',
    () => {
      sandbox.put('it', 'directory');
      writeFileSync(Buffer.concat([Buffer.from(sandbox.path('it/n')), Buffer.from([0xff])]), '');
    },
    'INVALID_ARGUMENT',
    "'it/n�' has a name that is not UTF-8, which CWL has no way to write",
  ],
  [
    'a pipe in a directory',
    () => {
      sandbox.put('it', 'directory');
      sandbox.put('it/pipe', 'fifo');
    },
    'INVALID_ARGUMENT',
    "'it/pipe' is a named pipe (FIFO): neither a file nor a directory",
  ],
  [
    'a directory that a link in it leads to',
    () => {
      sandbox.put('it', 'directory');
      sandbox.put('it/loop', { link: '.' });
    },
    'INVALID_ARGUMENT',
    "'it/loop' is a link to a directory that it lies in",
  ],
])('%s is in the manifest, and refused for good by name and kind when it is collected', async (_, make, code, message) => {
  make();
  sandbox.put('other', 'file');
  expect(await pathsOf()).toEqual(expect.arrayContaining(['other', expect.stringMatching(/^it/)]));
  for (const publish of [false, true]) {
    const refused = sandbox.collect(sandbox.tree(), { path: 'it', publish, contents: true });
    await expect(refused).rejects.toMatchObject({ code, message: typeof message === 'string' ? message : expect.stringMatching(message) });
  }
});

it('a name at the top that is no UTF-8 is refused as such', async () => {
  writeFileSync(Buffer.concat([Buffer.from(sandbox.path('n')), Buffer.from([0xff])]), '');
  expect(await pathsOf()).toEqual(['n�']);
  await expect(sandbox.collect(sandbox.tree(), { path: 'n�' })).rejects.toMatchObject({ message: expect.stringContaining('not UTF-8') });
});

it('twenty directories of two links each to the next are forty links, and what is behind one link', async () => {
  for (let n = 0; n < 20; n++) {
    sandbox.put(`d${n}`, 'directory');
    for (const side of ['l', 'r']) sandbox.put(`d${n}/${side}`, { link: `../d${n + 1}` });
  }
  sandbox.put('d20', 'directory');
  sandbox.put('d20/end', 'file');
  const paths = await pathsOf();
  expect(paths).toEqual(expect.arrayContaining(['d0/l/', 'd0/l/r/', 'd19/r/end']));
  expect(paths.length).toBeLessThan(200);
  const refused = sandbox.collect(sandbox.tree(), { path: 'd0', publish: true });
  await expect(refused).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(`more than ${LIMITS.links} links to directories`),
  });
});

it.each([
  ['short names', 'd'],
  ['names so long that the whole path is more than the system takes', 'n'.repeat(200)],
])('directories that are nested too deep are refused: %s', async (_, each) => {
  // From the inside out: a path from the outside in would be too long.
  let inner = join(sandbox.root, 'inner');
  mkdirSync(inner);
  for (let n = 0; n < 1500; n++) {
    const outer = join(sandbox.root, `outer${n % 2}`);
    mkdirSync(outer);
    renameSync(inner, join(outer, each));
    inner = outer;
  }
  renameSync(inner, sandbox.path('top'));
  const walked = sandbox.tree().tree.manifest();
  await expect(walked).rejects.toMatchObject({ kind: 'LIMIT', message: expect.stringContaining('nested more than 100 deep') });
  // As the runner does, which takes a path of any length.
  const trash = new Trash(join(sandbox.root, '.trash'), (text, error) => expect([text, error]).toEqual([]));
  trash.discard(sandbox.layout.root);
  await trash.close();
});

it('too many entries are refused, and others have their turn meanwhile', async () => {
  const limits = { ...LIMITS, entries: 2000 };
  for (let n = 0; n < 2000; n++) sandbox.put(`f${n}`, 'file');
  let turns = 0;
  let walking = true;
  const others = (): void => {
    turns++;
    if (walking) setImmediate(others);
  };
  setImmediate(others);
  expect(await sandbox.tree().tree.manifest(limits)).toHaveLength(2000);
  walking = false;
  expect(turns).toBeGreaterThan(3);
  sandbox.put('one more', 'file');
  const refused = sandbox.tree().tree.manifest(limits);
  await expect(refused).rejects.toMatchObject({
    kind: 'LIMIT',
    message: expect.stringContaining('more than 2000 entries: put them into an archive'),
  });
});

it('too long paths are refused, however few', async () => {
  const limits = { ...LIMITS, pathBytes: 100 };
  sandbox.put('a'.repeat(99), 'file');
  expect(await sandbox.tree().tree.manifest(limits)).toHaveLength(1);
  sandbox.put('b', 'file');
  await expect(sandbox.tree().tree.manifest(limits)).rejects.toMatchObject({
    kind: 'LIMIT',
    message: expect.stringContaining('paths of more than 100 bytes: put them into an archive'),
  });
});

it('a directory without permissions is looked into all the same: it is the runner’s own', async () => {
  sandbox.put('shut', 'directory');
  sandbox.put('shut/f', 'file');
  chmodSync(sandbox.path('shut'), 0);
  expect(await pathsOf()).toEqual(['shut/', 'shut/f']);
  const told = await sandbox.collect(sandbox.tree(), { path: 'shut', publish: true });
  expect(told.listing.map(({ path, size }) => [path, size])).toEqual([['shut/f', 3]]);
});

it.each([
  ['removed', () => rmSync(sandbox.layout.hostWorkDir, { recursive: true })],
  [
    'replaced by a link',
    () => {
      rmSync(sandbox.layout.hostWorkDir, { recursive: true });
      symlinkSync(join(sandbox.root, 'outside'), sandbox.layout.hostWorkDir);
    },
  ],
])('a working directory that was %s is one permanent failure', async (_, act) => {
  act();
  const error = await sandbox
    .tree()
    .tree.manifest()
    .catch((caught: unknown) => caught);
  expect(attemptFailure(error)).toEqual({
    code: 'OUTPUT_FILE',
    message: expect.stringContaining('removed its working directory'),
    retryable: false,
  });
});

it('what was made for a task in its working directory, and replaced by a link out, is not followed', async () => {
  sandbox.put('copy', { link: sandbox.secret });
  const made = [{ taskPath: '/var/spool/cwl/copy', hostPath: sandbox.path('copy') }];
  const refused = sandbox.collect(sandbox.tree(true, {}, { made }), { path: 'copy', publish: true, contents: true });
  await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

it('what was found, and replaced by a link out before it was opened, is not followed', () => {
  sandbox.put('it', 'file');
  const found = sandbox.tree().tree.find('it');
  rmSync(sandbox.path('it'));
  sandbox.put('it', { link: sandbox.secret });
  expect(() => found.open().requireFile()).toThrow("'it' is a symbolic link");
});

it('a file that a process put in the place of the link to its input is its own', async () => {
  const taskPath = sandbox.path('input');
  const reference = join(sandbox.root, 'inputs', 'reference');
  const staged = [{ taskPath, sourcePath: reference, realPath: reference, uri: `file://${reference}`, inPlace: false }];
  sandbox.put('input', { link: reference });
  const asked = { path: 'input', publish: true, contents: true };
  expect(await sandbox.collect(sandbox.tree(false, {}, { staged }), asked)).toMatchObject({
    uri: `file://${reference}`,
    contents: 'reference',
  });
  rmSync(taskPath);
  sandbox.put('input', 'file');
  const told = await sandbox.collect(sandbox.tree(false, {}, { staged }), asked);
  expect([told.contents, told.uri]).toEqual(['own', `file://${sandbox.published}/input`]);
});

describe('the file of a stream', () => {
  const spec = { stdoutPath: 'out', stderrPath: 'logs/err' };
  const say = (): void => {
    const { stdout = '', stderr = '' } = streamFilesOf(spec, sandbox.layout);
    writeFileSync(stdout, 'said');
    writeFileSync(stderr, 'complained');
  };

  it.each([
    ['nothing', () => undefined],
    ['a file that the tool wrote by name', () => sandbox.put('out', 'file')],
    ['a link to a file of the host', () => sandbox.put('out', { link: sandbox.secret })],
    ['a pipe that nobody reads', () => sandbox.put('out', 'fifo')],
  ])('takes the place of %s', async (_, make) => {
    make();
    say();
    placeStreams(spec, sandbox.layout);
    expect(await sandbox.collect(sandbox.tree(), { path: 'out', contents: true })).toMatchObject({ kind: FILE, contents: 'said' });
    expect(await sandbox.collect(sandbox.tree(), { path: 'logs/err', contents: true })).toMatchObject({ contents: 'complained' });
    expect(readFileSync(sandbox.secret, 'utf8')).toBe(SECRET);
  });

  it('takes the place of an input, which stays as it is', async () => {
    const reference = join(sandbox.root, 'inputs', 'reference');
    const plan = { staged: [{ taskPath: '/var/spool/cwl/out', sourcePath: reference, uri: `file://${reference}`, inPlace: false }] };
    sandbox.put('out', 'file');
    say();
    placeStreams(spec, sandbox.layout);
    const told = await sandbox.collect(sandbox.tree(true, spec, plan), { path: 'out', publish: true, contents: true });
    expect([told.contents, told.uri]).toEqual(['said', `file://${sandbox.published}/out`]);
    expect(readFileSync(reference, 'utf8')).toBe('reference');
  });

  it.each([
    ['a directory in its place', () => sandbox.put('out', 'directory'), 'the tool made a directory of that name'],
    ['a link on its way', () => sandbox.put('logs', { link: '../../outside' }), "the tool left 'logs' as a symbolic link"],
    ['a file on its way', () => sandbox.put('logs', 'file'), "the tool left 'logs' as a file"],
  ])('is refused for good by %s', (_, make, message) => {
    make();
    say();
    expect(() => placeStreams(spec, sandbox.layout)).toThrow(
      expect.objectContaining({ kind: 'KIND', message: expect.stringContaining(message) }),
    );
  });
});
