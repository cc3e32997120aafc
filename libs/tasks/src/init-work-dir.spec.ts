import { describe, expect, it } from '@jest/globals';
import type { CommandLineTool, CwlObject, Requirement, WorkDirItem } from '@weft/plan';
import type { BoundTask, TaskRequest } from './api.js';
import { createTaskBuilder } from './task-builder.js';
import { JAVASCRIPT, LAYOUT, fakeEvaluator, memoryFiles, request } from '../test/fakes.js';

const F = { class: 'File', location: 'file:///d/in.txt' };
const D = { class: 'Directory', location: 'file:///d/dir' };

async function bind(
  listing: string | WorkDirItem[],
  inputs: CwlObject = { f: F },
  part: Partial<CommandLineTool> & { more?: Requirement[] } = {},
  asked: Partial<TaskRequest> = {},
): Promise<BoundTask> {
  const { more = [], ...rest } = part;
  const requirements: Requirement[] = [JAVASCRIPT, { class: 'InitialWorkDirRequirement', listing }, ...more];
  const parameters = Object.keys(inputs).map((name) => ({
    name,
    type: ['null', 'File', 'Directory', { type: 'array' as const, items: ['File' as const, 'Directory' as const] }, 'Any'] as never,
  }));
  const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles({ 'file:///d/in.txt': 'x', 'file:///d/dir/a': 'a' }) });
  const prepared = await builder.prepare(request({ requirements, inputs: parameters, ...rest }, inputs, asked));
  return prepared.bind(LAYOUT);
}
const placed = (bound: BoundTask) =>
  bound.spec.inputs.map(
    (one) =>
      `${one.path} ${one.source?.$case ?? '-'} ${one.source?.value ?? ''}${one.writable ? ' w' : ''}${one.inPlace ? ' in-place' : ''}`,
  );
const DOCKER: Requirement = { class: 'DockerRequirement', dockerPull: 'img' };

