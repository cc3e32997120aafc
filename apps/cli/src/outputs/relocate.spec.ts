import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CwlObject, DirectoryValue, FileValue } from '@weft/plan';
import { relocateOutputs } from './relocate.js';

describe('relocateOutputs', () => {
  let store: string;
  let outdir: string;
  beforeEach(() => {
    store = mkdtempSync(join(tmpdir(), 'weft-store-'));
    outdir = join(mkdtempSync(join(tmpdir(), 'weft-out-')), 'new');
  });
  afterEach(() => {
    rmSync(store, { recursive: true });
    rmSync(join(outdir, '..'), { recursive: true });
  });
  const put = (path: string, text: string): string => {
    mkdirSync(join(store, path, '..'), { recursive: true });
    writeFileSync(join(store, path), text);
    return pathToFileURL(join(store, path)).href;
  };

  it('copies files, says where they are, and fills in size and checksum', async () => {
    const result = await relocateOutputs(
      { n: 3, out: { class: 'File', location: put('t.1/a #1.txt', 'hello\n'), basename: 'a #1.txt' } },
      outdir,
      {},
    );
    const target = join(outdir, 'a #1.txt');
    expect(readFileSync(target, 'utf8')).toBe('hello\n');
    expect(result).toEqual({
      n: 3,
      out: {
        class: 'File',
        location: pathToFileURL(target).href,
        path: target,
        basename: 'a #1.txt',
        size: 6,
        checksum: 'sha1$f572d396fae9206628714fb2ce00f72e94f2258f',
      },
    });
  });

  it('keeps both of two equally named outputs', async () => {
    const outputs = {
      out: [put('t.1/out.txt', 'one'), put('t.2/out.txt', 'two')].map((location) => ({ class: 'File', location, basename: 'out.txt' })),
    };
    const { out } = (await relocateOutputs(outputs, outdir, {})) as { out: FileValue[] };
    expect(out.map(({ path, basename }) => [readFileSync(path ?? '', 'utf8'), basename])).toEqual([
      ['one', 'out.txt'],
      ['two', 'out.txt'],
    ]);
  });

  it('writes literals and directories with their listing', async () => {
    put('dir/b/deep.txt', 'deep');
    const outputs: CwlObject = {
      note: { class: 'File', basename: 'note.txt', contents: 'text' },
      stored: { class: 'Directory', location: pathToFileURL(join(store, 'dir')).href, basename: 'dir' },
      made: { class: 'Directory', basename: 'made', listing: [{ class: 'File', location: put('x.txt', 'x'), basename: 'renamed.txt' }] },
    };
    const result = await relocateOutputs(outputs, outdir, {});
    expect(readFileSync(join(outdir, 'note.txt'), 'utf8')).toBe('text');
    expect(readFileSync(join(outdir, 'dir/b/deep.txt'), 'utf8')).toBe('deep');
    expect(readFileSync(join(outdir, 'made/renamed.txt'), 'utf8')).toBe('x');
    const deep = ((result['stored'] as DirectoryValue).listing?.[0] as DirectoryValue).listing?.[0];
    expect(deep).toMatchObject({ class: 'File', basename: 'deep.txt', size: 4, path: join(outdir, 'dir/b/deep.txt') });
  });

  it('never overwrites an input of the run', async () => {
    mkdirSync(outdir);
    writeFileSync(join(outdir, 'data.csv'), 'precious');
    const input = { class: 'File', location: pathToFileURL(join(outdir, 'data.csv')).href };
    const outputs = { out: { class: 'File', location: put('t.1/data.csv', 'new'), basename: 'data.csv' }, passed: input };
    const result = (await relocateOutputs(outputs, outdir, { in: input })) as { out: FileValue; passed: FileValue };
    expect(readFileSync(join(outdir, 'data.csv'), 'utf8')).toBe('precious');
    expect(result.out.path).toBe(join(outdir, '2/data.csv'));
    expect(result.passed.path).toBe(join(outdir, 'data.csv'));
  });

  it('says which file is missing', async () => {
    const outputs = { out: { class: 'File', location: pathToFileURL(join(store, 'gone')).href, basename: 'gone' } };
    await expect(relocateOutputs(outputs, outdir, {})).rejects.toThrow(/gone is not on this machine/);
  });
});
