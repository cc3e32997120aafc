import { describe, expect, it } from '@jest/globals';
import type { CwlObject, CwlType, CwlValue, InputParameter, Plan, SecondaryFile } from '@weft/plan';
import { resolveInputFiles, type InputFileAccess } from './resolve-files.js';
import { applySuffix } from './secondary-files.js';

function planOf(parameter: Omit<InputParameter, 'name'>, processClass: 'CommandLineTool' | 'ExpressionTool' = 'CommandLineTool'): Plan {
  const base = { id: 'main', inputs: [{ name: 'x', ...parameter }], outputs: [], requirements: [], hints: [], declaredVersion: 'v1.2' };
  const tool = { baseCommand: [], arguments: [], successCodes: [], temporaryFailCodes: [], permanentFailCodes: [] };
  const main =
    processClass === 'CommandLineTool' ? { ...base, ...tool, class: processClass } : { ...base, class: processClass, expression: '$(1)' };
  return { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: { main } };
}

class Refusal extends Error {
  constructor(readonly code: string) {
    super(`refused: ${code}`);
  }
}

function storage(files: string[], directories: string[] = []): InputFileAccess & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async stat(uri) {
      asked.push(uri);
      if (uri.startsWith('https:')) throw new Refusal('UNSUPPORTED');
      if (uri.includes('secret')) throw new Refusal('ACCESS');
      if (files.includes(uri)) return { kind: 'file' };
      if (directories.includes(uri)) return { kind: 'directory' };
      throw new Refusal('NOT_FOUND');
    },
    async list(uri) {
      const below = [...files, ...directories].filter((one) => one.startsWith(`${uri}/`) && !one.slice(uri.length + 1).includes('/'));
      return below.map((one) => ({ name: decodeURIComponent(one.slice(uri.length + 1)) }));
    },
  };
}

const file = (name: string, more: CwlObject = {}): CwlObject => ({
  class: 'File',
  location: `file:///d/${encodeURIComponent(name)}`,
  basename: name,
  ...more,
});
const array: CwlType = { type: 'array', items: 'File' };
const messages = (result: { diagnostics: { message: string }[] }) => result.diagnostics.map((d) => d.message);

describe('a Directory with a location and a listing', () => {
  const here = storage(['file:///d/a', 'file:///d/s/b%20c', 'file:///e/x'], ['file:///d', 'file:///d/s']);
  const entry = (location: string, basename: string, more: CwlObject = {}): CwlObject => ({ class: 'File', location, basename, ...more });
  const sub: CwlObject = { class: 'Directory', location: 'file:///d/s', basename: 's', listing: [entry('file:///d/s/b%20c', 'b c')] };
  const whole = [entry('file:///d/a', 'a'), sub];
  it.each<[string, CwlObject[], boolean]>([
    ['what lies there', whole, true],
    ['less', [whole[0]!], false],
    ['nothing', [], false],
    ['more', [...whole, entry('file:///e/x', 'x')], false],
    ['other names', [entry('file:///d/a', 'b'), sub], false],
    ['another file of the name', [entry('file:///e/x', 'a'), sub], false],
    ['a file made of text', [{ class: 'File', basename: 'a', contents: 'x' }, sub], false],
    ['something beside a file', [entry('file:///d/a', 'a', { secondaryFiles: [entry('file:///e/x', 'x')] }), sub], false],
  ])('that says %s', async (_name, listing, kept) => {
    const value = { class: 'Directory', location: 'file:///d', basename: 'd', listing } as CwlObject;
    const { inputs, diagnostics } = await resolveInputFiles(planOf({ type: 'Directory' }), { x: value }, here);
    expect(diagnostics).toEqual([]);
    const { location: _location, ...made } = value;
    expect(inputs).toEqual({ x: kept ? value : made });
  });

  it('is changed below, and so is made as a whole', async () => {
    const made = { class: 'Directory', basename: 'd', listing: [whole[0], { ...sub, listing: [] }] } as CwlObject;
    const { inputs } = await resolveInputFiles(planOf({ type: 'Directory' }), { x: { ...made, location: 'file:///d' } }, here);
    expect(inputs).toEqual({ x: { ...made, listing: [whole[0], { class: 'Directory', basename: 's', listing: [] }] } });
  });
});

