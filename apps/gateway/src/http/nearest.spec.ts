import { nearest } from './nearest.js';

it.each([
  ['inptus', ['inputs', 'outputs'], 'inputs'],
  ['x', ['inputs'], undefined],
  ['INPUTS', ['inputs'], 'inputs'],
  ['inputs'.repeat(3_000_000), ['inputs', 'outputs'], undefined],
])('the nearest of %.20s', (name, known, expected) => expect(nearest(name, known)).toBe(expected));
