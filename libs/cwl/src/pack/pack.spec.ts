import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { canonicalJson, type CwlObject, type Plan } from '@weft/plan';
import {
  bundleFetcher,
  formatDiagnostic,
  loadDocument,
  packDocument,
  textOfDataUri,
  versionsIn,
  type Fetcher,
  type LoadResult,
} from '../index.js';
import { BASE } from '../spec-support/load-text.js';

const PACKED = 'file:///elsewhere/packed.cwl';

/** The plan without what packing may change: keys of processes, and where things were written. */
function essence(plan: Plan): string {
  const inlined = (key: string): unknown => {
    const process = plan.processes[key];
    if (process === undefined) throw new Error(`the plan has no ${key}`);
    const { id: _id, at: _at, expressionsAt: _expressionsAt, ...rest } = process;
    if (rest.class !== 'Workflow') return rest;
    return { ...rest, steps: rest.steps.map(({ at: _stepAt, run, ...step }) => ({ ...step, run: inlined(run) })) };
  };
  return canonicalJson(withoutTypeNames({ root: inlined(plan.root), formats: plan.formats, cwlVersion: plan.cwlVersion }));
}

/** Two types of one name cannot both keep it in one file; values do not know the names of their types. */
function withoutTypeNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTypeNames);
  if (typeof value !== 'object' || value === null) return value;
  const isType = ['record', 'enum', 'array'].includes(String((value as { type?: unknown }).type));
  const members = Object.entries(value).filter(([key]) => !(isType && key === 'name'));
  return Object.fromEntries(members.map(([key, member]) => [key, withoutTypeNames(member)]));
}

/** Only what was packed can be read: nothing else is needed. */
function onlyPacked(text: string): Fetcher {
  return {
    fetch: (uri) => {
      const inside = uri === PACKED ? text : textOfDataUri(uri);
      return inside === undefined ? Promise.reject(new Error(`'${uri}' was not packed`)) : Promise.resolve(inside);
    },
  };
}

async function reload(document: CwlObject): Promise<LoadResult> {
  return loadDocument(PACKED, onlyPacked(JSON.stringify(document)));
}

/** The diagnostics that stand between a document and its packed form; none where the plans are the same. */
async function difference(uri: string, fetcher: Fetcher): Promise<string[]> {
  const original = await loadDocument(uri, fetcher);
  const packed = await packDocument(uri, fetcher);
  if (original.plan === undefined || packed.document === undefined) return [`${uri} does not load`];
  const again = await reload(packed.document);
  if (again.plan === undefined) return [uri, ...again.diagnostics.map((d) => formatDiagnostic(d))];
  return essence(again.plan) === essence(original.plan) ? [] : [`${uri}: another plan`];
}

const TOOL = `cwlVersion: v1.2
class: CommandLineTool
inputs: { x: string, f: { type: File, default: { class: File, location: data.txt } } }
outputs: { out: stdout }
baseCommand: echo
`;
const WORKFLOW = (run: string): string => `cwlVersion: v1.2
class: Workflow
inputs: { word: string }
outputs: { result: { type: File, outputSource: main/out } }
steps:
  main: { run: ${run}, in: { x: word }, out: [out] }
`;

