import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nameInUri, type CwlObject, type CwlType, type CwlValue, type InputParameter, type Plan } from '@weft/plan';
import { bindInputs } from './bind.js';
import { jobFromArguments } from './arguments.js';
import { describeInputs } from './describe.js';
import { pathToUri } from './file-values.js';
import { jobToolReference, parseJob } from './job.js';

const BASE = 'file:///jobs/job.yml';

function planOf(...inputs: InputParameter[]): Plan {
  const tool = { class: 'CommandLineTool', id: 'main', inputs, outputs: [], requirements: [], hints: [], declaredVersion: 'v1.2' } as const;
  const rest = { baseCommand: ['true'], arguments: [], successCodes: [0], temporaryFailCodes: [], permanentFailCodes: [] };
  return {
    planVersion: 1,
    cwlVersion: 'v1.2',
    root: 'main',
    processes: { main: { ...tool, requirements: [], hints: [], outputs: [], ...rest } },
  };
}

const bindText = (plan: Plan, text: string) => bindInputs({ plan, job: parseJob(text, BASE), baseUri: BASE });
const bindX = (type: CwlType, text: string) => bindText(planOf({ name: 'x', type }), text);
const record = (...fields: [string, CwlType][]): CwlType => ({ type: 'record', fields: fields.map(([name, type]) => ({ name, type })) });
const array = (items: CwlType): CwlType => ({ type: 'array', items });
const colour: CwlType = { type: 'enum', symbols: ['red', 'green'] };

describe('values that fit', () => {
  it.each<[CwlType, string, CwlValue]>([
    ['int', 'x: 5', 5],
    ['int', 'x: -2147483648', -2147483648],
    ['long', 'x: 4147483647', 4147483647],
    ['float', 'x: 5', 5],
    ['double', 'x: 1e42', 1e42],
    ['string', 'x: 2020-01-01', '2020-01-01'],
    ['boolean', 'x: false', false],
    [['null', 'int'], 'x: null', null],
    [['null', 'int'], '', null],
    [['int', 'string'], 'x: abc', 'abc'],
    [array('string'), 'x: [a, b]', ['a', 'b']],
    [colour, 'x: red', 'red'],
    ['Any', 'x: {a: [1, null]}', { a: [1, null] }],
    [record(['a', 'int'], ['b', ['null', 'string']]), 'x: {a: 1}', { a: 1, b: null }],
    [[record(['a', 'int']), record(['b', 'int'])], 'x: {b: 1}', { b: 1 }],
    [[record(['a', ['null', 'int']]), record(['b', 'int'])], 'x: {b: 1}', { b: 1 }],
    ['File', 'x: {class: File, path: a.txt}', { class: 'File', location: 'file:///jobs/a.txt', basename: 'a.txt' }],
    [
      'File',
      'x: {class: File, path: /d/a b#1%20?.txt}',
      { class: 'File', location: 'file:///d/a%20b%231%2520%3F.txt', basename: 'a b#1%20?.txt' },
    ],
    [
      'File',
      'x: {class: File, location: "octo/item %231.txt"}',
      { class: 'File', location: 'file:///jobs/octo/item%20%231.txt', basename: 'item #1.txt' },
    ],
    ['File', 'x: {class: File, location: A%3AB}', { class: 'File', location: 'file:///jobs/A:B', basename: 'A:B' }],
    ['File', 'x: {class: File, path: "A:B"}', { class: 'File', location: 'file:///jobs/A:B', basename: 'A:B' }],
    ['File', 'x: {class: File, path: é.txt}', { class: 'File', location: 'file:///jobs/%C3%A9.txt', basename: 'é.txt' }],
    [
      'File',
      'x: {class: File, location: "https://h/p/f.txt?v=1"}',
      { class: 'File', location: 'https://h/p/f.txt?v=1', basename: 'f.txt' },
    ],
    ['File', 'x: {class: File, contents: hi, basename: n}', { class: 'File', contents: 'hi', basename: 'n' }],
    ['File', 'x: {class: File, contents: ""}', { class: 'File', contents: '' }],
    ['Directory', 'x: {class: Directory, path: d/}', { class: 'Directory', location: 'file:///jobs/d/', basename: 'd' }],
    [
      'File',
      'x: {class: File, path: a, secondaryFiles: [{class: File, path: b}]}',
      {
        class: 'File',
        location: 'file:///jobs/a',
        basename: 'a',
        secondaryFiles: [{ class: 'File', location: 'file:///jobs/b', basename: 'b' }],
      },
    ],
    [
      'Directory',
      'x: {class: Directory, basename: d, listing: [{class: File, path: b}]}',
      { class: 'Directory', basename: 'd', listing: [{ class: 'File', location: 'file:///jobs/b', basename: 'b' }] },
    ],
    [
      'Directory',
      'x: {class: Directory, basename: d, listing: [{class: Directory, basename: e, listing: [{class: File, path: a}]}, {class: Directory, basename: e, listing: [{class: File, path: b}]}]}',
      {
        class: 'Directory',
        basename: 'd',
        listing: [
          {
            class: 'Directory',
            basename: 'e',
            listing: [
              { class: 'File', location: 'file:///jobs/a', basename: 'a' },
              { class: 'File', location: 'file:///jobs/b', basename: 'b' },
            ],
          },
        ],
      },
    ],
  ])('%j: %s', (type, text, expected) => {
    expect(bindX(type, text)).toEqual({ inputs: { x: expected }, diagnostics: [] });
  });
});

