import { describe, expect, it } from '@jest/globals';
import type { CwlValue } from '@weft/plan';
import fc from 'fast-check';
import { plainNumber, spacedJson } from './interpolate.js';

describe('plainNumber', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [44.4, '44.4'],
    [1e-5, '0.00001'],
    [1.23e-5, '0.0000123'],
    [-1.5e-10, '-0.00000000015'],
    [1e21, '1000000000000000000000'],
    [9223372036854775807n, '9223372036854775807'],
    [-9223372036854775808n, '-9223372036854775808'],
    [-1.25e25, '-12500000000000000000000000'],
    [4.2e42, '4200000000000000000000000000000000000000000'],
    [4242424242, '4242424242'],
  ])('%p', (value, text) => expect(plainNumber(value)).toBe(text));

  it('reads back as the same number, without exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plainNumber(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value + 0);
      }),
    );
  });
});

describe('spacedJson', () => {
  it('is JSON with sorted keys', () => {
    expect(spacedJson({ b: [1, 'x', null], a: { d: true, c: undefined } })).toBe('{"a": {"d": true}, "b": [1, "x", null]}');
  });

  it('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => expect(JSON.parse(spacedJson(value as CwlValue))).toEqual(JSON.parse(JSON.stringify(value)))),
    );
  });
});