const DOCUMENTS: [string, Record<string, string>][] = [
  [
    'a tool alone, with an included script',
    {
      'main.cwl': TOOL + 'requirements: { InlineJavascriptRequirement: { expressionLib: [{ $include: lib.js }] } }\n',
      'lib.js': 'function f() { return "$(x)"; }\n',
    },
  ],
  ['a step that is called as the process that holds it', { 'main.cwl': WORKFLOW('tool.cwl'), 'tool.cwl': TOOL }],
  [
    'equally named tools of two folders, one of them imported',
    {
      'main.cwl': `cwlVersion: v1.2
class: Workflow
inputs: [{ id: word, type: string }]
outputs: [{ id: a, type: File, outputSource: '#one/out' }, { id: b, type: File, outputSource: two/out }]
steps:
  - { id: one, run: a/tool.cwl, in: [{ id: x, source: '#word' }], out: [{ id: out }] }
  - { id: two, run: b/tool.cwl, in: [{ id: x, source: word }], out: [out] }
  - { id: three, run: { $import: b/tool.cwl }, in: [{ id: x, source: word }], out: [] }
`,
      'a/tool.cwl': TOOL,
      'b/tool.cwl': TOOL.replace('echo', 'printf'),
    },
  ],
  [
    'a workflow written in a step of another',
    {
      'main.cwl': `cwlVersion: v1.2
class: Workflow
requirements: { SubworkflowFeatureRequirement: {}, ScatterFeatureRequirement: {} }
inputs: { words: 'string[]' }
outputs: { result: { type: 'File[]', outputSource: inner/result } }
steps:
  inner:
    scatter: [word]
    in: { word: words }
    out: [result]
    run:
      id: '#nested'
      class: Workflow
      inputs: { word: string }
      outputs: { result: { type: File, outputSource: '#nested/echo/out' } }
      steps: { echo: { run: tool.cwl, in: { x: '#nested/word' }, out: [out] } }
`,
      'tool.cwl': TOOL,
    },
  ],
  [
    'types of two files with the same names',
    {
      'main.cwl': `cwlVersion: v1.2
class: Workflow
requirements: { SchemaDefRequirement: { types: [{ $import: one.yml }, { $import: two.yml }] } }
inputs: { a: 'one.yml#pair?', b: 'two.yml#pair[]' }
outputs: []
steps: []
`,
      'one.yml': 'name: pair\ntype: record\nfields: { left: int, right: File }\n',
      'two.yml': 'name: pair\ntype: enum\nsymbols: [x, y]\n',
    },
  ],
  [
    'prefixes with two meanings, and formats that are subclasses',
    {
      'main.cwl': `cwlVersion: v1.2
class: Workflow
$namespaces: { e: 'http://one/' }
$schemas: [o.ttl]
inputs: { f: { type: File, format: 'e:text' } }
outputs: []
steps: { s: { run: tool.cwl, in: { f: f }, out: [] } }
`,
      'tool.cwl': `cwlVersion: v1.2
class: CommandLineTool
$namespaces: { e: 'http://two/' }
inputs: { f: { type: File, format: 'e:text' } }
outputs: []
baseCommand: 'true'
`,
      'o.ttl': '<http://one/fasta> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://one/text> .\n',
    },
  ],
  [
    'processes of several versions',
    {
      'main.cwl': WORKFLOW('old.cwl'),
      'old.cwl': TOOL.replace('v1.2', 'v1.0'),
    },
  ],
  [
    'a loop',
    {
      'main.cwl': `cwlVersion: v1.3.0-dev1
class: Workflow
requirements: { InlineJavascriptRequirement: {} }
inputs: { n: int }
outputs: { last: { type: int, outputSource: count/n } }
steps:
  count:
    when: $(inputs.n < 5)
    loop: { n: n }
    outputMethod: last_iteration
    in: { n: n }
    out: [n]
    run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }
`,
    },
  ],
];

describe('packing', () => {
  const files = (documents: Record<string, string>): Fetcher =>
    bundleFetcher(Object.fromEntries(Object.entries(documents).map(([name, text]) => [BASE + name, text])));

  test.each(DOCUMENTS)('%s: the same plan out of one document', async (_, documents) => {
    expect(await difference(`${BASE}main.cwl`, files(documents))).toEqual([]);
  });

  test('gives every process one id, and files the names that are asked for', async () => {
    const { document } = await packDocument(`${BASE}main.cwl`, files(DOCUMENTS[2]?.[1] ?? {}), {
      fileReference: (location) => location.replace('file:///work/', '../'),
    });
    const graph = document?.['$graph'] as CwlObject[];
    expect(graph.map(({ id }) => id)).toEqual(['#main', '#tool.cwl', '#tool.cwl_2']);
    expect(JSON.stringify(graph)).toContain('"location":"../a/data.txt"');
  });

  test('keeps the version, and names another where a process has one', async () => {
    const several = DOCUMENTS[6]?.[1] ?? {};
    const { document } = await packDocument(`${BASE}main.cwl`, files(several));
    expect(document?.['cwlVersion']).toBe('v1.2');
    expect(versionsIn(document ?? {})).toEqual(['v1.2', 'v1.0']);
  });

  test('refuses what does not load', async () => {
    const result = await packDocument(`${BASE}main.cwl`, files({ 'main.cwl': WORKFLOW('gone.cwl') }));
    expect(result.document).toBeUndefined();
    expect(result.diagnostics).toMatchObject([{ code: 'cannot-read' }]);
  });
});

test('text in data: addresses', () => {
  expect(textOfDataUri('data:text/plain,a%20b%23')).toBe('a b#');
  expect(textOfDataUri(`data:text/plain;base64,${Buffer.from('größer').toString('base64')}`)).toBe('größer');
  expect(textOfDataUri('file:///x')).toBeUndefined();
});

/** The project's own suite, and the public ones where clones of them lie beside the checkout. */
const SUITES = ['tests/conformance', '../shared/conformance/v1.2', '../shared/conformance/v1.3']
  .map((path) => join(process.cwd(), path))
  .filter((directory) => existsSync(join(directory, 'conformance_tests.json')));

describe('conformance suites', () => {
  test('the own one is there', () => expect(SUITES[0]).toMatch(/tests.conformance$/));
  for (const directory of SUITES) {
    const tests = JSON.parse(readFileSync(join(directory, 'conformance_tests.json'), 'utf8')) as { tool: string; should_fail?: boolean }[];
    test(`${basename(directory)}: every document that works is the same when packed`, async () => {
      const fetcher = { fetch: (uri: string) => readFile(new URL(uri), 'utf8') };
      const different: string[] = [];
      for (const tool of new Set(tests.filter((t) => t.should_fail !== true).map((t) => t.tool))) {
        different.push(...(await difference(`${pathToFileURL(directory).href}/${tool}`, fetcher)));
      }
      expect(different).toEqual([]);
    });
  }
});
