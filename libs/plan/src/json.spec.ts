import fc from 'fast-check';
import { exactInteger, isLong, markedJson, mayHoldLong, readForeignJson, readJson, unmarked, writeJson } from './json.js';

const MAX = 9223372036854775807n;
const LONGS: [string, bigint][] = [
  ['9223372036854775807', MAX],
  ['-9223372036854775808', -MAX - 1n],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['1152921504606846977', 1152921504606846977n],
];

describe('whole numbers', () => {
  it.each(LONGS)('%s is kept digit by digit, wherever it stands', (digits, exact) => {
    expect(exactInteger(digits)).toBe(exact);
    for (const [before, after] of [
      ['', ''],
      ['[', ']'],
      ['[1,', ']'],
      ['[1, ', ' ,2]'],
      ['{"a":', '}'],
      ['{"a":\n\t', '\r\n}'],
      ['{"\\u0000L1":"\\u0000L2","b":[{"c":', '}]}'],
      ['["x\\"", ', ', "\\"y"]'],
    ]) {
      const text = `${before}${digits}${after}`;
      expect(writeJson(readJson(text))).toBe(before?.trim() === before && after?.trim() === after ? text : text.replace(/\s/g, ''));
    }
  });

  it.each(['0', '-1', '9007199254740991', '9007199254740992', '1152921504606847000', '9223372036854775000', '100000000000000000000'])(
    '%s is a number, because a number prints it',
    (digits) => {
      expect(exactInteger(digits)).toBe(Number(digits));
      expect(readJson(`[${digits}]`)).toEqual([Number(digits)]);
    },
  );

  it.each([
    '9223372036854775808',
    '-9223372036854775809',
    '9999999999999999999',
    '18446744073709551617',
    '1'.repeat(400),
    `${'9'.repeat(100_000)}`,
  ])('more than 64 bits are refused from outside: %.30s', (digits) => {
    expect(exactInteger(digits)).toBeUndefined();
    expect(() => readForeignJson(`{"a": [${digits}]}`)).toThrow(/^the number -?\d+…? has more than 64 bits/);
    expect(readForeignJson(`{"a": "${digits}"}`)).toEqual({ a: digits });
  });

  it.each(['1e400', '-1E+309', '123456789e301', `${'9'.repeat(320)}.5`])('what no double holds is refused from outside: %.30s', (text) => {
    expect(() => readForeignJson(`[${text}]`)).toThrow(/is larger than any double/);
    expect(readForeignJson(`["${text}", 1e300]`)).toEqual([text, 1e300]);
  });

  it('have 64 bits as they print', () => {
    expect([MAX, -MAX - 1n, 2 ** 62, -(2 ** 63) + 2048, 5].map(isLong)).toEqual([true, true, true, true, true]);
    expect([MAX + 1n, -MAX - 2n, 2 ** 63, 1e300, 0.5].map(isLong)).toEqual([false, false, false, false, false]);
  });
});

describe('text that looks like something else', () => {
  it.each([
    '{"a":"9223372036854775807"}',
    '"\\"9223372036854775807"',
    '["\\u0000L9223372036854775807", 9007199254740993]',
    '["\\u0000\\u0000", "\\u0000", 9007199254740993, "a\\"\\u0000L5"]',
    '{"\\u0000L5": 9007199254740993, "\\u0000\\u0000" : 1}',
    '[9007199254740993.5, 9007199254740993e2, 0.12345678901234567890]',
    '{"9007199254740993": [ 9007199254740993 ]}',
  ])('is read as JSON has it: %s', (text) => {
    const read = readJson(text);
    const plain = JSON.parse(text.replaceAll(/(?<=[[,:\s])9007199254740993(?=\s*[,\]}])/g, '"?"')) as unknown;
    expect(JSON.parse(writeJson(read).replaceAll(/(?<=[[,:])9007199254740993(?=[,\]}])/g, '"?"'))).toEqual(plain);
  });

  it('keeps members called __proto__, and errors of what is no JSON', () => {
    const read = readJson('{"__proto__": 9007199254740993, "a": 9007199254740993}') as object;
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(writeJson(read)).toBe('{"__proto__":9007199254740993,"a":9007199254740993}');
    for (const text of ['{"a": 9007199254740993', '[09007199254740993]', '[--9007199254740993]', '9007199254740993"']) {
      expect(() => readJson(text)).toThrow(expect.objectContaining({ name: 'SyntaxError' }) as Error);
    }
  });
});

const integer = fc
  .oneof(fc.bigInt({ min: -MAX - 1n, max: MAX }), fc.maxSafeInteger().map(BigInt))
  .map((value) => exactInteger(String(value)) ?? 0);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    integer,
    fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => number + 0),
    fc.constantFrom(null, true, '\0', '\0L5', '\0\0L5', '"9223372036854775807"', '9223372036854775807', ': 9223372036854775807,'),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('\0L5', '__proto__', '9223372036854775807')), tie('value')),
  ),
}));

describe('any value', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (given, space) => {
        const text = writeJson(given, space);
        expect(writeJson(readJson(text), space)).toBe(text);
        expect(readForeignJson(text)).toEqual(readJson(text));
        expect(writeJson(unmarked(JSON.parse(markedJson(given))), space)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('without such a number is written and read as JSON does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(undefined, 4), (given, space) => {
        const text = JSON.stringify(given, undefined, space);
        expect(writeJson(given, space)).toBe(text);
        expect(readJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is looked at once where it has none', () => {
    expect(
      ['{"checksum":"sha1$0123456789012345678901234567890123456789","size":12345678901}', '0.1234567890123456789'].map(mayHoldLong),
    ).toEqual([false, false]);
    expect(['9007199254740993', '{"a": 1234567890123456}'].map(mayHoldLong)).toEqual([true, true]);
  });

  it('is indented as JSON.stringify does', () => {
    const plain = { a: [1, [], {}, { b: undefined, c: [null, undefined] }], d: 'x' };
    const text = writeJson({ ...plain, e: 9007199254740993n }, 4);
    expect(text.replace('9007199254740993', '5')).toBe(JSON.stringify({ ...plain, e: 5 }, undefined, 4));
  });
});
