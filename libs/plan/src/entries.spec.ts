import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { detachChangedListings, MAX_NESTING, settleEntries } from './entries.js';
import { nameProblem, pathProblem } from './plain-names.js';
import type { CwlObject, CwlValue } from './values.js';

const file = (location: string, more: CwlObject = {}): CwlObject => ({ class: 'File', location: `file:///${location}`, ...more });
const text = (basename: string, contents: string): CwlObject => ({ class: 'File', basename, contents });
const dir = (basename: string, listing: CwlObject[], more: CwlObject = {}): CwlObject => ({
  class: 'Directory',
  basename,
  listing,
  ...more,
});
const settled = (value: CwlValue): CwlValue => {
  const problem = settleEntries(value, { locations: true });
  return problem === undefined ? value : problem;
};

describe('plain names', () => {
  it.each(['a', '.a', '...', 'a b', 'a\nb', '~', '-', 'ä', '\\', '%2e%2e', 'a'.repeat(255)])('%j is one', (name) =>
    expect(nameProblem(name)).toBeUndefined(),
  );
  it.each<[unknown, string]>([
    ['', 'is empty'],
    ['.', 'means a folder itself'],
    ['..', 'means a folder itself'],
    ['a/b', 'holds a "/"'],
    ['/', 'holds a "/"'],
    ['a\0', 'holds a NUL'],
    ['\ud800', 'is not proper Unicode'],
    ['ä'.repeat(128), 'is longer than 255 bytes'],
    [7, 'is not text'],
    [null, 'is not text'],
  ])('%j %s', (name, problem) => expect(nameProblem(name)).toBe(problem));
  it('of a path is each of its names', () => {
    expect(pathProblem('a/b')).toBeUndefined();
    expect(pathProblem('a/../b')).toBe('means a folder itself');
  });
});