describe('values that do not fit: one error each, where it was written', () => {
  it.each<[CwlType, string, string]>([
    ['int', 'x: abc', '1:4 input-type: input \'x\' must be int; it is the string "abc"'],
    ['int', 'x: "5"', '1:4 input-type: input \'x\' must be int; it is the string "5"; remove the quotes'],
    ['int', 'x: 2147483648', "1:4 input-type: input 'x' must be int; it is the number 2147483648"],
    ['int', 'x: 1.5', "1:4 input-type: input 'x' must be int; it is the number 1.5"],
    ['string', 'x: 5', "1:4 input-type: input 'x' must be string; it is the number 5"],
    ['boolean', 'x: yes', '1:4 input-type: input \'x\' must be boolean; it is the string "yes"'],
    ['int', '', "0:0 missing-input: input 'x' is missing (int)"],
    ['int', 'x: null', "1:1 missing-input: input 'x' must not be null (int)"],
    ['Any', 'x: null', "1:1 missing-input: input 'x' must not be null (Any)"],
    ['int', 'xx: 5', "1:1 missing-input: input 'x' is missing (int); is 'xx' meant to be 'x'?"],
    ['File', 'x: a.txt', '1:4 input-type: input \'x\' must be File; it is the string "a.txt"; write {class: File, path: a.txt}'],
    [['null', 'File'], 'x: a.txt', '1:4 input-type: input \'x\' must be File; it is the string "a.txt"; write {class: File, path: a.txt}'],
    ['File', 'x: {path: a.txt}', "1:5 input-type: input 'x' must be File; it is a map (path); add class: File"],
    ['File', 'x: {class: Directory, path: a}', "1:5 input-type: input 'x' must be File; it is a Directory"],
    ['File', 'x: {class: File}', "1:4 input-type: input 'x': a File needs 'path', 'location' or 'contents'"],
    [
      'File',
      'x: {class: File, path: a, basename: b/c}',
      "1:37 input-type: input 'x': 'basename' must be a plain name; this one holds a \"/\"",
    ],
    [
      'Directory',
      'x: {class: Directory, basename: d, listing: [{class: File, path: a/f}, {class: File, path: b/f}]}',
      '1:4 input-type: input \'x\': two things of one folder are both called "f": a File at file:///jobs/a/f and a File at file:///jobs/b/f',
    ],
    [
      'File',
      'x: {class: File, path: a, secondaryFiles: [{class: File, path: b/a}]}',
      '1:4 input-type: input \'x\': two things of one folder are both called "a": a File at file:///jobs/a and a File at file:///jobs/b/a',
    ],
    [
      array('int'),
      'x: 5',
      "1:4 input-type: input 'x' must be int[]; it is the number 5; write it as a list, also where there is only one: [ … ]",
    ],
    [array('int'), 'x: [1, a]', '1:8 input-type: item 2 of input \'x\' must be int; it is the string "a"'],
    [colour, 'x: gren', "1:4 input-type: input 'x' must be one of red, green; it is 'gren'; did you mean 'green'?"],
    [record(['a', 'int']), 'x: {b: 1}', "1:5 missing-input: field 'a' of input 'x' is missing (int)"],
    [['null', record(['a', 'int'])], 'x: {a: b}', "1:8 input-type: field 'a' of input 'x' must be int; it is the string \"b\""],
    [['int', 'boolean'], 'x: a', '1:4 input-type: input \'x\' must be int | boolean; it is the string "a"'],
  ])('%j: %s', (type, text, expected) => {
    const result = bindX(type, text);
    expect(result.inputs).toBeUndefined();
    const errors = result.diagnostics.filter((d) => d.severity === 'error');
    expect(errors.map((d) => `${d.line}:${d.column} ${d.code}: ${d.message}${d.hint === undefined ? '' : `; ${d.hint}`}`)).toEqual([
      expected,
    ]);
  });
});

