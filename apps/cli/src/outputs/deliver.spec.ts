import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as files from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CwlObject, DirectoryValue, FileValue } from '@weft/plan';
import { OutputWorld, passTick, sha1, snapshot, untruths } from '../spec-support/output-world.js';
import type { FileOps } from './folder.js';
import { lookAtOutdir } from './outdir.js';

let world: OutputWorld;
beforeEach(() => (world = new OutputWorld()));
afterEach(() => world.remove());

const out = (path: string): string => join(world.outdir, path);
const text = (path: string): string => readFileSync(path, 'utf8');

describe('what an output object becomes', () => {
  it('files are where it says, with size and checksum', async () => {
    const { outputs } = await world.deliver({
      n: 3,
      o: { class: 'File', location: world.file('a #1.txt', 'hello\n').location, basename: 'a #1.txt' },
    });
    const path = out('a #1.txt');
    expect(text(path)).toBe('hello\n');
    expect(outputs).toEqual({
      n: 3,
      o: { class: 'File', location: pathToFileURL(path).href, path, basename: 'a #1.txt', size: 6, checksum: sha1('hello\n') },
    });
    expect(readdirSync(world.outdir)).toEqual(['a #1.txt']);
  });

  it('two of one name, literals, listings, and secondary files beside theirs', async () => {
    const { outputs } = await world.deliver({
      two: [world.file('1/x', 'one'), world.file('2/x', 'two')],
      note: { class: 'File', basename: 'note', contents: 'text' },
      made: world.folder('made', world.file('deep', 'deep', { basename: 'renamed' }), world.folder('empty')),
      pair: world.file('3/x', 'three', { secondaryFiles: [world.file('3/x.idx', 'index')] }),
    });
    expect(untruths(outputs)).toEqual([]);
    expect([...snapshot(world.outdir).keys()].sort()).toEqual(
      ['2', '2/x', '3', '3/x', '3/x.idx', 'made', 'made/empty', 'made/renamed', 'note', 'x'].sort(),
    );
  });

  it('a directory without a listing is read; what is no file is left out and told', async () => {
    world.write('store/d/in/deep', 'deep');
    symlinkSync('in', join(world.store, 'd/link'));
    symlinkSync('nowhere', join(world.store, 'd/lost'));
    symlinkSync('self', join(world.store, 'd/self'));
    execFileSync('mkfifo', [join(world.store, 'd/pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(join(world.store, 'd/')), Buffer.from([0xff])]), '');
    const { outputs, told } = await world.deliver({ d: { class: 'Directory', location: world.uri('store/d'), basename: 'd' } });
    expect(untruths(outputs)).toEqual([]);
    expect([...snapshot(out('d')).keys()].sort()).toEqual(['in', 'in/deep', 'link', 'link/deep']);
    expect(told.map((line) => /left out: (.*)$/.exec(line)?.[1]).sort()).toEqual([
      'it is a link that leads nowhere',
      'it is a loop of links',
      'it is neither a file nor a folder',
      'its name is not UTF-8',
    ]);
  });

  it('a directory that holds itself is told, not followed for ever', async () => {
    mkdirSync(join(world.store, 'd/e'), { recursive: true });
    symlinkSync('..', join(world.store, 'd/e/up'));
    await expect(world.deliver({ d: { class: 'Directory', location: world.uri('store/d'), basename: 'd' } })).rejects.toThrow(
      /holds itself, by a link/,
    );
    expect(snapshot(world.outdir).size).toBe(0);
  });

  it.each([
    [0o027, ['640', '750', '750', '640']],
    [0o002, ['664', '775', '775', '664']],
  ])('with umask %o rights are those of a new file; of the source only the right to execute', async (umask, rights) => {
    const before = process.umask(umask);
    try {
      const outputs = { plain: world.file('plain', 'a'), tool: world.file('tool', 'b'), d: world.folder('d', world.file('inner', 'c')) };
      chmodSync(join(world.store, 'plain'), 0o400);
      chmodSync(join(world.store, 'tool'), 0o6500);
      chmodSync(join(world.store, 'inner'), 0o666);
      await world.deliver(outputs);
    } finally {
      process.umask(before);
    }
    const mode = (path: string): string => (statSync(out(path)).mode & 0o7777).toString(8);
    expect(['plain', 'tool', 'd', 'd/inner'].map(mode)).toEqual(rights);
  });
});

describe('what an output object may not be', () => {
  it.each(['../x', '..', '.', 'a/b', '/etc/x', 'a\0b', '', 'n'.repeat(256), '\ud800'])(
    'a name like %j is refused, wherever it is',
    async (basename) => {
      const before = snapshot(world.root);
      const file = { class: 'File', basename, contents: 'x' } as FileValue;
      const folder = { class: 'Directory', basename, listing: [] } as DirectoryValue;
      const shapes: CwlObject[] = [
        { o: file },
        { o: folder },
        { o: [{ member: world.folder('d', world.folder('e', file)) }] },
        { o: world.folder('d', folder) },
        { o: { class: 'File', basename: 'x', contents: '', secondaryFiles: [file] } },
        { o: { class: 'File', basename: 'x', contents: '', secondaryFiles: [folder] } },
      ];
      for (const outputs of shapes) await expect(world.deliver(outputs)).rejects.toThrow(/^output 'o.*': the name "/);
      expect(snapshot(world.root)).toEqual(before);
    },
  );

  it('equally named directories of one listing are one; an equally named file is an error, but for the very same', async () => {
    const [one, two] = [world.file('1/x', 'one'), world.file('2/y', 'two')];
    const merged = await world.deliver({ o: world.folder('d', world.folder('e', one), world.folder('e', two, one)) });
    expect(untruths(merged.outputs)).toEqual([]);
    expect([...snapshot(out('d')).keys()].sort()).toEqual(['e', 'e/x', 'e/y']);
    const other = world.file('4/x', 'other');
    await expect(world.deliver({ o: world.folder('f', one, other) })).rejects.toThrow(/two different files are both called "f\/x"/);
    await expect(world.deliver({ o: world.folder('f', one, world.folder('x')) })).rejects.toThrow(
      /a file and a folder are both called "f\/x"/,
    );
    await expect(world.deliver({ o: { ...one, secondaryFiles: [other] } })).rejects.toThrow(/two different files/);
    expect(existsSync(out('f'))).toBe(false);
  });

  it.each([
    ['checksum', { checksum: sha1('other') }],
    ['size', { size: 4 }],
  ])('a file with another %s than it says is not delivered, nor anything else', async (what, more) => {
    const outputs = { a: world.file('a', 'a'), b: world.file('b', 'bytes', more), c: world.folder('c') };
    await expect(world.deliver(outputs)).rejects.toThrow(new RegExp(`has the ${what} .*changed after it was published`));
    expect(snapshot(world.outdir).size).toBe(0);
  });

  it('a file that is not there is told', async () => {
    await expect(world.deliver({ o: { class: 'File', location: world.uri('store/gone'), basename: 'gone' } })).rejects.toThrow(
      /gone is not on this machine/,
    );
  });
});

describe('what lies there already', () => {
  /** Everything that was there is there, as it was. */
  async function staysAsItWas(
    outputs: CwlObject,
    more: Parameters<OutputWorld['deliver']>[1] = {},
  ): Promise<{ outputs: CwlObject; told: string[] }> {
    const before = snapshot(world.root);
    const result = await world.deliver(outputs, more);
    const after = snapshot(world.root);
    for (const [path, what] of before) expect([path, after.get(path)]).toEqual([path, what]);
    expect(untruths(result.outputs)).toEqual([]);
    return result;
  }
  const pathOf = ({ outputs }: { outputs: CwlObject }): string | undefined => (outputs['o'] as FileValue).path;

  it('a plain file is replaced whole: another name of it keeps its bytes', async () => {
    const old = world.write('out/x', 'old');
    linkSync(old, join(world.root, 'other-name'));
    const result = await world.deliver({ o: world.file('x', 'new') });
    expect([pathOf(result), text(old), text(join(world.root, 'other-name')), result.told]).toEqual([old, 'new', 'old', []]);
  });

  it('directories are merged: notes and the input stay, equally named files are replaced', async () => {
    const input = world.write('out/results/input.csv', 'precious');
    world.write('out/results/notes/n', 'notes');
    world.write('out/results/old', 'old');
    const result = await world.deliver(
      { o: world.folder('results', world.file('new', 'new'), world.file('old', 'newer'), world.folder('notes', world.file('m', 'm'))) },
      { inputs: { i: { class: 'File', location: pathToFileURL(input).href } } },
    );
    expect([pathOf(result), result.told, untruths(result.outputs)]).toEqual([out('results'), [], []]);
    expect(['input.csv', 'notes/n', 'notes/m', 'old', 'new'].map((name) => text(out(`results/${name}`)))).toEqual([
      'precious',
      'notes',
      'm',
      'newer',
      'new',
    ]);
  });

  it.each<[string, () => void, RegExp]>([
    ['a folder', () => world.write('out/x/in', 'kept'), /x is a folder: it stays/],
    ['a link', () => symlinkSync('nowhere', out('x')), /x is a link/],
    ['a link to a file', () => symlinkSync(world.write('else', 'kept'), out('x')), /x is a link/],
    ['a FIFO', () => execFileSync('mkfifo', [out('x')]), /x is neither a file nor a folder/],
  ])('%s where a file is to be: the file goes beside', async (_, lay, told) => {
    lay();
    const result = await staysAsItWas({ o: world.file('x', 'new', { secondaryFiles: [world.file('x.idx', 'index')] }) });
    expect([pathOf(result), result.told]).toEqual([out('2/x'), [expect.stringMatching(told)]]);
    expect(result.told[0]).toContain(`output 'o' is ${out('2/x')}`);
    expect(existsSync(out('x.idx'))).toBe(false);
  });

  it.each<[string, () => void]>([
    ['a file', () => world.write('out/d', 'kept')],
    ['a link to a folder', () => symlinkSync(world.store, out('d'))],
    ['a folder with a folder where a file is to be', () => mkdirSync(out('d/x'), { recursive: true })],
    ['a folder with a link where a folder is to be', () => (mkdirSync(out('d')), symlinkSync(world.store, out('d/e')))],
  ])('%s where a folder is to be: the whole folder goes beside', async (_, lay) => {
    lay();
    const result = await staysAsItWas({ o: world.folder('d', world.file('x', 'x'), world.folder('e', world.file('y', 'y'))) });
    expect([pathOf(result), result.told.length]).toEqual([out('2/d'), 1]);
  });

  it('also the places beside may be taken', async () => {
    mkdirSync(out('x'));
    world.write('out/2', 'a file');
    mkdirSync(out('3/x'), { recursive: true });
    expect(pathOf(await staysAsItWas({ o: world.file('x', 'new') }))).toBe(out('4/x'));
  });

  describe('an input of the run', () => {
    it.each<[string, () => string]>([
      ['itself', () => world.write('out/data.csv', 'precious')],
      ['by a hard link', () => (linkSync(world.write('else/in', 'precious'), out('data.csv')), join(world.root, 'else/in'))],
      [
        'by a link to its folder',
        () => (world.write('out/data.csv', 'precious'), symlinkSync(world.outdir, join(world.root, 'l')), join(world.root, 'l/data.csv')),
      ],
      ['by a link to it', () => (symlinkSync(world.write('out/data.csv', 'precious'), join(world.root, 'l')), join(world.root, 'l'))],
    ])('in the way, %s: it stays', async (_, lay) => {
      const location = pathToFileURL(lay()).href;
      const result = await staysAsItWas({ o: world.file('data.csv', 'new') }, { inputs: { i: { class: 'File', location } } });
      expect([pathOf(result), result.told[0]]).toEqual([out('2/data.csv'), expect.stringContaining('is an input of the run')]);
    });

    it('in a folder that is an input, also by another name of the file', async () => {
      world.write('else/dir/deep/data.csv', 'precious');
      linkSync(join(world.root, 'else/dir/deep/data.csv'), out('data.csv'));
      const inputs = { i: [{ class: 'Directory', location: world.uri('else/dir') }] };
      expect(pathOf(await staysAsItWas({ o: world.file('data.csv', 'new') }, { inputs }))).toBe(out('2/data.csv'));
    });

    it('an input folder is not merged into', async () => {
      world.write('out/data/a', 'a');
      const inputs = { i: { class: 'Directory', location: world.uri('out/data') } };
      expect(pathOf(await staysAsItWas({ o: world.folder('data', world.file('b', 'b')) }, { inputs }))).toBe(out('2/data'));
    });

    it('the output folder may be one: what is in it stays, new names are added', async () => {
      world.write('out/old', 'old');
      world.write('out/sub/a', 'a');
      const inputs = { i: { class: 'Directory', location: world.uri('out') } };
      const result = await staysAsItWas(
        { o: world.file('old', 'new'), p: world.file('fresh', 'fresh'), q: world.folder('sub') },
        { inputs },
      );
      expect([pathOf(result), (result.outputs['p'] as FileValue).path]).toEqual([out('2/old'), out('fresh')]);
    });

    it('the output folder is a link to the folder of the input', async () => {
      const input = world.write('mine/data.csv', 'precious');
      symlinkSync('mine', join(world.root, 'link'));
      const inputs = { i: { class: 'File', location: pathToFileURL(input).href } };
      const result = await staysAsItWas(
        { o: world.file('data.csv', 'new'), p: world.file('other', 'o') },
        { inputs, to: join(world.root, 'link') },
      );
      expect(pathOf(result)).toBe(join(world.root, 'link/2/data.csv'));
      expect(text(join(world.root, 'mine/other'))).toBe('o');
    });

    it('the document and the job are no more replaced', async () => {
      const path = world.write('out/tool.cwl', 'class: …');
      expect(pathOf(await staysAsItWas({ o: world.file('tool.cwl', 'new') }, { alsoInputs: [`${pathToFileURL(path).href}`] }))).toBe(
        out('2/tool.cwl'),
      );
    });

    it('passed on where it lies already: nothing is copied', async () => {
      const file = world.write('out/data.csv', 'same');
      world.write('out/dir/a', 'a');
      const passed = { class: 'File', location: pathToFileURL(file).href, basename: 'data.csv' };
      const folder = { class: 'Directory', location: world.uri('out/dir'), basename: 'dir' };
      const result = await staysAsItWas({ o: passed, p: folder }, { inputs: { passed, folder } });
      expect([pathOf(result), result.told]).toEqual([file, []]);
      expect([...snapshot(world.outdir).keys()].sort()).toEqual(['data.csv', 'dir', 'dir/a']);
    });

    it('passed on from a folder that holds the output folder', async () => {
      world.write('out/in/a', 'a');
      mkdirSync(out('in/results'));
      const folder = { class: 'Directory', location: world.uri('out/in'), basename: 'in' };
      const result = await staysAsItWas({ o: folder }, { inputs: { folder }, to: out('in/results') });
      expect([...snapshot(out('in/results')).keys()].sort()).toEqual(['in', 'in/a', 'in/results']);
      expect(pathOf(result)).toBe(out('in/results/in'));
    });
  });

  it('what is weft’s own is no place for outputs', async () => {
    const before = process.env['WEFT_HOME'];
    process.env['WEFT_HOME'] = out('home');
    world.write('out/home/redis/aof', 'state');
    try {
      expect(pathOf(await staysAsItWas({ o: world.folder('home', world.file('x', 'x')), p: world.file('.weft-outdir-lock', 'x') }))).toBe(
        out('2/home'),
      );
      await expect(world.deliver({}, { to: out('home/redis/new') })).rejects.toThrow(/where weft keeps its own files/);
    } finally {
      if (before === undefined) delete process.env['WEFT_HOME'];
      else process.env['WEFT_HOME'] = before;
    }
  });
});

describe('others in the same folder', () => {
  it('what came or changed while the run was under way stays; what was there before is replaced', async () => {
    world.write('out/before', 'old');
    world.write('out/changed', 'old');
    passTick(world.root);
    const folder = await lookAtOutdir(world.outdir);
    world.write('out/changed', 'by somebody else');
    world.write('out/came', 'by somebody else');
    const outputs = { a: world.file('before', 'new'), b: world.file('changed', 'new'), c: world.file('came', 'new') };
    const result = await world.deliver(outputs, { folder });
    const paths = Object.values(result.outputs).map((file) => (file as FileValue).path);
    expect(paths).toEqual([out('before'), out('2/changed'), out('2/came')]);
    expect([text(out('changed')), text(out('came')), untruths(result.outputs)]).toEqual(['by somebody else', 'by somebody else', []]);
  });

  it('of three runs at once each has its own files, whether the name was new or not', async () => {
    world.write('out/old', 'old');
    passTick(world.root);
    const folders = await Promise.all([1, 2, 3].map(() => lookAtOutdir(world.outdir)));
    const results = await Promise.all(
      folders.map((folder, n) =>
        world.deliver(
          {
            o: world.file(`${n}/old`, `old ${n}`),
            p: world.file(`${n}/new`, `new ${n}`),
            q: world.folder('d', world.file(`${n}/x`, `x ${n}`)),
          },
          { folder },
        ),
      ),
    );
    for (const { outputs } of results) expect(untruths(outputs)).toEqual([]);
    const paths = results.map(({ outputs }) => (outputs['o'] as FileValue).path);
    expect(paths.sort()).toEqual([out('2/old'), out('3/old'), out('old')]);
    expect(readdirSync(world.outdir).sort()).toEqual(['2', '3', 'd', 'new', 'old']);
  });

  it('runs one after the other replace their files', async () => {
    await world.deliver({ o: [world.file('1/x', 'a'), world.file('2/x', 'b')] });
    const { outputs, told } = await world.deliver({ o: [world.file('1/x', 'c'), world.file('2/x', 'd')] });
    expect([untruths(outputs), told, [...snapshot(world.outdir).keys()].sort()]).toEqual([[], [], ['2', '2/x', 'x']]);
  });

  /** Does something just before the first call of this kind on this name. */
  function meddling(call: 'link' | 'rename' | 'mkdir', name: string, meddle: () => void): FileOps {
    let isDone = false;
    const watched = async (...args: unknown[]): Promise<unknown> => {
      const target = String(args.at(call === 'mkdir' ? 0 : 1));
      if (!isDone && target.endsWith(`/${name}`)) {
        isDone = true;
        meddle();
      }
      return (files[call] as (...all: unknown[]) => Promise<unknown>)(...args);
    };
    return { ...files, [call]: watched } as FileOps;
  }

  it.each<['link' | 'mkdir', string, string, string]>([
    ['link', 'x', 'out/x', 'x'],
    ['mkdir', 'd', 'out/d', 'd'],
    ['link', 'y', 'out/d/y', 'd'],
  ])('what comes before %s(%s) stays: everything is taken back, looked at again, and goes beside', async (call, name, theirs, beside) => {
    world.write('out/a', 'old');
    const outputs = { a: world.file('a', 'new'), x: world.file('x', 'ours'), d: world.folder('d', world.file('y', 'y')) };
    const result = await world.deliver(outputs, { ops: meddling(call, name, () => world.write(theirs, 'theirs')) });
    const paths = Object.values(result.outputs).map((file) => (file as FileValue).path);
    expect(paths).toEqual(['a', 'x', 'd'].map((at) => out(at === beside ? `2/${at}` : at)));
    expect([text(join(world.root, theirs)), untruths(result.outputs)]).toEqual(['theirs', []]);
  });

  it('a file that becomes another one in between is not replaced', async () => {
    world.write('out/a', 'old');
    const theirs = world.write('theirs', 'theirs');
    const outputs = { x: world.file('x', 'x'), o: world.file('a', 'new') };
    const result = await world.deliver(outputs, { ops: meddling('link', 'x', () => renameSync(theirs, out('a'))) });
    expect([(result.outputs['o'] as FileValue).path, text(out('a')), untruths(result.outputs)]).toEqual([out('2/a'), 'theirs', []]);
  });

  it('what was put there and is replaced by others before all is done is told, and stays', async () => {
    const theirs = world.write('theirs', 'theirs');
    const outputs = { x: world.file('x', 'x'), y: world.file('y', 'y') };
    const ops = meddling('link', 'y', () => renameSync(theirs, out('x')));
    await expect(world.deliver(outputs, { ops })).rejects.toThrow(/x was replaced by something else/);
    expect([text(out('x')), readdirSync(world.outdir)]).toEqual(['theirs', ['x']]);
  });

  it('a folder that becomes a link in between is not written through', async () => {
    mkdirSync(out('d'));
    const elsewhere = join(world.root, 'elsewhere');
    mkdirSync(elsewhere);
    const swap = (): void => {
      renameSync(out('d'), out('was-d'));
      symlinkSync(elsewhere, out('d'));
    };
    const outputs = { first: world.file('0', 'x'), o: world.folder('d', world.file('y', 'y')) };
    const result = await world.deliver(outputs, { ops: meddling('link', '0', swap) });
    expect([(result.outputs['o'] as DirectoryValue).path, readdirSync(elsewhere), untruths(result.outputs)]).toEqual([out('2/d'), [], []]);
  });
});

describe('file systems that can less', () => {
  const failing =
    (code: string): (() => Promise<never>) =>
    () =>
      Promise.reject(Object.assign(new Error(code), { code }));

  it('without hard links', async () => {
    world.write('out/old', 'old');
    mkdirSync(out('x'));
    const outputs = { o: world.file('x', 'new'), p: world.file('old', 'newer'), q: world.folder('d', world.file('y', 'y')) };
    const result = await world.deliver(outputs, { ops: { ...files, link: failing('EPERM') } });
    expect(untruths(result.outputs)).toEqual([]);
    expect([...snapshot(world.outdir).keys()].sort()).toEqual(['2', '2/x', 'd', 'd/y', 'old', 'x']);
  });

  describe.each(['File', 'Directory'] as const)('an input %s that cannot be looked at', (kind) => {
    const delivered = async (code: string): Promise<{ outputs: CwlObject; told: string[] }> => {
      const input = kind === 'File' ? world.write('out/x', 'input') : dirname(world.write('out/d/kept', 'input'));
      const inputs = { i: { class: kind, location: pathToFileURL(input).href } as FileValue | DirectoryValue };
      const stat = (path: string, options: never): unknown => (path === input ? failing(code)() : files.stat(path, options));
      passTick(world.root);
      return world.deliver(
        { o: [world.file('x', 'new'), world.folder('d', world.file('y', 'new'))], n: world.file('z', 'new') },
        { inputs, ops: { ...files, stat } as unknown as FileOps },
      );
    };

    it.each(['EIO', 'EACCES', 'ESTALE'])('by %s may be whatever lies in the way', async (code) => {
      const { outputs, told } = await delivered(code);
      expect(untruths(outputs)).toEqual([]);
      const [lies, beside] = kind === 'File' ? ['x', '2/x'] : ['d/kept', '2/d/y'];
      expect([text(out(lies)), text(out(beside)), text(out('z'))]).toEqual(['input', 'new', 'new']);
      expect(told).toEqual([expect.stringMatching(new RegExp(`may be an input of the run: .* cannot be looked at \\(${code}\\)`))]);
    });

    it.each(['ENOENT', 'ENOTDIR', 'ELOOP'])('by %s is nowhere', async (code) => {
      const { outputs, told } = await delivered(code);
      expect([untruths(outputs), told]).toEqual([[], []]);
      expect([text(out('x')), text(out('d/y')), text(out('z'))]).toEqual(['new', 'new', 'new']);
    });
  });

  it('that do not tell upper from lower case', async () => {
    const low = (path: unknown): string => String(path).replace(/[^/]+$/, (name) => name.toLowerCase());
    const both = (call: 'link' | 'rename') => (from: unknown, to: unknown) => files[call](low(from), low(to));
    const one =
      <A extends unknown[], R>(call: (path: string, ...rest: A) => R) =>
      (path: unknown, ...rest: A): R =>
        call(low(path), ...rest);
    const ops = {
      ...files,
      link: both('link'),
      rename: both('rename'),
      ...Object.fromEntries(
        (['lstat', 'stat', 'mkdir', 'open', 'unlink', 'rmdir', 'writeFile'] as const).map((call) => [call, one(files[call] as never)]),
      ),
    } as unknown as FileOps;
    const named = (name: string, content: string): FileValue => ({ class: 'File', basename: name, contents: content });
    const { outputs } = await world.deliver(
      { o: [named('Data', '1'), named('DATA', '2')], d: world.folder('E'), e: world.folder('e') },
      { ops },
    );
    expect((outputs['o'] as FileValue[]).map(({ path }) => path)).toEqual([out('Data'), out('2/DATA')]);
    expect([...snapshot(world.outdir).keys()].sort()).toEqual(['2', '2/data', '2/e', 'data', 'e']);
    await expect(world.deliver({ o: world.folder('f', named('A', '1'), named('a', '2')) }, { ops })).rejects.toThrow(
      /does not tell A from a/,
    );
  });
});

describe('what is left behind', () => {
  it('nothing, also not a folder that was made for it, where it fails', async () => {
    const to = out('new/deep');
    const outputs = { a: world.file('a', 'a'), o: { class: 'File', location: world.uri('store/gone'), basename: 'gone' } };
    await expect(world.deliver(outputs, { to })).rejects.toThrow(/gone/);
    expect(snapshot(world.outdir).size).toBe(0);
  });

  it.each<['link' | 'mkdir', string]>([
    ['link', 'z'],
    ['mkdir', 'd'],
  ])('where %s(%s) fails for good, what was replaced already has its old bytes again, and is the same file', async (call, name) => {
    world.write('out/a', 'old a');
    world.write('out/b', 'old b');
    linkSync(out('b'), join(world.root, 'other-name'));
    const before = snapshot(world.root);
    const fault = (...args: unknown[]): Promise<unknown> =>
      String(args.at(call === 'mkdir' ? 0 : 1)).endsWith(`/${name}`)
        ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
        : (files[call] as (...all: unknown[]) => Promise<unknown>)(...args);
    const outputs = {
      a: world.file('a', 'new'),
      b: world.file('b', 'new'),
      c: world.file('c', 'c'),
      z: world.file('z', 'z'),
      d: world.folder('d'),
    };
    const stored = snapshot(world.store);
    await expect(world.deliver(outputs, { ops: { ...files, [call]: fault } as FileOps })).rejects.toThrow(/EIO/);
    expect(snapshot(world.store)).toEqual(stored);
    for (const [path, what] of before) expect([path, snapshot(world.root).get(path)]).toEqual([path, what]);
    expect(readdirSync(world.outdir).sort()).toEqual(['a', 'b']);
  });

  it('what a killed delivery left is removed, what is alive or of another make is not', async () => {
    const { ownerName } = await import('./owner.js');
    const dead = ownerName().replace(/-[0-9a-f]{8}$/, '-00000000');
    const names = [dead, ownerName(), `00000000-1-00000000`].map((owner) => `.weft-delivery-${owner}-01234567`);
    for (const name of [...names, '.weft-delivery-mine']) mkdirSync(out(name), { mode: 0o700 });
    writeFileSync(out(`${names[0]}/1`), 'half');
    linkSync(world.write('out/x', 'placed before it was killed'), out(`${names[0]}/2`));
    world.write(`out/.weft-outdir-lock`, dead);
    await world.deliver({ o: world.file('x', 'x') });
    expect(readdirSync(world.outdir).sort()).toEqual([...names.slice(1), '.weft-delivery-mine', 'x'].sort());
  });

  it('rights to list the folder are not needed', async () => {
    chmodSync(world.outdir, 0o300);
    await world.deliver({ o: world.file('x', 'x') });
    expect(lstatSync(out('x')).isFile()).toBe(true);
    chmodSync(world.outdir, 0o700);
    rmSync(out('x'));
  });
});