describe('InitialWorkDirRequirement', () => {
  it.each<[string, string | WorkDirItem[], CwlObject, string[]]>([
    ['text', [{ entryname: 'a.txt', entry: 'one $(1 + 1)\n' }], {}, ['/work/a.txt text one 2\n']],
    ['text without expression', [{ entryname: 'a.txt', entry: ' $HOME ', writable: true }], {}, ['/work/a.txt text  $HOME  w']],
    ['white space around an expression', [{ entryname: 'a', entry: '$("x")\n' }], {}, ['/work/a text x\n']],
    ['an array as JSON', [{ entryname: 'a', entry: '$([1, "x"])' }], {}, ['/work/a text [1, "x"]']],
    [
      'an object as JSON with sorted keys',
      [{ entryname: 'a', entry: '$({b: 1e21, a: null})\n' }],
      {},
      ['/work/a text {"a": null, "b": 1000000000000000000000}\n'],
    ],
    [
      'a File in a block of text: what describes it',
      [{ entryname: 'a', entry: '$({class: "File", location: "file:///d/in.txt"})\n' }],
      {},
      ['/work/a text {"class": "File", "location": "file:///d/in.txt"}\n'],
    ],
    ['a number', [{ entryname: 'a', entry: '$(44.4)' }], {}, ['/work/a text 44.4']],
    [
      'whole numbers of 64 bits',
      [{ entryname: 'a', entry: '$(inputs.n)\n' }, { entryname: 'b', entry: '$({n: [inputs.n]})' }], // prettier-ignore
      { n: 9223372036854775807n },
      ['/work/a text 9223372036854775807\n', '/work/b text {"n": [9223372036854775807]}'],
    ],
    ['null', [{ entryname: 'a', entry: '$(null)' }, '$(null)'], {}, []],
    ['a File', ['$(inputs.f)'], { f: F }, ['/work/in.txt uri file:///d/in.txt']],
    [
      'a File under another name',
      [{ entryname: 'sub/$("b").txt', entry: '$(inputs.f)', writable: true }],
      { f: F },
      ['/work/sub/b.txt uri file:///d/in.txt w'],
    ],
    ['a Directory', [{ entryname: 'w', entry: '$(inputs.d)', writable: true }], { d: D }, ['/work/w uri file:///d/dir w']],
    [
      'a list of Files',
      ['$(inputs.l)', { entry: '$(inputs.l)' }],
      { l: [F, D] },
      ['/work/in.txt uri file:///d/in.txt', '/work/dir uri file:///d/dir'],
    ],
    ['literals in the document', [F, [D]], {}, ['/work/in.txt uri file:///d/in.txt', '/work/dir uri file:///d/dir']],
    [
      'an expression for the whole listing',
      '$([inputs.f, {entryname: "t", entry: "txt", writable: true}])',
      { f: F },
      ['/work/in.txt uri file:///d/in.txt', '/work/t text txt w'],
    ],
    [
      'an empty writable directory',
      [{ entryname: 'e', entry: '$({class: "Directory", listing: []})', writable: true }],
      {},
      ['/work/e -  w'],
    ],
    [
      'a directory literal of inputs',
      '$([{class: "Directory", basename: "s", listing: [inputs.f]}])',
      { f: F },
      ['/work/s - ', '/work/s/in.txt uri file:///d/in.txt'],
    ],
  ])('places %s', async (_name, listing, inputs, expected) => {
    expect(placed(await bind(listing, inputs))).toEqual(expected);
  });

  it('moves the paths of inputs that it places, with their secondary files', async () => {
    const f = { ...F, secondaryFiles: [{ class: 'File', location: 'file:///d/in.txt.idx' }] };
    const bound = await bind(
      [{ entryname: 'bob.txt', entry: '$(inputs.f)' }],
      { f },
      { arguments: ['$(inputs.f.path)', '$(inputs.f.basename)', '$(inputs.f.secondaryFiles[0].path)'] },
    );
    expect(bound.spec.argv).toEqual(['/work/bob.txt', 'bob.txt', '/work/in.txt.idx']);
    expect(placed(bound)).toEqual(['/work/bob.txt uri file:///d/in.txt', '/work/in.txt.idx uri file:///d/in.txt.idx']);
  });

  it('leaves other inputs where they are', async () => {
    const bound = await bind(['$(inputs.f)'], { f: F, g: { class: 'File', location: 'file:///d/other' } });
    expect(placed(bound)).toEqual(['/in/1/other uri file:///d/other', '/work/in.txt uri file:///d/in.txt']);
  });

  it('changes files in place where the author says so', async () => {
    const bound = await bind(
      [{ entry: '$(inputs.f)', writable: true }],
      { f: F },
      { more: [{ class: 'InplaceUpdateRequirement', inplaceUpdate: true }] },
    );
    expect(placed(bound)).toEqual(['/work/in.txt uri file:///d/in.txt w in-place']);
  });

  it('allows an absolute name only in a required container', async () => {
    const listing: WorkDirItem[] = [{ entryname: '/opt/data/x.txt', entry: '$(inputs.f)' }];
    expect(placed(await bind(listing, { f: F }, { more: [DOCKER] }))).toEqual(['/opt/data/x.txt uri file:///d/in.txt']);
    await expect(bind(listing)).rejects.toMatchObject({ code: 'INITIAL_WORK_DIR' });
    await expect(bind(listing, { f: F }, { hints: [DOCKER] })).rejects.toMatchObject({ code: 'INITIAL_WORK_DIR' });
    await expect(bind(listing, { f: F }, { more: [DOCKER] }, { noContainer: true })).rejects.toMatchObject({ code: 'INITIAL_WORK_DIR' });
  });

  it.each<[string, string | WorkDirItem[]]>([
    ['a name above', [{ entryname: '../x', entry: '$(inputs.f)' }]],
    ['a name above, by detour', [{ entryname: 'a/../../x', entry: 'x' }]],
    ['a name with a NUL', [{ entryname: 'a\0', entry: 'text' }]],
    ['a name that is too long', [{ entryname: `a/${'b'.repeat(256)}`, entry: 'text' }]],
    ['a File in the document whose name is none', [{ ...F, basename: '../x' }] as WorkDirItem[]],
    ['no name', [{ entry: 'text' }]],
    ['a name for a list', [{ entryname: 'x', entry: '$([inputs.f])' }]],
    ['a number in the listing', '$([1])'],
    ['two things at one place', [{ entryname: 'x', entry: 'a' }, { entryname: 'x', entry: 'b' }]], // prettier-ignore
  ])('refuses %s', async (_name, listing) => {
    await expect(bind(listing)).rejects.toMatchObject({ name: 'TaskError', code: 'INITIAL_WORK_DIR' });
  });
});
