import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import type { CwlValue } from '@weft/plan';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import fc from 'fast-check';
import { ResultReach, type ResultScope } from './result-reach.js';

const DATA = 'file:///srv/weft/data/';
const PROJECTS: Record<string, string> = { 'r-mine': 'p', 'r-earlier': 'p', 'r-theirs': 'q', 'r-nobodys': '' };
const ME: ResultScope = { runId: 'r-mine', projectId: 'p' };
const unused = (): Promise<never> => Promise.reject(new Error('not looked at'));

function reach(dataUri = DATA): { reach: ResultReach; asked: string[] } {
  const asked: string[] = [];
  const projectOf = (runId: string): Promise<string | undefined> => {
    asked.push(runId);
    return Promise.resolve(PROJECTS[runId]);
  };
  const files = { stat: () => Promise.resolve({ kind: 'file' as const, size: 1 }), readText: unused, list: unused };
  return { reach: new ResultReach({ dataUri, projectOf, files }), asked };
}

const sees = (uri: string, scope = ME, dataUri = DATA): Promise<boolean> =>
  reach(dataUri)
    .reach.check(uri, scope)
    .then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({
          code: 'ACCESS',
          message: `${uri} is no result of this run or of its project, and cannot be an input`,
        });
        return false;
      },
    );

const OWN = [`${DATA}runs/r-mine/t.1/x`, `${DATA}runs/r-earlier/t.1/x`, `${DATA}runs/r-earlier/logs/t.1.stderr`];
const ELSEWHERE = [
  'file:///srv/weft/inputs/x',
  'file:///srv/weft/dat',
  'file:///srv/weft/database/x',
  'https://h/x',
  's3://b/data/runs/r-theirs/x',
  'data:,x',
];
const NOT_OURS = [
  `${DATA}runs/r-theirs/t.1/x`,
  `${DATA}runs/r-nobodys/t.1/x`,
  `${DATA}runs/r-gone/t.1/x`,
  `${DATA}runs/r-mine`,
  `${DATA}runs/r-mine/../r-theirs/t.1/x`,
  `${DATA}runs/r-mine/%2e%2e/r-theirs/t.1/x`,
  `${DATA}runs/r-mine/t.1/../../r-theirs/t.1/x`,
  'file:///srv/./weft//data/runs/r-theirs/t.1/x',
  'FILE://localhost/srv/weft/data/runs/r-theirs/t.1/x',
  'file:///srv/weft/inputs/../data/runs/r-theirs/t.1/x',
  'file:///srv/weft/d%61ta/runs/r-theirs/t.1/x',
  `${DATA}archive/p/r-theirs.jsonl.gz`,
  `${DATA}cache/key.t.1/x`,
  `${DATA}.trash/x`,
  `${DATA}runs`,
  `${DATA}runs/.x/y/z`,
  DATA,
  'file:///srv/weft/data',
];

