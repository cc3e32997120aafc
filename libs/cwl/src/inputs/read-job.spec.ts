/** Jobs that import, jobs that use the document's prefixes, and keys that speak to the engine. */
import type { InputParameter, Plan } from '@weft/plan';
import { bundleFetcher } from '../fetchers.js';
import { formatDiagnostic, loadDocument } from '../index.js';
import { planOf as load } from '../spec-support/load-text.js';
import { bindInputs, requirementsOfJob } from './bind.js';
import { readJob } from './read-job.js';

const URI = 'file:///jobs/job.yml';
const read = (files: Record<string, string>) => readJob(URI, bundleFetcher(files));
const lines = (result: { diagnostics: Parameters<typeof formatDiagnostic>[0][] }) =>
  result.diagnostics.map((d) => formatDiagnostic(d, '/jobs'));

async function planWith(...inputs: InputParameter[]): Promise<Plan> {
  const plan = await load('cwlVersion: v1.2\nclass: Operation\ninputs: []\noutputs: []\n');
  const root = plan.processes[plan.root];
  if (root) root.inputs = inputs;
  return plan;
}

describe('jobs that import', () => {
  const files = {
    [URI]: 'x: {$import: parts/list.yml}\nt: {$include: parts/text.txt}\nf: {class: File, path: own.txt}\n',
    'file:///jobs/parts/list.yml': '- {class: File, path: "a#1.txt"}\n- {class: File, location: b.txt}\n',
    'file:///jobs/parts/text.txt': 'hello',
  };

  test('Files of an imported part lie beside it', async () => {
    const job = await read(files);
    expect(job.diagnostics).toEqual([]);
    expect(job.value).toEqual({
      x: [
        { class: 'File', location: 'file:///jobs/parts/a%231.txt' },
        { class: 'File', location: 'file:///jobs/parts/b.txt' },
      ],
      t: 'hello',
      f: { class: 'File', path: 'own.txt' },
    });
    const plan = await planWith(
      { name: 'x', type: { type: 'array', items: 'File' } },
      { name: 't', type: 'string' },
      { name: 'f', type: 'File' },
    );
    expect(bindInputs({ plan, job, baseUri: URI })).toMatchObject({ inputs: { t: 'hello', f: { location: 'file:///jobs/own.txt' } } });
  });

  test('what cannot be read is told at its place', async () => {
    expect(lines(await read({ [URI]: 'x: {$import: gone.yml}\n' }))).toEqual([
      "job.yml:1:5: error: 'file:///jobs/gone.yml' is not in the bundle that was sent",
    ]);
    expect(lines(await read({}))).toEqual(["job.yml: error: 'file:///jobs/job.yml' is not in the bundle that was sent"]);
    expect(lines(await read({ [URI]: 'x: {$import: job.yml}\n' }))).toEqual([
      "job.yml:1:5: error: 'job.yml' imports itself: job.yml → job.yml",
    ]);
  });

  test('without a fetcher they are errors, not records', async () => {
    const bound = bindInputs({ plan: await planWith({ name: 'x', type: 'Any' }), job: { x: { $import: 'a.yml' } }, baseUri: URI });
    expect(bound.inputs).toBeUndefined();
    expect(lines(bound)).toEqual(["job.yml: error: '$import: a.yml' cannot be resolved here; write its content into the job"]);
  });
});

describe('prefixes', () => {
  const file = (format: string): string => `f: {class: File, path: a, format: "${format}"}\n`;
  const bind = async (text: string, namespaces?: Record<string, string>) =>
    bindInputs({ plan: await planWith({ name: 'f', type: 'File' }), job: await read({ [URI]: text }), baseUri: URI, namespaces });

  test('the job declares its own, which win over the document’s', async () => {
    const own = `$namespaces: {e: "http://own/"}\n${file('e:x')}`;
    expect(await bind(own)).toMatchObject({ inputs: { f: { format: 'http://own/x' } }, diagnostics: [] });
    expect(await bind(own, { e: 'http://document/' })).toMatchObject({ inputs: { f: { format: 'http://own/x' } }, diagnostics: [] });
  });

  test('or uses those of the document it was written for', async () => {
    const text = 'cwlVersion: v1.2\nclass: Operation\n$namespaces: {e: "http://document/"}\ninputs: []\noutputs: []\n';
    const { namespaces } = await loadDocument('file:///x.cwl', bundleFetcher({ 'file:///x.cwl': text }));
    expect(await bind(file('e:x'), { ...namespaces })).toMatchObject({ inputs: { f: { format: 'http://document/x' } }, diagnostics: [] });
  });
});