describe('suffix patterns', () => {
  it.each([
    ['x.bam', '.bai', 'x.bam.bai'],
    ['x.bam', '^.bai', 'x.bai'],
    ['x.tar.gz', '^^.idx', 'x.idx'],
    ['x', '^.idx', 'x.idx'],
    ['x.a', '^^^.idx', 'x.idx'],
    ['.hidden', '^.idx', '.hidden.idx'],
  ])('%s with %s is %s', (basename, pattern, expected) => {
    expect(applySuffix(basename, pattern)).toBe(expected);
  });
});

describe('existence and kind', () => {
  it.each<[string, CwlType, CwlValue, string[]]>([
    ['a file that is there', 'File', file('a#1'), []],
    ['a literal', 'File', { class: 'File', contents: 'x' }, []],
    ['what cannot be looked at from here', 'File', { class: 'File', location: 'https://h/x', basename: 'x' }, []],
    ['a missing file', 'File', file('b c'), ["input 'x': /d/b c does not exist"]],
    ['a file that may not be read', 'File', file('secret'), ["input 'x': refused: ACCESS"]],
    ['a directory for a file', 'File', file('dir'), ["input 'x': /d/dir is a directory, not a File"]],
    ['a file for a directory', 'Directory', { ...file('a#1'), class: 'Directory' }, ["input 'x': /d/a#1 is a file, not a Directory"]],
    [
      'several problems',
      array,
      [file('b'), file('a#1'), file('c')],
      ["item 1 of input 'x': /d/b does not exist", "item 3 of input 'x': /d/c does not exist"],
    ],
    ['a secondary file', 'File', file('a#1', { secondaryFiles: [file('z')] }), ["secondary file of input 'x': /d/z does not exist"]],
    [
      'an entry of a literal directory',
      'Directory',
      { class: 'Directory', basename: 'd', listing: [file('z')] },
      ["entry of input 'x': /d/z does not exist"],
    ],
    ['a file deep inside Any', 'Any', { a: [{ b: file('z') }] }, ["field 'b' of item 1 of field 'a' of input 'x': /d/z does not exist"]],
  ])('%s', async (_name, type, value, expected) => {
    const access = storage(['file:///d/a%231'], ['file:///d/dir']);
    const result = await resolveInputFiles(planOf({ type }), { x: value }, access);
    expect(messages(result)).toEqual(expected);
    expect(result.inputs).toEqual(expected.length === 0 ? { x: value } : undefined);
  });
  it('looks at every place once', async () => {
    const access = storage(['file:///d/a']);
    await resolveInputFiles(planOf({ type: array }), { x: Array.from({ length: 50 }, () => file('a')) }, access);
    expect(access.asked).toEqual(['file:///d/a']);
  });
});

