import fc from 'fast-check';
import type { CwlValue } from '@weft/plan';
import { mismatch } from './compare.js';

const file = (extra: object): CwlValue => ({
  class: 'File',
  location: 'file:///out/whale.txt',
  basename: 'whale.txt',
  checksum: 'sha1$ab',
  size: 3,
  ...extra,
});

describe('mismatch', () => {
  it.each<[string, CwlValue | undefined, CwlValue | undefined]>([
    ['equal scalars', 3, 3],
    ['a float that is whole', 1.0, 1],
    ['Any and a file', 'Any', file({})],
    ['absent and null', undefined, null],
    ['null members and absent ones', { a: null }, {}],
    ['surplus null members', { a: 1 }, { a: 1, b: null }],
    ['a file by the end of its location', { class: 'File', location: 'whale.txt', size: 3 }, file({})],
    ['a file anywhere', { class: 'File', location: 'Any', checksum: 'sha1$ab' }, file({})],
    ['a file with more members than expected', { class: 'File', location: 'whale.txt' }, file({ format: 'x' })],
    [
      'a directory whose listing is in another order',
      {
        class: 'Directory',
        location: 'd',
        listing: [
          { class: 'File', location: 'b' },
          { class: 'File', location: 'a' },
        ],
      },
      {
        class: 'Directory',
        location: 'file:///out/d/',
        listing: [
          { class: 'File', location: 'file:///out/d/a' },
          { class: 'File', location: 'file:///out/d/b' },
        ],
      },
    ],
  ])('accepts %s', (_name, expected, actual) => {
    expect(mismatch(expected, actual)).toBeUndefined();
  });

  it.each<[string, CwlValue | undefined, CwlValue | undefined, RegExp]>([
    ['another scalar', 3, 4, /^output: expected 3, got 4$/],
    ['a number as text', 3, '3', /expected 3, got "3"/],
    ['a value for null', null, 0, /expected null, got 0/],
    ['a missing member', { a: { b: 1 } }, { a: {} }, /^output\.a\.b: expected 1, got null$/],
    ['a surplus member', { a: 1 }, { a: 1, b: 2 }, /^output\.b: not expected/],
    ['a shorter array', [1, 2], [1], /expected 2 items, got 1/],
    ['a different item', [1, 2], [1, 3], /^output\[1\]/],
    ['an object for an array', [1], { 0: 1 }, /expected \[1\]/],
    ['another name', { class: 'File', location: 'hale.txt' }, file({}), /does not end in \/hale\.txt/],
    ['another checksum', { class: 'File', checksum: 'sha1$cd' }, file({}), /\.checksum/],
    ['another size', { class: 'File', size: 4 }, file({}), /\.size/],
    ['a directory for a file', { class: 'File' }, { class: 'Directory' }, /\.class/],
    ['a directory without listing', { class: 'Directory', listing: [] }, { class: 'Directory' }, /expected a listing/],
    [
      'a missing entry',
      { class: 'Directory', listing: [{ class: 'File', location: 'a' }] },
      { class: 'Directory', listing: [] },
      /is not in/,
    ],
    ['missing secondary files', { class: 'File', secondaryFiles: [{ class: 'File' }] }, file({}), /secondaryFiles/],
    ['no location', { class: 'File', location: 'a' }, { class: 'File' }, /\.location/],
  ])('refuses %s', (_name, expected, actual, message) => {
    expect(mismatch(expected, actual)).toMatch(message);
  });

  it('accepts every value as itself', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => expect(mismatch(value as CwlValue, value as CwlValue)).toBeUndefined()),
    );
  });
});
