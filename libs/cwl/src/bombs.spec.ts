/** Documents that are small to write and endless to write out: each is refused, once, without being walked. */
import { formatDiagnostic } from './index.js';
import { loadFiles } from './spec-support/load-text.js';

const HEAD = 'cwlVersion: v1.2\nclass: Operation\noutputs: []\n';
const times = (n: number, text: (i: number) => string): string => Array.from({ length: n }, (_, i) => text(i)).join(', ');
/** `main.cwl` and files that each name the next. */
const chain = (n: number, main: string, part: (next: string) => string): Record<string, string> => ({
  'main.cwl': HEAD + main,
  ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`t${i}.yml`, i === n - 1 ? 'string' : part(`t${i + 1}.yml`)])),
});
const types = (n: number, type: (next: string) => string): Record<string, string> => ({
  'main.cwl': `${HEAD}requirements: {SchemaDefRequirement: {types: [${times(n, (i) => type(i === n - 1 ? 'int' : `r${i + 1}`).replace('NAME', `r${i}`))}]}}\ninputs: {x: r0}\n`,
});
const twice = (key: string) => (next: string) => `{a: {${key}: ${next}}, b: {${key}: ${next}}}`;

const BOMBS: Readonly<Record<string, Record<string, string>>> = {
  'types imported twice by each other': chain(
    60,
    'inputs: {x: {type: {$import: t0.yml}}}\n',
    (next) => `{type: record, fields: {a: {type: {$import: ${next}}}, b: {type: {$import: ${next}}}}}`,
  ),
  'values imported twice by each other': chain(60, 'inputs: {x: {type: Any, default: {$import: t0.yml}}}\n', twice('$import')),
  'values mixed in twice by each other': chain(60, 'inputs: {x: {type: Any, default: {$mixin: t0.yml}}}\n', twice('$mixin')),
  'deep imports of deep imports': chain(
    60,
    'inputs: {x: {type: Any, default: {$import: t0.yml}}}\n',
    (next) => `${'['.repeat(90)}{$import: ${next}}${']'.repeat(90)}`,
  ),
  'parts of one document that import each other': {
    'main.cwl': JSON.stringify({
      cwlVersion: 'v1.2',
      $graph: [
        { id: 'main', class: 'Operation', inputs: { x: { type: 'Any', default: { $import: '#p0' } } }, outputs: [] },
        ...Array.from({ length: 60 }, (_, i) => {
          const next = i === 59 ? 1 : { $import: `#p${i + 1}` };
          return { id: `p${i}`, a: next, b: next };
        }),
      ],
    }),
  },
  'aliases of aliases': {
    'main.cwl': `${HEAD}inputs: {x: {type: Any, default: [&a0 [x], ${times(5000, (i) => `&a${i + 1} [*a${i}]`)}]}}\n`,
  },
  'records of records': types(60, (next) => `{name: NAME, type: record, fields: {a: ${next}, b: ${next}}}`),
  'unions of arrays': types(60, (next) => `{name: NAME, type: array, items: [${next}, "${next}[]"]}`),
  'a long chain of types': types(5000, (next) => `{name: NAME, type: array, items: ${next}}`),
  'a type with thousands of brackets': { 'main.cwl': `${HEAD}inputs: {x: "string${'[]'.repeat(5000)}"}\n` },
  'workflows in workflows': Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [
      i === 0 ? 'main.cwl' : `w${i}.cwl`,
      `cwlVersion: v1.2\nclass: Workflow\nrequirements: {SubworkflowFeatureRequirement: {}}\ninputs: []\noutputs: []\nsteps: {s: {run: w${i + 1}.cwl, in: [], out: []}}\n`,
    ]).concat([['w1000.cwl', HEAD + 'inputs: []\n']]),
  ),
};

test.each(Object.entries(BOMBS))('%s', async (_, files) => {
  const { diagnostics, plan } = await loadFiles(files);
  expect(plan).toBeUndefined();
  expect(diagnostics.map((d) => d.code)).toEqual(['document-limit']);
  expect(formatDiagnostic(diagnostics[0] as (typeof diagnostics)[number]).length).toBeLessThan(300);
});

test('what a patient author writes is well within the limits', async () => {
  const nested = types(9, (next) => `{name: NAME, type: record, fields: {a: ${next}, b: ${next}}}`);
  expect((await loadFiles(nested)).diagnostics).toEqual([]);
  const imports = chain(12, 'inputs: {x: {type: Any, default: {$import: t0.yml}}}\n', twice('$import'));
  expect((await loadFiles(imports)).diagnostics).toEqual([]);
});
