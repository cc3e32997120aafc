import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { belowUri, canonicalUri, encodeUriPath, pathOfFileUri } from './locations.js';

const uriOf = (text: string): string => {
  const checked = canonicalUri(text);
  return 'uri' in checked ? checked.uri : `refused: it ${checked.problem}`;
};

describe('canonicalUri', () => {
  it.each([
    ['file:/x', 'file:///x'],
    ['FILE:///x', 'file:///x'],
    ['file://LOCALHOST/x', 'file:///x'],
    ['file://localhost/x', 'file:///x'],
    ['file:\\\\\\x', 'file:///x'],
    ['file:\\x\\y', 'file:///x/y'],
    ['file:x', 'file:///x'],
    ['file:////x//y', 'file:///x/y'],
    ['file:///a/b/../../x', 'file:///x'],
    ['file:///a/%2e%2e/x', 'file:///x'],
    ['file:///a/.%2E/%2e/x', 'file:///x'],
    ['file:///../../x', 'file:///x'],
    ['file:///d/%61', 'file:///d/a'],
    ['file:///d/a b', 'file:///d/a%20b'],
    ['file:///d/ä', 'file:///d/%C3%A4'],
    ['file:///d/%252e%252e', 'file:///d/%252e%252e'],
    ['file:///d/a%5Cb', 'file:///d/a%5Cb'],
    ['file:///d/a%0Ab', 'file:///d/a%0Ab'],
    ['file:///d/[a]|^', 'file:///d/%5Ba%5D%7C%5E'],
    ['file:///d/', 'file:///d/'],
    ['S3://Bucket/a+b', 's3://Bucket/a+b'],
    ['s3://bucket//a', 's3://bucket//a'],
    ['s3://bucket', 's3://bucket'],
    ['HTTP://Host:80/a/../b?c#d', 'http://host/b?c#d'],
    ['DATA:,a\nb', 'data:,a\nb'],
  ])('%j is %s', (text, expected) => {
    expect(uriOf(text)).toBe(expected);
    expect(uriOf(expected)).toBe(expected);
  });

  it.each([
    ['x', 'is no absolute URI'],
    ['/x', 'is no absolute URI'],
    ['a:b', 'is no absolute URI'],
    ['', 'is no absolute URI'],
    ['file://other/x', 'names a file of another host, other'],
    ['file://user@localhost/x', 'cannot be parsed'],
    ['file:///x?', "has a query or a fragment: '#' and '?' in a name are written %23 and %3F"],
    ['file:///x#y', "has a query or a fragment: '#' and '?' in a name are written %23 and %3F"],
    ['file:///a%2fb', 'hides a "/" in a name'],
    ['file:///a/..%2f..%2fx', 'hides a "/" in a name'],
    ['file:///a%00', 'holds a NUL'],
    ['file:///a\0b', 'holds a control character'],
    ['fi\nle:///x', 'holds a control character'],
    ['file:///et\nc', 'holds a control character'],
    ['file:///d/%FF', "is wrongly percent-encoded: a '%' in a name is written %25"],
    ['file:///d/100%', "is wrongly percent-encoded: a '%' in a name is written %25"],
    ['s3://bucket/a/../b', 'has the name ".." in its path'],
    ['s3://bucket/%2e%2e/b', 'has the name ".." in its path'],
    ['s3://user@bucket/b', "is no s3://bucket/key, with '#' and '?' in a key written %23 and %3F"],
    ['s3:///b', "is no s3://bucket/key, with '#' and '?' in a key written %23 and %3F"],
    ['http://', 'cannot be parsed'],
    ['data:x', 'is a data: URI without a comma'],
    ['keep:abc', 'has the scheme keep:, which is not served here; file:, s3:, http:, https:, data: are'],
    ['jar:file:///x', 'has the scheme jar:, which is not served here; file:, s3:, http:, https:, data: are'],
  ])('%j %s', (text, problem) => expect(canonicalUri(text)).toEqual({ problem }));

  it.each(['file:///', 's3://bucket/', 'https://host/', 'nobody:'])('%s and more than any place is long', (start) => {
    expect(canonicalUri(start + 'a/'.repeat(8_192))).toEqual({ problem: 'is longer than 16,384 characters' });
  });

  it('is one text for one place, whatever the names', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const path = `/${names.join('/')}`;
        const uri = `file://${encodeUriPath(path)}`;
        expect(uriOf(uri)).toBe(uri);
        expect(pathOfFileUri(uri)).toBe(path);
        const everyByte = [...new TextEncoder().encode(path)].map((byte) =>
          byte === 0x2f ? '/' : `%${byte.toString(16).padStart(2, '0')}`,
        );
        expect(uriOf(`FILE://localhost${everyByte.join('')}`)).toBe(uri);
      }),
    );
  });

  it('never answers with a path that a file system would read otherwise', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%00',
      '%',
      'a',
      '?',
      '#',
      '@',
      ':',
      'localhost',
      '\t',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('file:', 'FILE:', 'file:/', 'file://', 's3://b/'),
        fc.array(piece, { maxLength: 12 }),
        (scheme, pieces) => {
          const checked = canonicalUri(scheme + pieces.join(''));
          if ('problem' in checked) return;
          expect(uriOf(checked.uri)).toBe(checked.uri);
          expect(decodeURIComponent(checked.uri).split('/')).not.toContain('..');
          expect(decodeURIComponent(checked.uri)).not.toContain('\0');
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('answers for what is plain as a parser does', () => {
    const piece = fc.constantFrom('/', '.', '..', 'a', '~', '@+,=-', '.x', 'x.');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        // A scheme in capitals is not plain.
        expect(canonicalUri(`file:///${pieces.join('')}`)).toEqual(canonicalUri(`FILE:///${pieces.join('')}`));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('belowUri', () => {
  it.each([
    ['file:///d/x', 'file:///d', '/x'],
    ['file:///d/x', 'file:///d/', '/x'],
    ['file:///d/', 'file:///d', ''],
    ['file:///dx', 'file:///d', undefined],
    ['http://h/d/x', 'http://h/d', '/x'],
    ['http://h/d/..%2fx', 'http://h/d', undefined],
    ['http://h/d/x?y', 'http://h/d', undefined],
    ['http://h@evil/d/x', 'http://h', undefined],
    ['s3://b/d/x%23', 's3://b/d', '/x%23'],
  ])('%s from %s', (uri, directory, expected) => expect(belowUri(uri, directory)).toBe(expected));
});