describe('secondary files', () => {
  const there = storage(
    ['file:///d/a.bam', 'file:///d/a.bam.bai', 'file:///d/a.idx', 'file:///d/x%231.bam', 'file:///d/x%231.bam.bai'],
    ['file:///d/a.dir'],
  );
  const names = async (primary: CwlValue, secondaryFiles: SecondaryFile[], type: CwlType = 'File') => {
    const evaluator = {
      evaluate: async (expression: string, context: { self: CwlValue }) => answers[expression]?.(context.self as CwlObject) ?? null,
    };
    const result = await resolveInputFiles(planOf({ type, secondaryFiles }), { x: primary }, there, { evaluator });
    return result.inputs
      ? JSON.stringify(result.inputs['x'])
          .match(/"basename":"[^"]*"/g)
          ?.map((m) => m.slice(12, -1))
      : messages(result);
  };
  const answers: Record<string, (self: CwlObject) => CwlValue> = {
    '$(name)': (self) => `${String(self['nameroot'])}.idx`,
    '$(files)': () => [{ class: 'File', location: 'file:///d/a.bam.bai', basename: 'renamed' }],
    '$(number)': () => 5,
    '$(above)': () => 'e/..',
    '$(hidden)': () => 'a\0b',
    '$(made)': () => ({ class: 'File', contents: '', basename: '../x' }),
    '$(yes)': () => true,
  };
  it.each<[SecondaryFile[], string[]]>([
    [[{ pattern: '.bai' }], ['a.bam', 'a.bam.bai']],
    [
      [{ pattern: '^.idx' }, { pattern: '^.dir' }],
      ['a.bam', 'a.idx', 'a.dir'],
    ],
    [[{ pattern: '.none', required: false }], ['a.bam']],
    [[{ pattern: '.none' }], ["input 'x': its secondary file /d/a.bam.none does not exist"]],
    [[{ pattern: '.none', required: '$(yes)' }], ["input 'x': its secondary file /d/a.bam.none does not exist"]],
    [[{ pattern: '.none', required: '$(null)' }], ['a.bam']],
    [
      [{ pattern: '$(name)' }, { pattern: '$(files)' }],
      ['a.bam', 'a.idx', 'renamed'],
    ],
    [[{ pattern: '$(null)' }], ['a.bam']],
    [[{ pattern: '$(number)' }], ["input 'x': secondaryFiles: '$(number)' must give file names or Files; it gave 5"]],
    [[{ pattern: '$(above)' }], ["input 'x': secondaryFiles: '$(above)' must give file names; \"e/..\" means a folder itself"]],
    [[{ pattern: '$(hidden)' }], ["input 'x': secondaryFiles: '$(hidden)' must give file names; \"a\\u0000b\" holds a NUL"]],
    [
      [{ pattern: '$(made)' }],
      ['input \'x\': secondaryFiles: \'$(made)\' must give file names or Files; it gave {"class":"File","contents":"","basename":"../x"}'],
    ],
  ])('%j', async (patterns, expected) => {
    expect(await names(file('a.bam'), patterns)).toEqual(expected);
  });
  it('those given are not looked for', async () => {
    expect(
      await names(file('a.bam', { secondaryFiles: [{ class: 'File', location: 'file:///d/a.idx', basename: 'a.bam.none' }] }), [
        { pattern: '.none' },
      ]),
    ).toEqual(['a.bam', 'a.bam.none']);
  });
  it('of names with special characters, in lists', async () => {
    expect(await names([file('x#1.bam')], [{ pattern: '.bai' }], ['null', array])).toEqual(['x#1.bam', 'x#1.bam.bai']);
  });
  it('of record fields', async () => {
    const type: CwlType = { type: 'record', fields: [{ name: 'f', type: 'File', secondaryFiles: [{ pattern: '.bai' }] }] };
    expect(await names({ f: file('a.bam') }, [], type)).toEqual(['a.bam', 'a.bam.bai']);
  });
  it('of a literal have to be given', async () => {
    expect(await names({ class: 'File', contents: '', basename: 'l' }, [{ pattern: '.bai' }])).toEqual([
      "input 'x': its secondary file l.bai is not given",
    ]);
  });
  it('an expression without an evaluator is a problem', async () => {
    const result = await resolveInputFiles(planOf({ type: 'File', secondaryFiles: [{ pattern: '$(name)' }] }), { x: file('a.bam') }, there);
    expect(messages(result)).toEqual(["input 'x': secondaryFiles: '$(name)' cannot be evaluated here"]);
  });
});

describe('formats', () => {
  const formats = { 'http://f/bam': ['http://f/alignment'], 'http://f/alignment': ['http://f/data'], 'http://f/data': ['http://f/bam'] };
  it.each<[string | undefined, string | string[], string[]]>([
    ['http://f/bam', 'http://f/bam', []],
    ['http://f/bam', 'http://f/data', []],
    ['http://f/text', ['http://f/bam', 'http://f/text'], []],
    ['http://f/text', 'http://f/data', ["input 'x': the format is http://f/text; wanted is http://f/data"]],
    [undefined, 'http://f/data', ["input 'x': the File says no format; wanted is http://f/data"]],
  ])('%s where %j is wanted', async (given, wanted, expected) => {
    const plan = { ...planOf({ type: 'File', format: wanted }, 'ExpressionTool'), formats };
    const value = given === undefined ? file('a') : file('a', { format: given });
    expect(messages(await resolveInputFiles(plan, { x: value }, storage(['file:///d/a'])))).toEqual(expected);
  });
});