test('requirements of a job allow what the document does not ask for', async () => {
  const text = 'cwlVersion: v1.2\nclass: ExpressionTool\ninputs: []\noutputs: []\nexpression: $({})\n';
  const fetcher = bundleFetcher({ 'file:///x.cwl': text });
  const job = { 'cwl:requirements': [{ class: 'InlineJavascriptRequirement' }] };
  expect((await loadDocument('file:///x.cwl', fetcher)).diagnostics).toMatchObject([{ code: 'missing-requirement' }]);
  expect((await loadDocument('file:///x.cwl', fetcher, { requirements: requirementsOfJob(job) })).diagnostics).toEqual([]);
  expect(requirementsOfJob(await read({ [URI]: 'cwl:requirements: 5\n' }))).toEqual([]);
});

test('a job may be wide, but not endlessly deep', async () => {
  const deep = (levels: number): Record<string, unknown> =>
    JSON.parse(`{"x": ${'['.repeat(levels)}${']'.repeat(levels)}}`) as Record<string, unknown>;
  const bind = async (job: Record<string, unknown>) =>
    bindInputs({ plan: await planWith({ name: 'x', type: 'Any' }), job: job as Parameters<typeof bindInputs>[0]['job'], baseUri: URI });
  expect(lines(await bind(deep(100_000)))).toEqual(['job.yml: error: the job is nested more than 200 levels deep']);
  expect(await bind(deep(150))).toMatchObject({ inputs: deep(150) });
  const bomb = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `file:///jobs/${i}.yml`,
      i === 39 ? '{}' : `{a: {$import: ${i + 1}.yml}, b: {$import: ${i + 1}.yml}}`,
    ]),
  );
  expect((await read({ [URI]: 'x: {$import: 0.yml}\n', ...bomb })).diagnostics).toMatchObject([{ code: 'document-limit' }]);
});

test('what the engine does not read in a job is said', async () => {
  const job = await read({ [URI]: 'cwl:hints: {WorkReuse: {enableReuse: false}}\ncwl:requirement: []\ncwl:tool: a.cwl\n' });
  expect(lines(bindInputs({ plan: await planWith(), job, baseUri: URI }))).toEqual([
    "job.yml:1:1: warning: 'cwl:hints' in a job means nothing; it is ignored; write 'cwl:requirements'; hints of a job are not part of CWL",
    "job.yml:2:1: warning: 'cwl:requirement' in a job means nothing; it is ignored; did you mean 'cwl:requirements'?",
  ]);
});

describe('whole numbers', () => {
  const bind = async (type: InputParameter['type'], text: string) =>
    bindInputs({ plan: await planWith({ name: 'x', type }), job: await read({ [URI]: `x: ${text}\n` }), baseUri: URI });
  const says = 'job.yml:1:4: error: input ';

  test.each<[InputParameter['type'], string, string]>([
    ['Any', '-9223372036854775809', "'x': the integer -9223372036854775809 has more than 64 bits, which no type of CWL holds"],
    ['long', '-9223372036854775809', "'x' must be long; it is the number -9223372036854775809"],
    ['long', '9223372036854775808', "'x' must be long; it is the number 9223372036854775808"],
    ['int', '4294967296', "'x' must be int; it is the number 4294967296"],
  ])('%j: %s', async (type, text, message) => {
    const bound = await bind(type, text);
    expect(lines(bound)).toEqual([expect.stringContaining(says + message)]);
    expect(bound.inputs).toBeUndefined();
  });

  test.each<[InputParameter['type'], string, number | bigint]>([
    ['long', '9223372036854775807', 9223372036854775807n],
    ['long', '-9223372036854775808', -9223372036854775808n],
    ['long', '0x7fffffffffffffff', 9223372036854775807n],
    [['null', 'long'], '9007199254740993', 9007199254740993n],
    [['int', 'long', 'string'], '9007199254740993', 9007199254740993n],
    ['Any', '9007199254740993', 9007199254740993n],
    ['double', '9223372036854775808', 2 ** 63],
    ['float', '-0.0', -0],
    ['long', '9007199254740992', 9007199254740992],
    ['long', '-9007199254740991', -9007199254740991],
    ['double', '9007199254740993', 9007199254740992],
    ['double', '1e21', 1e21],
    ['float', '1e-05', 1e-5],
    ['double', '1.0', 1],
  ])('%j: %s is %s', async (type, text, value) => expect((await bind(type, text)).inputs).toEqual({ x: value }));

  test.each(['.inf', '-.inf', '.nan', '1e400', '-1e999', `1${'0'.repeat(400)}`])('what no double holds is refused: %.20s', async (text) => {
    const bound = await bind('double', text);
    expect(lines(bound)).toEqual([expect.stringMatching(/^job\.yml:1:4: error: .* is not a number that JSON can hold$/)]);
  });
});
