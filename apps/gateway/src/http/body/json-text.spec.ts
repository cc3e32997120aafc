import fc from 'fast-check';
import { type JsonFault, MAX_JSON_DEPTH, scanJson } from './json-text.js';

const faultOf = (json: string, depth = MAX_JSON_DEPTH): JsonFault | undefined => scanJson(json, { depth, values: Infinity }).fault;

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

it('says of any JSON whether it nests deeper, and finds no key twice', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat({ max: 6 }), fc.constantFrom(0, 2), (value, limit, indent) => {
      expect(faultOf(JSON.stringify(value, null, indent), limit)).toEqual(depthOf(value) > limit ? { kind: 'depth' } : undefined);
    }),
  );
});

const LIMITLESS = { depth: Infinity, values: Infinity };

function valuesOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((sum, item) => sum + valuesOf(item), 1) : 1;
}

it('counts the values of any JSON, and stops at a limit', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const values = valuesOf(JSON.parse(text));
      expect(scanJson(text, LIMITLESS).values).toBe(values);
      expect(scanJson(text, { depth: Infinity, values }).fault).toBeUndefined();
      expect(scanJson(text, { depth: Infinity, values: values - 1 }).fault).toEqual({ kind: 'values' });
    }),
  );
});

it('knows where each member of the outermost object stands, and of how many values it is', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const whole = JSON.parse(text) as Record<string, unknown>;
      const found = scanJson(text, LIMITLESS).members.map(({ key, from, to, values }) => [key, JSON.parse(text.slice(from, to)), values]);
      expect(found).toEqual(Object.entries(whole).map(([key, member]) => [key, member, valuesOf(member)]));
    }),
  );
  expect(scanJson('[{"a":1}]', LIMITLESS).members).toEqual([]);
});

it.each([
  ['"[[[["', undefined],
  ['{"a\\"[[[[": "\\\\"}', undefined],
  ['["\\\\", [[]]]', { kind: 'depth' }],
  ['"\\', undefined],
])('is not led astray by strings: %s', (json, fault) => {
  expect(faultOf(json, 2)).toEqual(fault);
});

it('finds the key that stands in any object twice, however it is written', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { minKeys: 1, noNullPrototype: true });
  fc.assert(
    fc.property(object, fc.nat(), fc.boolean(), fc.jsonValue({ maxDepth: 1 }), (members, pick, escaped, around) => {
      const keys = Object.keys(members);
      const key = keys[pick % keys.length] ?? '';
      const literal = escaped ? `"${[...key].map((char) => [...unitsOf(char)].join('')).join('')}"` : JSON.stringify(key);
      const twice = `${JSON.stringify(members).slice(0, -1)} , ${literal} : 1}`;
      expect(faultOf(`[${JSON.stringify(around)}, ${twice}]`, 100)).toEqual({ kind: 'duplicate', key });
    }),
  );
});

it('knows values from keys, and objects from their neighbours', () => {
  expect(faultOf('{"a": "a", "b": ["a", "a"], "c": {"a": 1}, "d": {"a": {"a": 1}}}')).toBeUndefined();
});

function* unitsOf(char: string): Generator<string> {
  for (let at = 0; at < char.length; at++) yield `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`;
}
