/** What counts as long is what is long as JSON. */
import fc from 'fast-check';
import { isLongJson } from './json-size.js';
import type { CwlValue } from './values.js';

const ENOUGH = 1e9;

it('tells to the sign what JSON.stringify gives, and of characters that may have to be escaped that they are', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const length = text.length + 5 * (text.match(/[\ud800-\udfff]/g) ?? []).length;
      expect(isLongJson(value as CwlValue, { chars: length, values: ENOUGH })).toBe(false);
      expect(isLongJson(value as CwlValue, { chars: length - 1, values: ENOUGH })).toBe(true);
    }),
  );
});

it.each([
  ['a text', 'x'.repeat(100), 101, 102],
  ['what is escaped', '\u0000"', 8, 10],
  ['an array', [1, 2, 3], 6, 7],
  ['an object', { a: 1, b: null }, 15, 16],
] as const)('counts %s to the sign', (_what, value, tooFew, enough) => {
  expect(isLongJson(value as CwlValue, { chars: tooFew, values: 10 })).toBe(true);
  expect(isLongJson(value as CwlValue, { chars: enough, values: 10 })).toBe(false);
});

it('counts values', () => {
  const value = { a: [1, 2, { b: null }] };
  expect(isLongJson(value, { chars: ENOUGH, values: 5 })).toBe(true);
  expect(isLongJson(value, { chars: ENOUGH, values: 6 })).toBe(false);
});

it('looks at no more of a value than it has to, however deep', () => {
  let deep: CwlValue = [];
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  expect(isLongJson(deep, { chars: ENOUGH, values: ENOUGH })).toBe(false);
  const members = new Proxy({} as Record<string, CwlValue>, {
    ownKeys: () => {
      throw new Error('looked at');
    },
  });
  expect(isLongJson([members, 'x'.repeat(1000)], { chars: 500, values: 10 })).toBe(true);
  const items = new Proxy([] as CwlValue[], {
    get: (_items, key) => {
      if (key === 'length') return 1_000;
      throw new Error('looked at');
    },
  });
  for (const limits of [
    { chars: 500, values: ENOUGH },
    { chars: ENOUGH, values: 500 },
  ])
    expect(isLongJson(items, limits)).toBe(true);
});