describe('jobs', () => {
  it('takes defaults for what is absent or null', () => {
    const plan = planOf(
      { name: 'a', type: 'int', default: 3 },
      { name: 'b', type: ['null', 'int'], default: 4 },
      { name: 'f', type: 'File', default: { class: 'File', location: 'file:///d/x%20y.txt' } },
    );
    const f = { class: 'File', location: 'file:///d/x%20y.txt', basename: 'x y.txt' };
    expect(bindText(plan, 'b: null').inputs).toEqual({ a: 3, b: 4, f });
  });
  it('looks at defaults as at what a job gives', () => {
    const bound = (more: CwlObject) =>
      bindText(planOf({ name: 'f', type: 'File', default: { class: 'File', location: 'FILE:/d/./a', ...more } }), '');
    expect(bound({}).inputs).toEqual({ f: { class: 'File', location: 'file:///d/a', basename: 'a' } });
    for (const more of [
      { basename: '../x' },
      { location: 'file://other/a' },
      { secondaryFiles: [{ class: 'File', location: 'ftp://h/x' }] },
    ]) {
      const { inputs, diagnostics } = bound(more);
      expect(inputs).toBeUndefined();
      expect(diagnostics).toMatchObject([{ code: 'input-type', message: expect.stringMatching(/^the default of input 'f': the /) }]);
    }
  });
  it('says a misspelt input once', () => {
    const { diagnostics } = bindText(planOf({ name: 'reads', type: 'File', doc: 'Reads of\n the sample' }), 'read: 1');
    expect(diagnostics).toEqual([
      expect.objectContaining({
        message: "input 'reads' is missing (File: Reads of the sample)",
        hint: "is 'read' meant to be 'reads'?",
        line: 1,
      }),
    ]);
  });
  it('ignores unknown inputs with a warning', () => {
    const { inputs, diagnostics } = bindText(planOf(), 'extra: 1');
    expect(inputs).toEqual({});
    expect(diagnostics).toEqual([
      expect.objectContaining({ severity: 'warning', code: 'unknown-input', message: "there is no input 'extra'; it is ignored" }),
    ]);
  });
  it('expands namespaces in formats', () => {
    const text = '$namespaces: {edam: "http://edamontology.org/"}\nx: {class: File, path: a, format: edam:format_1}';
    expect(bindX('File', text).inputs).toMatchObject({ x: { format: 'http://edamontology.org/format_1' } });
  });
  it('takes a prefix it does not declare for that of a format the plan knows', () => {
    const plan = planOf({ name: 'x', type: 'File', format: 'http://edamontology.org/format_1' });
    const result = bindText(plan, 'x: {class: File, path: a, format: edam:format_1}');
    expect(result.inputs).toMatchObject({ x: { format: 'http://edamontology.org/format_1' } });
    expect(result.diagnostics).toEqual([expect.objectContaining({ severity: 'warning', code: 'undeclared-prefix' })]);
    expect(bindText(plan, 'x: {class: File, path: a, format: edam:format_2}').inputs).toMatchObject({ x: { format: 'edam:format_2' } });
  });
  it('gives its requirements and names its tool', () => {
    const text =
      'cwl:tool: ../t.cwl\ncwl:requirements:\n - class: EnvVarRequirement\n   envDef: [{envName: A, envValue: $(inputs.x)}]\nx: 1';
    const result = bindX('int', text);
    expect(result.diagnostics).toEqual([]);
    expect(result.requirements).toEqual([{ class: 'EnvVarRequirement', envDef: [{ envName: 'A', envValue: '$(inputs.x)' }] }]);
    expect(jobToolReference(parseJob(text, BASE))).toBe('../t.cwl');
  });
  it.each([
    ['{a: [', 'yaml-syntax'],
    ['- a', 'wrong-type'],
    ['just text', 'wrong-type'],
  ])('refuses %j', (text, code) => {
    expect(bindText(planOf(), text)).toEqual({ diagnostics: [expect.objectContaining({ severity: 'error', code, line: 1 })] });
  });
  it.each(['', '# nothing\n---\n', 'null', '{}'])('takes %j as an empty job', (text) => {
    expect(bindText(planOf(), text)).toEqual({ inputs: {}, diagnostics: [] });
  });
  it('takes JSON objects', () => {
    const job = { x: { class: 'File', path: 'a' } };
    const result = bindInputs({ plan: planOf({ name: 'x', type: 'File' }), job, baseUri: 'file:///w/', file: 'request' });
    expect(result.inputs).toEqual({ x: { class: 'File', location: 'file:///w/a', basename: 'a' } });
    expect(bindInputs({ plan: planOf({ name: 'x', type: 'int' }), job, baseUri: 'file:///w/', file: 'request' }).diagnostics).toMatchObject(
      [{ file: 'request' }],
    );
  });
  it('keeps every JSON value given to Any, whatever it is', () => {
    const value = fc.jsonValue().filter((v) => v !== null && !JSON.stringify(v).includes('"class"'));
    fc.assert(
      fc.property(value, (any) => {
        const result = bindInputs({ plan: planOf({ name: 'x', type: 'Any' }), job: { x: any as CwlValue }, baseUri: BASE });
        expect(JSON.stringify(result.inputs)).toBe(JSON.stringify({ x: any }));
      }),
    );
  });
  it('any path becomes a URI that leads back to it', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((s) => !/[/\\\t\n\r\0]/.test(s) && s !== '.' && s !== '..' && s.trim() === s && !/[\x00-\x1f\x7f]/.test(s));
    fc.assert(
      fc.property(name, (file) => {
        const uri = pathToUri(`/d/${file}`, BASE);
        expect(nameInUri(uri)).toBe(file);
        expect(decodeURIComponent(new URL(uri).pathname)).toBe(`/d/${file}`);
      }),
    );
  });
});

