/** Whatever text comes in, loading answers: it neither throws nor hangs. */
import fc from 'fast-check';
import { BASE, loadFiles, loadText } from './spec-support/load-text.js';
import { DOCUMENTS } from './spec-support/mistaken-documents.js';

const TEXTS = Object.values(DOCUMENTS).map((d) => (typeof d === 'string' ? { 'main.cwl': d } : d));
const SNIPPETS = [
  'null',
  '[]',
  '{}',
  '5',
  ': ',
  '- ',
  '\n',
  '  ',
  '"',
  '#',
  '$(',
  '*a',
  '&a ',
  '<<: ',
  '$import: main.cwl',
  'class: Workflow',
  '[[',
  '}}',
  'a/b/c',
  '__proto__: 1',
  'constructor',
  '\u0000',
  '😀',
  '!!binary x',
];

async function answers(files: Record<string, string>): Promise<void> {
  const result = await loadFiles(files);
  if (result.plan === undefined) expect(result.diagnostics.some((d) => d.severity === 'error')).toBe(true);
  for (const d of result.diagnostics) {
    expect(d.file.startsWith(BASE)).toBe(true);
    expect(d.line > 0 ? d.column > 0 : d.column === 0).toBe(true);
    expect(d.message).not.toMatch(/undefined|\[object/);
  }
}

const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(12), put: fc.constantFrom('', ...SNIPPETS) });

function mutate(text: string, edits: { at: number; cut: number; put: string }[]): string {
  return edits.reduce((t, e) => {
    const at = Math.floor(e.at * t.length);
    return t.slice(0, at) + e.put + t.slice(at + e.cut);
  }, text);
}

describe('hostile text', () => {
  test('documents with random edits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TEXTS), fc.array(edit, { minLength: 1, maxLength: 4 }), (files, edits) =>
        answers({ ...files, 'main.cwl': mutate(files['main.cwl'] ?? '', edits) }),
      ),
      { numRuns: 600 },
    );
  });

  test('any JSON in any place of a workflow', async () => {
    const place = fc.constantFrom(
      'class',
      'inputs',
      'outputs',
      'steps',
      'requirements',
      'hints',
      'cwlVersion',
      '$graph',
      '$namespaces',
      '$schemas',
      'id',
      'doc',
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(place, fc.jsonValue({ maxDepth: 4 })), fc.boolean(), (fields, keep) => {
        const base = { cwlVersion: 'v1.2', class: 'Workflow', inputs: {}, outputs: {}, steps: {} };
        return answers({ 'main.cwl': JSON.stringify(keep ? { ...fields, ...base } : { ...base, ...fields }) });
      }),
      { numRuns: 300 },
    );
  });

  test('any JSON in any place of a step', async () => {
    const place = fc.constantFrom(
      'run',
      'in',
      'out',
      'scatter',
      'scatterMethod',
      'when',
      'loop',
      'outputMethod',
      'requirements',
      'hints',
      'label',
      'id',
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(place, fc.jsonValue({ maxDepth: 3 })), (fields) =>
        answers({
          'main.cwl': JSON.stringify({ cwlVersion: 'v1.3', class: 'Workflow', inputs: { x: 'int' }, outputs: {}, steps: { s: fields } }),
        }),
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    ['deep block lists', '- '.repeat(20_000) + 'x'],
    ['deep flow lists', '['.repeat(20_000)],
    ['deep flow maps', '{a: '.repeat(20_000)],
    [
      'aliases that multiply',
      'a: &a [x,x,x,x,x,x,x,x,x,x]\n' +
        [...'bcdefghij'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefghij'[i]}`).join(',')}]`).join('\n'),
    ],
  ])('%s are refused', async (_, text) => {
    const result = await loadText(text);
    expect(result.diagnostics.map((d) => d.code)).toEqual(['document-limit']);
  });
});