describe('settleEntries', () => {
  it.each<[string, CwlValue]>([
    ['a name in a record in a list', [{ r: [text('a/b', '')] }]],
    ['a name beside a file', { ...file('a'), secondaryFiles: [text('..', '')] }],
    ['a name in a listing in a listing', dir('d', [dir('e', [text('.', '')])])],
    ['a name in a field of somebody else', { ...file('a'), mine: { deep: [dir('x/y', [])] } }],
    ['a name that follows from a location', { class: 'Directory', location: 'file:///' }],
    ['a name that is a number', { class: 'File', basename: 3, contents: '' }],
    ['a location of a scheme that nobody serves', { class: 'File', location: 'ftp://h/x' }],
    ['a location that is a number', { class: 'File', location: 3 }],
    ['a listing that is a File', { class: 'Directory', listing: file('a') }],
    ['a listing of texts', { class: 'Directory', listing: ['a'] }],
    ['secondary files that are texts', { ...file('a'), secondaryFiles: ['b'] }],
    ['contents that are an object', { class: 'File', basename: 'a', contents: {} }],
    ['a size that is text', { ...file('a'), size: '3' }],
  ])('refuses %s', (_name, value) => expect(typeof settled(value)).toBe('string'));

  it('refuses what is nested without end, and does not go down there', () => {
    const nested = (levels: number, wrap: (inner: CwlValue) => CwlValue): CwlValue => {
      let value: CwlValue = [];
      for (let level = 0; level < levels; level += 1) value = wrap(value);
      return value;
    };
    const wraps: ((inner: CwlValue) => CwlValue)[] = [
      (inner) => [inner],
      (inner) => ({ x: inner }),
      (inner) => dir('d', Array.isArray(inner) ? [] : [inner as CwlObject]),
      (inner) => ({ class: 'File', basename: 'f', contents: '', x: inner }),
    ];
    for (const wrap of wraps) {
      expect(settled(nested(100_000, wrap))).toBe(`it is nested more than ${MAX_NESTING} levels deep`);
      expect(typeof settled(nested(100, wrap))).toBe('object');
    }
  });

  it('takes null for absent, and makes locations canonical', () => {
    const value = { class: 'File', location: 'FILE:/d/../x', basename: '', secondaryFiles: null, checksum: null };
    expect(settled(value)).toEqual({ class: 'File', location: 'file:///x' });
  });

  it('unites equally named directories of one listing, all the way down', () => {
    const value = dir('d', [
      dir('e', [text('a', '1'), dir('f', [text('b', '2')])]),
      text('z', ''),
      dir('e', [text('c', '3'), dir('f', [text('g', '4')])], { location: 'file:///was/e' }),
      dir('e', [dir('f', [])]),
    ]);
    expect(settled(value)).toEqual(
      dir('d', [dir('e', [text('a', '1'), dir('f', [text('b', '2'), text('g', '4')]), text('c', '3')]), text('z', '')]),
    );
  });

  it('takes the very same file for one file, with all that is beside it', () => {
    const [f, idx] = [file('x/f'), file('y/f.idx')];
    expect(settled(dir('d', [f, file('x/./f')]))).toEqual(dir('d', [f]));
    expect(settled(dir('d', [f, { ...f, secondaryFiles: [idx] }, idx]))).toEqual(dir('d', [{ ...f, secondaryFiles: [idx] }, idx]));
    const same = dir('s', [], { location: 'file:///s' });
    expect(settled(dir('d', [same, { class: 'Directory', location: 'file:///s' }]))).toEqual(dir('d', [same]));
  });

  it.each<[string, CwlValue]>([
    ['two files', dir('d', [file('x/a'), file('y/a')])],
    ['two files of one checksum', dir('d', [file('x/a', { size: 0, checksum: 'sha1$0' }), file('y/a', { size: 0, checksum: 'sha1$0' })])],
    ['two texts', dir('d', [text('a', 'x'), text('a', 'x')])],
    ['a file and a directory', dir('d', [file('x/a'), dir('a', [])])],
    ['two files in united directories', dir('d', [dir('e', [file('x/a')]), dir('e', [file('y/a')])])],
    ['a file that is called so, and one that lies so', dir('d', [file('x/a'), file('y/b', { basename: 'a' })])],
    ['an entry and what is beside another', dir('d', [file('x/a', { secondaryFiles: [file('x/b')] }), file('y/b')])],
    [
      'what is beside two entries',
      dir('d', [file('x/a', { secondaryFiles: [file('x/i')] }), file('x/b', { secondaryFiles: [file('y/i')] })]),
    ],
    ['a file and what is beside it', file('x/a', { secondaryFiles: [file('y/a')] })],
    ['what is beside one file', file('x/a', { secondaryFiles: [file('x/b'), text('b', '')] })],
    ['a directory beside a file, and another', file('x/a', { secondaryFiles: [dir('b', []), dir('b', [])] })],
    ['what is beside what is beside it', file('x/a', { secondaryFiles: [file('x/b', { secondaryFiles: [file('y/a')] })] })],
  ])('refuses %s of one name', (_name, value) => expect(settled(value)).toMatch(/^two things of one folder are both called "/));

  it('lets things of one name be in different places', () => {
    const value = { a: file('x/a'), b: [file('y/a'), file('z/a')], d: dir('a', [text('a', ''), dir('b', [text('a', '')])]) };
    expect(settled(structuredClone(value))).toEqual(value);
  });

  it('loses no file, or says so, whatever is united', () => {
    const tree = fc.letrec<{ entry: CwlObject; dir: CwlObject; file: CwlObject }>((tie) => ({
      entry: fc.oneof({ maxDepth: 4 }, tie('file'), tie('dir')),
      file: fc.record({
        class: fc.constant('File'),
        basename: fc.constantFrom('a', 'b', 'c'),
        location: fc.nat(50).map((n) => `file:///${n}/x`),
      }),
      dir: fc.record({
        class: fc.constant('Directory'),
        basename: fc.constantFrom('a', 'b', 'c'),
        listing: fc.array(tie('entry'), { maxLength: 4 }),
      }),
    }));
    const filesOf = (entry: CwlObject, above = ''): string[] => {
      const path = `${above}/${String(entry['basename'])}`;
      const listing = entry['listing'] as CwlObject[] | undefined;
      return listing === undefined ? [`${path} ${String(entry['location'])}`] : listing.flatMap((inner) => filesOf(inner, path));
    };
    const pathsOf = (entry: CwlObject): string[] => filesOf(entry).map((one) => one.split(' ')[0]!);
    fc.assert(
      fc.property(tree.dir, (given) => {
        const before = new Set(filesOf(given));
        const value = structuredClone(given);
        if (settleEntries(value, { locations: true }) !== undefined) return;
        expect(new Set(filesOf(value))).toEqual(before);
        expect(new Set(pathsOf(value)).size).toBe(pathsOf(value).length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('detachChangedListings', () => {
  const inner = { class: 'Directory', location: 'file:///d/s', basename: 's', listing: [file('d/s/x', { basename: 'x' })] };
  const whole = { class: 'Directory', location: 'file:///d', basename: 'd', listing: [file('d/a', { basename: 'a' }), inner] };
  const detached = (change: (value: typeof whole) => void): unknown => {
    const value = structuredClone(whole);
    change(value);
    detachChangedListings(value, [{ given: [whole] }]);
    return value.location === undefined ? [undefined, (value.listing.at(-1) as CwlObject | undefined)?.['location']] : value.location;
  };
  it.each<[string, (value: typeof whole) => void, unknown]>([
    ['nothing', () => undefined, 'file:///d'],
    ['its own name', (value) => (value.basename = 'other'), 'file:///d'],
    ['the order', (value) => value.listing.reverse(), 'file:///d'],
    ['sizes that were looked up', (value) => ((value.listing[0] as CwlObject)['size'] = 3), 'file:///d'],
    ['that an inner listing is told', (value) => delete (value.listing[1] as CwlObject)['listing'], 'file:///d'],
    ['the name of an entry', (value) => (value.listing[0]!['basename'] = 'b'), [undefined, 'file:///d/s']],
    ['where an entry lies', (value) => (value.listing[0]!['location'] = 'file:///x'), [undefined, 'file:///d/s']],
    ['how many entries there are', (value) => value.listing.shift(), [undefined, 'file:///d/s']],
    ['what is beside an entry', (value) => ((value.listing[0] as CwlObject)['secondaryFiles'] = [file('y')]), [undefined, 'file:///d/s']],
    ['an entry of an entry', (value) => ((value.listing[1] as typeof inner).listing = []), [undefined, undefined]],
  ])('of one whose expression changed %s', (_name, change, expected) => expect(detached(change)).toEqual(expected));

  it('takes a listing without an original for what it says', () => {
    const { listing: _listing, ...bare } = whole;
    const value = structuredClone(whole);
    detachChangedListings(value, [bare]);
    expect(value.location).toBeUndefined();
  });
});
