import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plainNumber } from './interpolate.js';
import { parseParameterReference, resolveReference } from './parameter-reference.js';
import { escapeRule, scan, type EscapeRule } from './scanner.js';

/** Expressions in «…». */
const shown = (text: string, rule: EscapeRule = 'lookahead') =>
  scan(text, rule)
    .map((segment) => (segment.kind === 'literal' ? segment.text : `«${segment.code}»`))
    .join('|');

describe('scan', () => {
  it.each<[string, string]>([
    ['a $(b) c', 'a |«(b)»| c'],
    ['$(b)$(c)', '«(b)»|«(c)»'],
    ['$(f(")") + (1))', '«(f(")") + (1))»'],
    ["$(a['}'])", "«(a['}'])»"],
    ['${ return {"a": "}"}; }', '«{ return {"a": "}"}; }»'],
    ['$("\\"" + a)', '«("\\"" + a)»'],
    ['$ a $b $', '$ a $b $'],
    ['\\$(a) $(b)', '$(a) |«(b)»'],
    ['\\${a} $(b)', '${a} |«(b)»'],
    ['\\\\$(b)', '\\|«(b)»'],
    ['\\\\\\$(b)', '\\$(b)'],
    ['\\n $(b) \\', '\\n |«(b)»| \\'],
  ])('%j', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });
  it.each<[string, string]>([
    ['\\$(a) $(b)', '$(a) |«(b)»'],
    ['\\n $(b)', 'n |«(b)»'],
  ])('%j by the older rule', (text, expected) => {
    expect(shown(text, 'skip')).toBe(expected);
  });
  it.each<[string | undefined, EscapeRule]>([
    ['v1.0', 'skip'],
    ['v1.1', 'skip'],
    ['v1.2', 'lookahead'],
    ['v1.3.0-dev1', 'lookahead'],
    ['v1.10', 'lookahead'],
    [undefined, 'lookahead'],
  ])('the rule of %s is %s', (version, rule) => {
    expect(escapeRule(version)).toBe(rule);
  });
  it('gives text without dollars and backslashes back', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[$\\]/.test(text)),
        (text) => {
          expect(scan(text, 'lookahead')).toEqual(text === '' ? [] : [{ kind: 'literal', text }]);
        },
      ),
    );
  });
  it('either cuts a text or says which bracket or quote is open', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '(', ')', '{', '}', '"', "'", '\\', 'a') }), (text) => {
        try {
          const segments = scan(text, 'lookahead');
          expect(segments.every((segment) => segment.kind === 'literal' || /^[({][^]*[)}]$/.test(segment.code))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EXPRESSION', message: expect.stringMatching(/closes this|never closed/) });
        }
      }),
    );
  });
});

describe('parameter references', () => {
  it('lead to what a path names, however it is written', () => {
    const key = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(fc.array(fc.oneof(key, fc.nat(3)), { maxLength: 5 }), fc.jsonValue(), (path, leaf) => {
        const nest = (left: (string | number)[]): unknown => {
          const [first, ...rest] = left;
          if (first === undefined) return leaf;
          return typeof first === 'number' ? [...Array.from({ length: first }, () => null), nest(rest)] : { [first]: nest(rest) };
        };
        const quoted = (segment: string) => `["${segment.replace(/[\\"]/g, '\\$&')}"]`;
        const code = `(inputs${path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : quoted(segment))).join('')})`;
        const reference = parseParameterReference(code);
        expect(reference?.path).toEqual(path);
        expect(reference && resolveReference(reference, { inputs: nest(path) as never })).toEqual({ found: true, value: leaf });
      }),
    );
  });
  it.each([
    '(inputs.a-b)',
    '(inputs[a])',
    '(inputs.)',
    '(inputs[-1])',
    '(inputs.a())',
    '()',
    '(a b)',
    '{inputs}',
    "(inputs[''])",
    '(inputs.a))',
  ])('%s is none', (code) => {
    expect(parseParameterReference(code)).toBeUndefined();
  });
  it.each(['(inputs.toString)', '(inputs.constructor)', '(inputs.list.map)'])('%s sees no inherited member', (code) => {
    const reference = parseParameterReference(code);
    expect(reference && resolveReference(reference, { inputs: { list: [] } }).found).toBe(false);
  });
});

describe('plain numbers', () => {
  it.each([
    [1e-5, '0.00001'],
    [1.5e-7, '0.00000015'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
    [4.2, '4.2'],
  ])('%d is %s', (value, text) => {
    expect(plainNumber(value)).toBe(text);
  });
  it('read back as the same number, without exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plainNumber(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});
