import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CwlType, type CwlValue, nameInUri, pathOfFileUri } from '@weft/plan';
import { classifyExit } from './exit.js';
import { formatSatisfies } from './format.js';
import { brief } from './scope.js';
import { applyPattern, baseName, dirName, escapes, fileUri, normalizePath, relativeTo, siblingUri, splitExtension } from './names.js';
import { matchesType, mismatch, typeName } from './type-check.js';

describe('names', () => {
  it.each([
    ['a.tar.gz', ['a.tar', '.gz']],
    ['a', ['a', '']],
    ['.bashrc', ['.bashrc', '']],
    ['..x.y', ['..x', '.y']],
    ['a.', ['a', '.']],
    ['', ['', '']],
  ])('splitExtension(%p)', (name, parts) => expect(splitExtension(name)).toEqual(parts));

  it.each([
    ['a.bam', '.bai', 'a.bam.bai'],
    ['a.bam', '^.bai', 'a.bai'],
    ['a.b.c', '^^.d', 'a.d'],
    ['a', '^^.d', 'a.d'],
    ['a.b', '_x', 'a.b_x'],
  ])('applyPattern(%p, %p)', (name, pattern, expected) => expect(applyPattern(name, pattern)).toBe(expected));

  it.each([
    ['a/./b//c/', 'a/b/c'],
    ['a/../../b', '../b'],
    ['/a/../../b', '/b'],
    ['.', ''],
    ['..', '..'],
  ])('normalizePath(%p)', (path, expected) => expect(normalizePath(path)).toBe(expected));

  it('tells what is below a directory', () => {
    expect(relativeTo('/w/a/../b', '/w')).toBe('b');
    expect(relativeTo('/w', '/w/')).toBe('');
    expect(relativeTo('/wx/b', '/w')).toBeUndefined();
    expect([escapes('..'), escapes('../a'), escapes('..a')]).toEqual([true, true, false]);
    expect([dirName('/a'), dirName('a'), dirName('/a/b'), baseName('/a/b')]).toEqual(['/', '', '/a', 'b']);
  });

  it('goes between paths and URIs without loss', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/^\.{1,2}$|[/\0]/.test(text));
    fc.assert(
      fc.property(name, (text) => {
        expect(pathOfFileUri(fileUri(`/d/${text}`))).toBe(`/d/${text}`);
        expect(nameInUri(fileUri(`/d/${text}`))).toBe(text);
        expect(siblingUri('file:///d/other', text)).toBe(fileUri(`/d/${text}`));
        expect(fileUri(`/d/${text}`)).not.toMatch(/[#?\s]/);
      }),
    );
  });

  it('takes a stray percent sign as it is', () => expect(nameInUri('file:///d/100%')).toBe('100%'));
});

describe('a value in a message', () => {
  it('is the beginning of its JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.array(fc.string({ maxLength: 400 })), fc.dictionary(fc.string(), fc.jsonValue())),
        (value) => {
          const text = JSON.stringify(value);
          expect(brief(value)).toBe(text.length > 120 ? `${text.slice(0, 117)}…` : text);
        },
      ),
      { numRuns: 1_000 },
    );
    expect([brief(undefined), brief(2n ** 62n), brief({ a: undefined, b: [undefined] })]).toEqual([
      'undefined',
      '4611686018427387904',
      '{"b":[null]}',
    ]);
  });

  it('of which most is cut off is not looked at beyond that', () => {
    const looked: string[] = [];
    const list = Array.from({ length: 1_000 }, (_, i) => ({
      get a() {
        looked.push(`${i}`);
        return 'x'.repeat(50);
      },
    }));
    expect(brief(list)).toHaveLength(118);
    expect(looked.length).toBeLessThan(5);
  });
});

describe('types', () => {
  const record: CwlType = { type: 'record', fields: [{ name: 'a', type: 'int' }, { name: 'b', type: ['null', { type: 'array', items: 'File' }] }] }; // prettier-ignore
  it.each<[CwlType, CwlValue, boolean]>([
    ['null', null, true],
    ['int', 1, true],
    ['int', 1.5, false],
    ['long', 2 ** 40, true],
    ['int', 2 ** 31, false],
    ['int', -(2 ** 31), true],
    ['long', 9223372036854775807n, true],
    ['int', 9223372036854775807n, false],
    ['long', 2 ** 63, false],
    ['double', 9223372036854775807n, true],
    ['string', 9223372036854775807n, false],
    [['int', 'long'], 9223372036854775807n, true],
    ['double', 1, true],
    ['boolean', 'true', false],
    ['Any', null, false],
    ['Any', [], true],
    ['File', { class: 'File' }, true],
    ['File', { class: 'Directory' }, false],
    [['null', 'int'], null, true],
    [['null', 'int'], 'x', false],
    [{ type: 'enum', symbols: ['a'] }, 'a', true],
    [{ type: 'enum', symbols: ['a'] }, 'b', false],
    [record, { a: 1 }, true],
    [record, { a: 1, b: [{ class: 'File' }] }, true],
    [record, { class: 'File', a: 1 }, false],
    [record, [], false],
  ])('%j of %j: %p', (type, value, expected) => {
    expect(matchesType(type, value)).toBe(expected);
    expect(mismatch(type, value, 'x') === undefined).toBe(expected);
  });

  it('says where and what', () => {
    expect(mismatch(record, { a: 1, b: [{ class: 'File' }, 3] }, "output 'o'")).toBe("output 'o'.b[1] should be File, got 3");
    expect(mismatch(['int', 'string'], null, 'x')).toBe('x should be int or string, got null');
    expect(typeName({ type: 'array', items: ['null', 'File'] })).toBe('(null or File)[]');
  });
});

describe('formats', () => {
  it('follow the ontology, in circles too', () => {
    const ontology = { a: ['b'], b: ['a', 'c'] };
    expect([formatSatisfies('a', 'c', ontology), formatSatisfies('c', 'a', ontology), formatSatisfies('x', 'x', {})]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('classifyExit', () => {
  const codes = { successCodes: [2], temporaryFailCodes: [3], permanentFailCodes: [0] };
  it.each([
    [2, 'success'],
    [3, 'temporary'],
    [0, 'permanent'],
    [1, 'permanent'],
  ])('%d is %s', (exitCode, expected) => expect(classifyExit(codes, exitCode)).toBe(expected));
  it('takes 0 as success where nothing is listed', () => {
    expect(classifyExit({ successCodes: [], temporaryFailCodes: [], permanentFailCodes: [] }, 0)).toBe('success');
  });
});