describe('command-line inputs', () => {
  const plan = planOf(
    { name: 'n', type: 'int' },
    { name: 'f', type: ['null', 'float'] },
    { name: 'id', type: 'long' },
    { name: 'text', type: 'string' },
    { name: 'flag', type: 'boolean' },
    { name: 'file', type: 'File' },
    { name: 'files', type: array('File') },
    { name: 'colour', type: colour },
    { name: 'rec', type: record(['a', 'int']) },
    { name: 'either', type: ['int', 'string'] },
  );
  const file = (path: string) => ({ class: 'File', location: `file:///cwd/${path}` });
  it.each<[string[], Record<string, CwlValue>]>([
    [['--n', '-5'], { n: -5 }],
    [['--n=7', '--f', '1e-3'], { n: 7, f: 0.001 }],
    [['--id', '9223372036854775807'], { id: 9223372036854775807n }],
    [['--f', '9007199254740993'], { f: 9007199254740992 }],
    [['--text', '--looks-like-an-option'], { text: '--looks-like-an-option' }],
    [['--text='], { text: '' }],
    [['--flag', '--n', '1'], { flag: true, n: 1 }],
    [['--flag=false'], { flag: false }],
    [['--flag', 'false'], { flag: false }],
    [['--file', 'a b#.txt'], { file: file('a%20b%23.txt') }],
    [['--files', 'a', '--files', 'b'], { files: [file('a'), file('b')] }],
    [['--files', '[{"class": "File", "path": "c"}]'], { files: [file('c')] }],
    [['--colour', 'red'], { colour: 'red' }],
    [['--rec', '{"a": 1}'], { rec: { a: 1 } }],
    [['--either', '5'], { either: 5 }],
    [['--either', 'x'], { either: 'x' }],
  ])('%j', (argv, job) => {
    expect(jobFromArguments(plan, argv, 'file:///cwd/')).toEqual({ job, diagnostics: [] });
  });
  it.each<[string[], string]>([
    [['--tex', 'a'], "there is no input 'tex'; did you mean '--text'?"],
    [['stray'], "'stray' belongs to no option; inputs are given as --name value"],
    [['--n', 'x'], "--n must be int; it is 'x'"],
    [
      ['--id', '9223372036854775808'],
      'the integer 9223372036854775808 has more than 64 bits, which no type of CWL holds; make it a string: type string, and the value in quotes',
    ],
    [['--n'], '--n needs a value (int)'],
    [['--n', '--flag'], '--n needs a value (int)'],
    [['--n', '1', '--n', '2'], '--n is given twice; it takes one value (int)'],
    [['--rec', 'a'], `--rec must be record (a); it is 'a'; write a JSON object: '{"a": …}'`],
  ])('%j: %s', (argv, message) => {
    const { diagnostics } = jobFromArguments(plan, argv, 'file:///cwd/');
    expect(diagnostics.map((d) => `${d.message}${d.hint === undefined ? '' : `; ${d.hint}`}`)).toEqual([message]);
  });
});

