import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readSuite } from './suite.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-suite-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function written(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
const told = (path = folder): [string, string, string | undefined, unknown][] =>
  readSuite(path).tests.map(({ id, tool, job, output }) => [id, tool, job, output]);

it.each([
  ['conformance_tests.json', '[{"id": 1, "tool": "t/a.cwl", "job": "t/a.json", "output": {"o": 1}}]'],
  ['conformance_tests.yaml', '- {id: 1, tool: t/a.cwl, job: t/a.json, output: {o: 1}}'],
  ['conformance_test_v1.0.yaml', '- id: 1\n  tool: t/a.cwl\n  job: t/a.json\n  output:\n    o: 1'],
])('%s is an index', (name, text) => {
  written({ [name]: text });
  const expected = [['1', 't/a.cwl', 't/a.json', { o: 1 }]];
  expect([told(), told(join(folder, name))]).toEqual([expected, expected]);
  expect(readSuite(folder).folder).toBe(folder);
});

it('tests in files of their own have names that are relative to those, and expected outputs to the tool', () => {
  written({
    'conformance_tests.yaml': '- {id: a, tool: t/a.cwl, output: {$import: out.json}}\n- $import: t/s/index.yml\n- {id: d, tool: d.cwl}\n',
    't/s/index.yml': '- {id: b, tool: b.cwl, job: ../j.yml}\n- $import: ../more.json\n',
    't/more.json': '[{"id": "c", "tool": "c.cwl", "output": {"$import": "out.json"}}]',
    't/out.json': '{"o": 2}',
  });
  expect(told()).toEqual([
    ['a', 't/a.cwl', undefined, { o: 2 }],
    ['b', 't/s/b.cwl', 't/j.yml', undefined],
    ['c', 't/c.cwl', undefined, { o: 2 }],
    ['d', 'd.cwl', undefined, undefined],
  ]);
});

it('JSON, which has everything in it, comes before YAML', () => {
  written({ 'conformance_tests.json': '[{"id": "json", "tool": "a.cwl"}]', 'conformance_tests.yaml': '- {id: yaml, tool: a.cwl}' });
  expect(told().map(([id]) => id)).toEqual(['json']);
});

it.each<[string, Record<string, string>, RegExp]>([
  ['nothing', {}, /has no index of a suite: conformance_tests\.json/],
  [
    'two of one kind',
    { 'conformance_test_v1.0.yaml': '[]', 'conformance_test_v1.1.yaml': '[]' },
    /several indexes.*v1\.0\.yaml or .*v1\.1/,
  ],
  ['no list', { 'conformance_tests.json': '{}' }, /is no list of tests/],
  ['no JSON', { 'conformance_tests.json': '[' }, /conformance_tests\.json:\d+:\d+: error: /],
  ['no YAML', { 'conformance_tests.yaml': '[' }, /conformance_tests\.yaml:\d+:\d+: error: /],
  ['a test without a tool', { 'conformance_tests.yaml': '- {id: a, tool: b}\n- {id: c}' }, /test 2 is none: .*tool/s],
  ['an import that is not there', { 'conformance_tests.yaml': '- $import: x.yaml' }, /x\.yaml cannot be read/],
  ['an import of itself', { 'conformance_tests.yaml': '- $import: ./conformance_tests.yaml' }, /imported by itself/],
])('%s is said', (_, files, message) => {
  written(files);
  expect(() => readSuite(folder)).toThrow(message);
});

it('a folder that is not there is said', () => expect(() => readSuite(join(folder, 'no'))).toThrow(/cannot be read: ENOENT/));