describe('whose results a run sees', () => {
  it.each(OWN)('sees %s', async (uri) => expect(await sees(uri)).toBe(true));
  it.each(ELSEWHERE)('says nothing of %s', async (uri) => expect(await sees(uri)).toBe(true));
  it.each(NOT_OURS)('does not see %s', async (uri) => expect(await sees(uri)).toBe(false));

  it('is its own run for a job that does not say its project, and its project for what is no run yet', async () => {
    expect(await sees(OWN[0] ?? '', { runId: 'r-mine' })).toBe(true);
    expect(await sees(OWN[1] ?? '', { runId: 'r-mine' })).toBe(false);
    expect(await sees(OWN[0] ?? '', { projectId: 'p' })).toBe(true);
    expect(await sees(OWN[0] ?? '', { projectId: 'q' })).toBe(false);
    // Of who names no project, the runs without one.
    expect(await sees(`${DATA}runs/r-nobodys/t.1/x`, { projectId: '' })).toBe(true);
  });

  it('goes by the prefix where results lie in a bucket', async () => {
    const bucket = 's3://b/weft/';
    expect(await sees(`${bucket}runs/r-earlier/t.1/x`, ME, bucket)).toBe(true);
    expect(await sees(`${bucket}runs/r-theirs/t.1/x`, ME, bucket)).toBe(false);
    expect(await sees(`${bucket}archive/x`, ME, bucket)).toBe(false);
    expect(await sees('s3://b/inputs/x', ME, bucket)).toBe(true);
  });

  it('is by every name of the directory', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-reach-')));
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    const dataUri = `${pathToFileUri(join(folder, 'link/data'))}/`;
    for (const name of ['real', 'link'])
      expect(await sees(pathToFileUri(join(folder, name, 'data/runs/r-theirs/t.1/x')), ME, dataUri)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('asks nothing about what the run published itself, and once about another run', async () => {
    const { reach: looking, asked } = reach();
    const file = (location: string): CwlValue => ({ class: 'File', location });
    const many = Array.from({ length: 50 }, (_, n) => file(`${DATA}runs/r-mine/t.${n}/x`));
    await looking.checkValues({ many, deep: [{ in: file(OWN[1] ?? '') }, file(`${DATA}runs/r-earlier/u.1/y`)] }, ME);
    expect(asked).toEqual(['r-earlier']);
  });

  it.each<[string, CwlValue]>([
    ['a secondary file', { class: 'File', location: 'file:///in/x', secondaryFiles: [{ class: 'File', location: NOT_OURS[0] ?? '' }] }],
    ['an entry of a listing', { class: 'Directory', listing: [{ class: 'File', location: NOT_OURS[0] ?? '' }] }],
    ['what only begins as its own', { class: 'File', location: NOT_OURS[4] ?? '' }],
    ['what only begins as its own, escaped', { class: 'File', location: NOT_OURS[5] ?? '' }],
    ['a record', { a: { b: [{ class: 'Directory', location: `${DATA}runs` }] } }],
  ])('looks into %s', async (_what, value) => {
    await expect(reach().reach.checkValues({ value }, ME)).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  it('is asked for what a task is given, images that are loaded included', async () => {
    const input = (value: string): executor.Input => executor.Input.fromPartial({ path: '/in/0/x', source: { $case: 'uri', value } });
    const given = (value: string, image?: Partial<executor.Image>): Promise<void> =>
      reach().reach.checkSpec({ inputs: [input(value)], image: image && executor.Image.fromPartial(image) }, ME);
    await given(OWN[1] ?? '', { loadUri: 'file:///in/image.tar' });
    for (const other of [NOT_OURS[0], NOT_OURS[4], NOT_OURS[5]])
      await expect(given(other ?? '')).rejects.toMatchObject({ code: 'INPUT_FILE' });
    for (const field of ['loadUri', 'importUri'])
      await expect(given('file:///in/x', { [field]: NOT_OURS[0] })).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  it('is kept by whoever reads for expressions', async () => {
    const files = reach().reach.filesOf(ME);
    await expect(files.stat(OWN[0] ?? '')).resolves.toMatchObject({ kind: 'file' });
    const other = NOT_OURS[0] ?? '';
    for (const look of [() => files.stat(other), () => files.readText(other, 1), () => files.list(other)])
      await expect(look()).rejects.toMatchObject({ code: 'ACCESS' });
  });

  it('agrees with storage, whatever a URI looks like', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-reach-')));
    const data = join(folder, 'data');
    for (const run of ['r-mine', 'r-theirs']) mkdirSync(join(data, 'runs', run, 't.1'), { recursive: true });
    mkdirSync(join(folder, 'inputs'));
    writeFileSync(join(data, 'runs/r-theirs/t.1/x'), 'secret');
    writeFileSync(join(data, 'runs/r-mine/t.1/x'), 'mine');
    symlinkSync(join(data, 'runs/r-theirs'), join(folder, 'inputs/link'));
    symlinkSync(join(data, 'runs/r-theirs/t.1'), join(data, 'runs/r-mine/t.1/link'));
    const storage = new LocalStorage({ own: { closed: [], open: [data], results: data } });
    const { reach: looking } = {
      reach: new ResultReach({ dataUri: `${pathToFileUri(data)}/`, projectOf: (run) => Promise.resolve(PROJECTS[run]), files: storage }),
    };
    const files = looking.filesOf(ME);
    const piece = fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '',
      'data',
      'runs',
      'r-mine',
      'r-theirs',
      't.1',
      'x',
      'link',
      'inputs',
      '%78',
      'd%61ta',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 9 }), fc.constantFrom('file://', 'FILE:', 'file://localhost'), async (path, scheme) => {
        const read = await files.readText(`${scheme}${folder}/${path.join('/')}`, 100).catch(() => undefined);
        expect(read).not.toBe('secret');
      }),
      { numRuns: 2_000 },
    );
    // The generator does find files.
    await expect(files.readText(`file://${folder}/data/runs/r-mine/./t.1/%78`, 100)).resolves.toBe('mine');
    for (const around of ['inputs/link/t.1/x', 'data/runs/r-mine/t.1/link/x'])
      await expect(files.readText(`file://${folder}/${around}`, 100)).rejects.toMatchObject({ code: 'ACCESS' });
    rmSync(folder, { recursive: true });
  });
});