it('describes inputs for help', () => {
  const plan = planOf(
    { name: 'a', type: 'int', default: 3, doc: ' Number ' },
    { name: 'b', type: ['null', array('File')] },
    { name: 'c', type: colour },
  );
  const main = plan.processes['main'];
  expect(main && describeInputs(main)).toEqual([
    { name: 'a', type: 'int', required: false, default: '3', doc: 'Number' },
    { name: 'b', type: 'File[]?', required: false },
    { name: 'c', type: 'enum (red, green)', required: true },
  ]);
});

describe('a job that came without an address', () => {
  const bind = (text: string) => bindInputs({ plan: planOf({ name: 'x', type: 'File' }), job: parseJob(text, 'inputs'), baseUri: '' });

  it.each([
    ['path: /a b/c.txt', 'file:///a%20b/c.txt'],
    ['location: /a/c.txt', 'file:///a/c.txt'],
    ['location: s3://b/c.txt', 's3://b/c.txt'],
    ['location: "S3://b/%63.txt"', 's3://b/c.txt'],
    ['location: "FILE://localhost/a/./b/../%63.txt"', 'file:///a/c.txt'],
  ])('names a file by %s', (file, location) => {
    expect(bind(`x: {class: File, ${file}}`)).toEqual({ inputs: { x: { class: 'File', location, basename: 'c.txt' } }, diagnostics: [] });
  });

  it.each(['path: c.txt', 'path: "c:d.txt"', 'location: ../c.txt'])('cannot name one by %s', (file) => {
    const { inputs, diagnostics } = bind(`x: {class: File, ${file}}`);
    expect(inputs).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { code: 'input-type', message: expect.stringMatching(/is relative, and nothing says to what/), line: 1 },
    ]);
  });
});
