/** The two readers agree on every JSON text, places included; what is not plain JSON is left to the YAML reader. */
import fc from 'fast-check';
import { Reporter } from '../diagnostics.js';
import { lostDigits } from './exact-numbers.js';
import type { Node, SourceFile } from './node.js';
import { parseJson } from './parse-json.js';
import { parseYaml } from './parse-yaml.js';

const fileOf = (text: string): SourceFile => ({ uri: 'file:///x', text, namespaces: {} });

/** Without the file, which differs by the comment that keeps the fast path away. */
function bare(node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  const { file: _file, ...rest } = node;
  if (rest.kind === 'list') return { ...rest, items: rest.items.map(bare) };
  if (rest.kind === 'scalar') return rest;
  const entries = [...rest.entries.values()].map((e) => ({ key: e.key, start: e.place.start, end: e.place.end, value: bare(e.value) }));
  return { ...rest, entries };
}

test('any JSON value, printed in any way, reads the same by both', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.bigInt(-(2n ** 70n), 2n ** 70n),
      fc.constantFrom(undefined, 1, 4),
      (value, long, indent) => {
        const text = `{"a": ${JSON.stringify(value, null, indent)}, "b": [${long}]}`;
        if (text.includes('"<<"')) return;
        const reporter = new Reporter();
        const slow = parseYaml(fileOf(`${text}\n# a comment`), reporter);
        expect(reporter.diagnostics()).toEqual([]);
        expect(bare(parseJson(fileOf(text), 200, 1e6) as Node)).toEqual(bare(slow));
      },
    ),
    { numRuns: 500 },
  );
});

test.each([
  '{a: 1}',
  '{"a": 1, "a": 2}',
  '{"a": 1,}',
  '["x" "y"]',
  '[1.2.3]',
  '[nullx]',
  '{"<<": {}}',
  '["\\q"]',
  '[1e999]',
  '[1] x',
  '- 1',
  '[',
  '"x',
])('%s is not plain JSON', (text) => expect(parseJson(fileOf(text), 200, 1e6)).toBeUndefined());

test('more values than are allowed', () => {
  expect(parseJson(fileOf('[1,[2,3]]'), 200, 5)).not.toBe('large');
  expect(parseJson(fileOf('[1,[2,3]]'), 200, 4)).toBe('large');
});

test('nesting beyond the limit is left to the reader that can say so', () => {
  expect(parseJson(fileOf('['.repeat(20) + ']'.repeat(20)), 19, 1e6)).toBeDefined();
  expect(parseJson(fileOf('['.repeat(21) + ']'.repeat(21)), 19, 1e6)).toBeUndefined();
});

test.each([
  ['9007199254740993', '9007199254740993'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775807', '-9223372036854775807'],
  ['4611686018427387904', '4611686018427387904'],
  ['0xffffffffffffffff', '18446744073709551615'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9007199254740992', undefined],
  ['100000000000000000000', undefined],
  ['1000000000000000000000000', undefined],
  ['+5', undefined],
  ['1e21', undefined],
  ['9007199254740993.0', undefined],
  ['0.1', undefined],
])('%s loses %s', (source, digits) => expect(lostDigits(source, Number(source))).toBe(digits));
