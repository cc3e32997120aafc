import fc from 'fast-check';
import { faultOf } from './json-text.js';

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
