/** Whole documents: several files, fragments, versions, ontologies, bundles, addresses. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  bundleFetcher,
  collectBundle,
  entryPointsOf,
  formatDiagnostic,
  loadDocument,
  normaliseRequirements,
  planHash,
  recordingFetcher,
} from './index.js';
import { BASE, loadFiles, loadText, messagesOf, planOf } from './spec-support/load-text.js';

const OP = 'cwlVersion: v1.2\nclass: Operation\ninputs: {i: Any}\noutputs: {o: Any}\n';
const RUNS = (run: string): string =>
  `cwlVersion: v1.2\nclass: Workflow\ninputs: {x: Any}\noutputs: []\nsteps: {s: {run: ${run}, in: {i: x}, out: [o]}}\n`;

describe('what is read of a document', () => {
  const tool = (inputs: string, more = ''): string =>
    `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: ${inputs}\noutputs: []\n${more}`;

  test.each([
    ['!!float 7', 7],
    ['!!float 1e3', 1000],
    ['!!float "-2"', -2],
    ['!!float 0.5', 0.5],
  ])('%s is the number %d', async (written, value) => {
    const plan = await planOf(tool(`{x: {type: double, default: ${written}}}`));
    expect(plan.processes[plan.root]?.inputs[0]?.default).toBe(value);
  });

  test.each(['!!float x', '!!float ""', '!!float .nan'])('%s is refused', async (written) => {
    expect(await messagesOf(tool(`{x: {type: double, default: ${written}}}`))).toEqual([
      expect.stringContaining('is no !!float that JSON can hold'),
    ]);
  });

  test.each([
    ['"one\ntwo\n\nthree"', 'one two\nthree'],
    ["'one\ntwo: \\'", 'one two: \\'],
    ['"one\n# two\n- three"', 'one # two - three'],
  ])('lines within quotes may be indented as their key is: %j', async (written, text) => {
    const plan = await planOf(tool('{}', `doc: ${written}\n`));
    expect(plan.processes[plan.root]?.doc).toBe(text);
    const deeper = tool(`\n  x:\n    type: string\n    default: ${written.replaceAll('\n', '\n    ')}\n`);
    expect((await planOf(deeper)).processes['main.cwl']?.inputs[0]?.default).toBe(text);
  });

  test.each(['doc: "one\ntwo\n', 'doc: "one\nlabel: "two"\n'])('a quote that is not closed is told as such: %j', async (more) => {
    expect(await messagesOf(tool('{}', more))).toEqual([expect.stringContaining('missing closing "quote')]);
  });

  const bound = (version: string, binding: string, output = '[]'): string =>
    `cwlVersion: ${version}\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {x: {type: string, inputBinding: ${binding}}}\noutputs: ${output}\n`;
  const evaluated = '{o: {type: string, outputBinding: {glob: x, outputEval: text}}}';
  test.each<[string, string, RegExp | undefined]>([
    [
      'position by expression in v1.0',
      bound('v1.0', '{position: $(1)}'),
      /'position' must be a whole number or, since CWL v1.1, an expression/,
    ],
    ['position by expression in v1.1', bound('v1.1', '{position: $(1)}'), undefined],
    ['constant outputEval in v1.0', bound('v1.0', '{}', evaluated), undefined],
    ['constant outputEval in v1.1', bound('v1.1', '{}', evaluated), /'outputEval' must be an expression/],
    ['constant outputEval in v1.2', bound('v1.2', '{}', evaluated), /'outputEval' must be an expression/],
    ['constant outputEval in v1.3', bound('v1.3.0-dev1', '{}', evaluated), undefined],
    [
      'lists of lists in v1.2',
      bound('v1.2', '{}').replace('string', '"string[][]"'),
      /'string\[\]\[\]' needs CWL v1.3; .*; write {type: array, items: "string\[\]"}/,
    ],
    [
      'lists of what may be null in v1.2',
      bound('v1.2', '{}').replace('string', '"string?[]"'),
      /'string\?\[\]' needs CWL v1.3; .*; write {type: array, items: "string\?"}/,
    ],
    ['lists that may be null in v1.0', bound('v1.0', '{}').replace('string', '"string[]?"'), undefined],
    ['lists of lists in v1.3', bound('v1.3.0-dev1', '{}').replace('string', '"string[][]"'), undefined],
  ])('has the rules of its own version: %s', async (_what, text, told) => {
    expect(await messagesOf(text)).toEqual(told === undefined ? [] : [expect.stringMatching(told)]);
  });

  test.each(['requirements', 'hints'])('of two %s of one class the last counts', async (which) => {
    const twice = `${which}:\n  - {class: DockerRequirement, dockerPull: a}\n  - {class: DockerRequirement, dockerPull: b}\n`;
    const plan = await planOf(tool('[]', twice));
    expect(plan.processes[plan.root]?.[which as 'hints']).toEqual([{ class: 'DockerRequirement', dockerPull: 'b' }]);
    expect(await messagesOf(tool('[]', twice))).toEqual([
      expect.stringContaining(`warning: '${which}' has two items of the class 'DockerRequirement': the last counts`),
    ]);
  });

  test.each([
    ['all_non_null', 'int[]', []],
    ['first_non_null', 'int', []],
    ['the_only_non_null', 'int', []],
    ['all_non_null', 'int', [expect.stringContaining("'s/o' gives int[], but output 'o' takes int")]],
    ['first_non_null', 'int[]', [expect.stringContaining("'s/o' gives int, but output 'o' takes int[]")]],
  ])('one source that gives int?[] and %s give %s', async (pickValue, type, told) => {
    const step = `{cwlVersion: v1.2, class: Operation, inputs: {i: Any}, outputs: {o: int}}`;
    const document = `cwlVersion: v1.2\nclass: Workflow\nrequirements: {ScatterFeatureRequirement: {}}\ninputs: {x: "int[]"}
outputs: {o: {type: "${type}", outputSource: s/o, pickValue: ${pickValue}}}
steps: {s: {run: ${step}, when: $(inputs.i), scatter: i, in: {i: x}, out: [o]}}\n`;
    expect(await messagesOf(document)).toEqual(told);
  });
});

describe('a document that is looked at, and not run', () => {
  const part = { isPart: true };
  const loaded = (text: string, options = {}, root = 'file:///work/main.cwl'): ReturnType<typeof loadDocument> =>
    loadDocument(root, bundleFetcher({ 'file:///work/main.cwl': text }), options);
  const told = async (text: string, options = {}): Promise<string[]> =>
    (await loaded(text, options)).diagnostics.map(({ severity, code, hint }) => `${severity} ${code}: ${hint ?? ''}`);

  const javascript =
    'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [echo]\narguments: ["${ return 1 }"]\ninputs: []\noutputs: []\n';
  const expression = RUNS('t.cwl').replace(
    'run: t.cwl, in: {i: x}',
    `run: {class: Operation, inputs: {i: Any}, outputs: {o: Any}}, in: {i: {source: x, valueFrom: $(self)}}`,
  );
  const absolute =
    'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\nrequirements: {InitialWorkDirRequirement: {listing: [{entryname: /x, entry: y}]}}\ninputs: []\noutputs: []\n';
  test.each([
    ['JavaScript', javascript],
    ['valueFrom in a step', expression],
    ['an absolute entryname', absolute],
  ])('may inherit what it lacks: %s', async (_what, text) => {
    expect(await told(text)).toEqual([expect.stringMatching(/^error missing-requirement: /)]);
    expect(await told(text, part)).toEqual([expect.stringMatching(/^warning missing-requirement: .*or run it in a workflow that has it$/)]);
    expect((await loaded(text, part)).plan).toBeDefined();
  });

  const graph = (...items: string[]): string => `cwlVersion: v1.2\n$graph:\n${items.map((item) => `  - ${item}\n`).join('')}`;
  const op = (id: string): string => `{id: ${id}, class: Operation, inputs: {i: Any}, outputs: {o: Any}}`;
  const flow = (id: string, ...runs: string[]): string =>
    `{id: ${id}, class: Workflow, inputs: {x: Any}, outputs: [], steps: {${runs.map((run, n) => `s${n}: {run: ${run}, in: {i: x}, out: []}`).join(', ')}}}`;
  test.each<[string, string, string[]]>([
    ['the one that no other one runs', graph(op('t'), flow('w', "'#t'")), ['w']],
    ['also by the address of the document', graph(op('t'), flow('w', "'main.cwl#t'")), ['w']],
    ['also from within a step', graph(op('t'), flow('w', flow('inner', "'#t'").replace('id: inner, ', ''))), ['w']],
    ['two of them', graph(op('t'), flow('w', "'#t'"), flow('v', "'#t'")), ['w', 'v']],
    ['tools alone', graph(op('t'), op('u')), ['t', 'u']],
    ['no question where there is a main', graph(op('t'), flow('main', "'#t'")), []],
    ['nor where there is one', graph(op('t')), []],
    ['nor where there is no graph', OP, []],
    ['no answer where each runs another', graph(flow('v', "'#w'"), flow('w', "'#v'")), []],
    ['nor where nothing can be read', 'x: [', []],
  ])('begins with %s', async (_what, text, names) => {
    expect(await entryPointsOf('file:///work/main.cwl', bundleFetcher({ 'file:///work/main.cwl': text }))).toEqual(names);
    expect(await entryPointsOf('file:///work/main.cwl#t', bundleFetcher({ 'file:///work/main.cwl': text }))).toEqual([]);
  });
});

describe('several files', () => {
  test('run below and above; keys are relative to the root document', async () => {
    const features = (text: string): string => text.replace('inputs:', 'requirements: {SubworkflowFeatureRequirement: {}}\ninputs:');
    const middle = RUNS('../../u.cwl')
      .replace('inputs: {x: Any}\noutputs: []', 'inputs: {i: Any}\noutputs: {o: {type: Any, outputSource: s/o}}')
      .replace('i: x', 'i: i');
    const plan = await planOf({ 'a/main.cwl': features(RUNS('sub/t.cwl')), 'a/sub/t.cwl': middle, 'u.cwl': OP }, 'a/main.cwl');
    expect(Object.keys(plan.processes)).toEqual(['../u.cwl', 'sub/t.cwl', 'main.cwl']);
    expect(plan.processes['../u.cwl']?.at).toEqual({ file: '../u.cwl', line: 1, column: 1 });
  });

  test('fragments of other files', async () => {
    const library = `cwlVersion: v1.1\n$graph:\n  - {id: t, class: CommandLineTool, inputs: {i: Any}, outputs: {o: Any}}\n  - {id: u, class: CommandLineTool, inputs: [], outputs: []}\n`;
    const plan = await planOf({ 'main.cwl': RUNS('lib/l.cwl#t'), 'lib/l.cwl': library });
    expect(Object.keys(plan.processes)).toEqual(['lib/l.cwl#t', 'main.cwl']);
    expect(plan.processes['lib/l.cwl#t']?.declaredVersion).toBe('v1.1');
  });

  test('a process that two steps run is built once', async () => {
    const plan = await planOf({
      'main.cwl': RUNS('t.cwl').replace('out: [o]}}', 'out: [o]}, r: {run: ./t.cwl, in: {i: s/o}, out: []}}'),
      't.cwl': OP,
    });
    expect(Object.keys(plan.processes)).toEqual(['t.cwl', 'main.cwl']);
  });

  test('$import into maps and lists, $include as text, $mixin under own fields', async () => {
    const plan = await planOf({
      'main.cwl': `cwlVersion: v1.2
class: CommandLineTool
requirements:
  - {class: InlineJavascriptRequirement, expressionLib: [{$include: lib.js}]}
  - {class: SchemaDefRequirement, types: [{$import: types.yml}]}
inputs:
  a: {type: "types.yml#t"}
  b: {$mixin: base.yml, label: own}
outputs: []
`,
      'lib.js': 'function f() { return "{"; }',
      'types.yml': '- {name: t, type: enum, symbols: [x]}\n- {name: u, type: record, fields: {f: t}}\n',
      'base.yml': 'type: int\nlabel: base\n',
    });
    expect(plan.processes['main.cwl']).toMatchObject({
      requirements: [{ expressionLib: ['function f() { return "{"; }'] }, { class: 'SchemaDefRequirement' }],
      inputs: [
        { name: 'a', type: { type: 'enum', symbols: ['x'] } },
        { name: 'b', type: 'int', label: 'own' },
      ],
    });
  });

  test('a packed document imports parts of itself, and its items declare namespaces', async () => {
    const type = { id: '#t.yml', name: '#t.yml/t', type: 'enum', symbols: ['#t.yml/t/x'] };
    const tool = (id: string, types: unknown): unknown => ({
      id,
      class: 'Operation',
      $namespaces: { e: 'http://e/' },
      requirements: [{ class: 'SchemaDefRequirement', types: [types] }],
      inputs: [
        { id: `${id}/i`, type: '#t.yml/t' },
        { id: `${id}/f`, type: 'File', format: 'e:f' },
      ],
      outputs: [],
    });
    const text = JSON.stringify({ cwlVersion: 'v1.2', $graph: [tool('#a', type), tool('#main', { $import: '#t.yml' })] });
    expect((await planOf(text)).processes['main.cwl#main']?.inputs).toEqual([
      { name: 'i', type: { type: 'enum', name: 't', symbols: ['x'] } },
      { name: 'f', type: 'File', format: 'http://e/f' },
    ]);
  });

  test('equal documents in other places have equal plans', async () => {
    const files = (base: string): Record<string, string> => ({ [`${base}main.cwl`]: RUNS('t.cwl'), [`${base}t.cwl`]: OP });
    const [here, there] = await Promise.all(
      ['file:///a/', 'https://h.org/deep/'].map((b) => loadDocument(`${b}main.cwl`, bundleFetcher(files(b)))),
    );
    expect(here?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(there?.hash).toBe(here?.hash);
    expect(here?.plan && planHash(here.plan)).toBe(here?.hash);
  });
});

describe('selection', () => {
  const graph = (ids: string[]): string =>
    `cwlVersion: v1.2\n$graph:\n${ids.map((id) => `  - {id: ${id}, class: Operation, inputs: [], outputs: []}\n`).join('')}`;

  test.each<[string, string, string]>([
    [graph(['a', 'main']), 'main.cwl', 'main.cwl#main'],
    [graph(['a', '"#b"']), 'main.cwl#b', 'main.cwl#b'],
    [graph(['only']), 'main.cwl', 'main.cwl#only'],
    [OP, 'main.cwl', 'main.cwl'],
    [`${OP}id: p\n`, 'main.cwl#p', 'main.cwl'],
    [OP, 'main.cwl#main', 'main.cwl'],
  ])('%j as %s', async (text, root, key) => {
    expect((await planOf({ 'main.cwl': text }, root)).root).toBe(key);
  });

  test('JSON, a shebang line and a byte order mark', async () => {
    expect(
      (await loadText('\uFEFF#!/usr/bin/env cwl-runner\n{"cwlVersion":"v1.2","class":"Operation","inputs":[],"outputs":[]}')).diagnostics,
    ).toEqual([]);
  });

  test('an inline document', async () => {
    const result = await loadDocument('weft:document.cwl', bundleFetcher({ 'weft:document.cwl': RUNS('t.cwl'), 'weft:t.cwl': OP }));
    expect(Object.keys(result.plan?.processes ?? {})).toEqual(['t.cwl', 'document.cwl']);
  });
});

describe('bundles', () => {
  test('what was read can be sent and gives the same plan', async () => {
    const files = { [`${BASE}main.cwl`]: RUNS('t.cwl'), [`${BASE}t.cwl`]: OP, [`${BASE}unrelated.cwl`]: OP };
    const { bundle, result } = await collectBundle(`${BASE}main.cwl`, bundleFetcher(files));
    expect(Object.keys(bundle.files).sort()).toEqual([`${BASE}main.cwl`, `${BASE}t.cwl`]);
    const again = await loadDocument(bundle.rootUri, bundleFetcher(bundle.files));
    expect([again.hash, again.diagnostics]).toEqual([result.hash, []]);
  });

  test('what is missing is named', async () => {
    await expect(bundleFetcher({}).fetch('file:///x')).rejects.toThrow("'file:///x' is not in the bundle that was sent");
    await expect(recordingFetcher(bundleFetcher({ constructor: 'x' })).fetch('toString')).rejects.toThrow('not in the bundle');
    expect((await loadFiles({}, 'gone.cwl')).diagnostics).toMatchObject([{ code: 'cannot-read', line: 0, file: `${BASE}gone.cwl` }]);
  });
});

describe('formats', () => {
  const TOOL = (schemas: string): string =>
    `cwlVersion: v1.2\nclass: Operation\n$namespaces: {e: "http://e/", g: "http://g/"}\n$schemas: [${schemas}]\ninputs: {x: {type: File, format: e:text}}\noutputs: []\n`;
  const XML = `<?xml version="1.0"?>\n<!DOCTYPE rdf:RDF [<!ENTITY e "http://e/">]>\n<rdf:RDF>
<owl:Class rdf:about="http://e/fasta"><rdfs:subClassOf rdf:resource="&e;text"/></owl:Class>
<owl:Class rdf:about="http://e/image"><rdfs:subClassOf rdf:resource="http://e/data"/></owl:Class>
</rdf:RDF>`;
  const TURTLE = `@prefix e: <http://e/> .\nPREFIX owl: <http://www.w3.org/2002/07/owl#>
# comment . with ; dots
<http://g/fa> a owl:Class ; <http://www.w3.org/2000/01/rdf-schema#comment> "x . y ; z"@en ;
  owl:equivalentClass e:fasta , [ a owl:Restriction ] .`;

  test('only what leads to a format that is asked for is kept', async () => {
    const plan = await planOf({ 'main.cwl': TOOL('o.owl, t.ttl'), 'o.owl': XML, 't.ttl': TURTLE });
    expect(plan.formats).toEqual({ 'http://e/fasta': ['http://e/text', 'http://g/fa'], 'http://g/fa': ['http://e/fasta'] });
  });

  test('a schema that cannot be read is a warning, and unread where no format is asked for', async () => {
    const result = await loadFiles({ 'main.cwl': TOOL('gone.owl') });
    expect(result.diagnostics).toMatchObject([{ severity: 'warning', code: 'cannot-read', line: 4 }]);
    expect((await loadFiles({ 'main.cwl': TOOL('gone.owl').replace(', format: e:text', '') })).diagnostics).toEqual([]);
  });
});

describe('printing', () => {
  const d = { severity: 'error' as const, code: 'c', message: 'm', file: 'file:///w/a%20b.cwl', line: 2, column: 3 };
  test.each([
    [formatDiagnostic(d), '/w/a b.cwl:2:3: error: m'],
    [formatDiagnostic(d, '/w'), 'a b.cwl:2:3: error: m'],
    [formatDiagnostic(d, '/other'), '/w/a b.cwl:2:3: error: m'],
    [formatDiagnostic({ ...d, hint: "did you mean 'x'?" }, '/w/'), "a b.cwl:2:3: error: m; did you mean 'x'?"],
    [formatDiagnostic({ ...d, line: 0, column: 0, file: 'https://h/x' }), 'https://h/x: error: m'],
    [formatDiagnostic({ ...d, file: 'weft:document.cwl' }), 'document.cwl:2:3: error: m'],
  ])('%s', (printed, expected) => expect(printed).toBe(expected));
});

test('requirements from elsewhere', () => {
  const options = { uri: 'file:///w/job.yml' };
  expect(normaliseRequirements([{ class: 'EnvVarRequirement', envDef: { A: 'b' } }], options)).toEqual({
    requirements: [{ class: 'EnvVarRequirement', envDef: [{ envName: 'A', envValue: 'b' }] }],
    diagnostics: [],
  });
  expect(normaliseRequirements({ EnvVarRequirement: { envDfe: {} } }, options).diagnostics).toMatchObject([
    { code: 'unknown-field', file: 'file:///w/job.yml', line: 0, hint: "did you mean 'envDef'?" },
  ]);
});

/** The public suite is not part of the project; where a clone lies beside it, every document of it must load. */
const SUITES = ['v1.2', 'v1.3']
  .map((v) => join(process.cwd(), '..', 'shared', 'conformance', v))
  .filter((d) => existsSync(join(d, 'conformance_tests.json')));

describe('the public suite', () => {
  test('is read where it lies', () => expect(SUITES.every((d) => existsSync(d))).toBe(true));
  for (const directory of SUITES) {
    const tests = JSON.parse(readFileSync(join(directory, 'conformance_tests.json'), 'utf8')) as { tool: string; should_fail?: boolean }[];
    test(`${directory.slice(-4)}: every document that should work loads`, async () => {
      const fetcher = { fetch: (uri: string) => readFile(new URL(uri), 'utf8') };
      const failed: string[] = [];
      for (const tool of new Set(tests.filter((t) => t.should_fail !== true).map((t) => t.tool))) {
        const result = await loadDocument(pathToFileURL(directory).href + '/' + tool, fetcher);
        if (result.plan === undefined) failed.push(...result.diagnostics.map((d) => formatDiagnostic(d, directory)));
      }
      expect(failed).toEqual([]);
    });
  }
});
