import fc from 'fast-check';
import { nestsDeeperThan } from './json-depth.js';

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

it('says of any JSON whether it nests deeper', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat({ max: 6 }), (value, limit) => {
      expect(nestsDeeperThan(limit, JSON.stringify(value))).toBe(depthOf(value) > limit);
    }),
  );
});

it.each([
  ['"[[[["', false],
  ['{"a\\"[[[[": "\\\\"}', false],
  ['["\\\\", [[]]]', true],
  ['"\\', false],
])('is not led astray by strings: %s', (json, deeper) => {
  expect(nestsDeeperThan(2, json)).toBe(deeper);
});
