import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CwlValue } from '@weft/plan';
import { createEvaluator } from './evaluator.js';
import type { ExpressionContext, ExpressionError, ExpressionOptions } from './api.js';

const context: ExpressionContext = {
  inputs: { x: 3, name: 'n', list: [1, 2], bar: { baz: 'zab1', 'b az': 2, "b'az": true, 'b"az': null, length: 7 }, none: null },
  self: 'me',
  runtime: { cores: 4, outdir: '/out' },
};
const js: ExpressionOptions = { javascript: true, expressionLib: [] };
const plain: ExpressionOptions = { javascript: false, expressionLib: [] };

let evaluator: ReturnType<typeof createEvaluator>;
beforeAll(() => {
  evaluator = createEvaluator();
});
afterAll(() => evaluator.close());

describe('values without JavaScript', () => {
  it.each<[string, CwlValue]>([
    ['plain \\\\ text', 'plain \\\\ text'],
    ['$(inputs.x)', 3],
    ['$(inputs.x)\n', 3],
    ['-$(inputs.x)-$(self)', '-3-me'],
    ['$(inputs)', context.inputs],
    ["$(inputs.bar['b\\'az'])", true],
    ['$(inputs["bar"]["b\\"az"]) x', 'null x'],
    ['$(inputs.list.length)', 2],
    ['$(inputs.bar.length)', 7],
    ['$(null)', null],
    ['a $(inputs.list) b', 'a [1, 2] b'],
    ['\\$(inputs.x) $(inputs.x)', '$(inputs.x) 3'],
  ])('%j is %j', async (text, expected) => {
    expect(await evaluator.evaluate(text, context, plain)).toEqual(expected);
  });
});

describe('JavaScript', () => {
  it.each<[string, CwlValue]>([
    ['$(inputs.x + 1)', 4],
    ['${return inputs.list.map(function(i){return i*2;});}', [2, 4]],
    ['${return;}', null],
    ['$(inputs.missing)', null],
    ['$(self.length)', 2],
    ["$(inputs.bar['b\\'az'])", true],
    ['$({"a": undefined, "b": [undefined]})', { b: [null] }],
    ['$(new Date(0))', '1970-01-01T00:00:00.000Z'],
    ['$(console.log("x"))', null],
    ['x${ return {"a": 1}; }y', 'x{"a": 1}y'],
    ['$(runtime.cores * 2)', 8],
  ])('%j is %j', async (text, expected) => {
    expect(await evaluator.evaluate(text, context, js)).toEqual(expected);
  });
});

describe('what is wrong is said', () => {
  it.each<[string, string, ExpressionOptions]>([
    ['$(inputs.foo)', "inputs has no field 'foo' (it has: x, name, list, bar, none): $(inputs.foo)", plain],
    ['$(inputs.list[2])', 'inputs.list[2] is out of range: inputs.list has 2 items: $(inputs.list[2])', plain],
    ['$(inputs.x.length)', "inputs.x is a number: it has no field 'length': $(inputs.x.length)", plain],
    ['$(self.length)', "self is a string: it has no field 'length': $(self.length)", plain],
    ['$(null.something)', "'null' is not defined; there are inputs, self, runtime: $(null.something)", plain],
    ['$(inputs.x + 1)', 'this is JavaScript and not a parameter reference; it needs InlineJavascriptRequirement: $(inputs.x + 1)', plain],
    ['a $(inputs.x', "no ')' closes this expression; brackets and quotes inside comments count too", plain],
    ['$("a)', 'a quote (") is never closed in this expression; brackets and quotes inside comments count too', js],
    ['$(0/0)', 'the result is NaN, which JSON cannot hold: $(0/0)', js],
    ['$({"a": 1/0})', "the result's member 'a' is Infinity, which JSON cannot hold: $({\"a\": 1/0})", js],
    ['$(parseInt)', 'the result is a function, which is not data: $(parseInt)', js],
    ['$(nothing.here)', "ReferenceError: 'nothing' is not defined (line 1 of the expression): $(nothing.here)", js],
    [
      '${\n  var a;\n  return a.b;\n}',
      "TypeError: cannot read property 'b' of undefined (line 3 of the expression): ${ var a; return a.b; }",
      js,
    ],
    ['${ undeclared = 1; }', "ReferenceError: 'undeclared' is not defined (line 1 of the expression): ${ undeclared = 1; }", js],
    ['${ throw "no luck"; }', 'it threw no luck: ${ throw "no luck"; }', js],
    [
      '$(f(1))',
      'TypeError: bad 1 (line 2 of expressionLib[1]): $(f(1))',
      { ...js, expressionLib: ['var a = 1;', '\nfunction f(x) { throw new TypeError("bad " + x); }'] },
    ],
    ['$(1)', "ReferenceError: 'b' is not defined (line 1 of expressionLib[0]): $(1)", { ...js, expressionLib: ['b();'] }],
  ])('%j: %s', async (text, message, options) => {
    await expect(evaluator.evaluate(text, context, options)).rejects.toMatchObject({ code: 'EXPRESSION', message });
  });

  it.each([
    ['$(inputs.x)', plain],
    ['$(1 + 1) ', js],
  ])('a text of too many %s, before any of them is evaluated', async (one, options) => {
    const many = one.repeat(20_000);
    await expect(evaluator.evaluate(many, context, options)).rejects.toMatchObject({
      code: 'EXPRESSION',
      message: 'the text holds more than 10000 expressions; make it with one',
      at: { offset: one.length * 10_000 },
    });
    expect(await evaluator.evaluate(one.repeat(5_000), context, options)).toHaveLength(one.includes('+') ? 9_999 : 5_000);
  });

  it('says where the syntax is wrong', async () => {
    await expect(evaluator.evaluate('${\n return +;\n}', context, js)).rejects.toThrow(/^SyntaxError: .*\(line 2 of the expression\)/);
  });
});

describe('where it is wrong', () => {
  const bad = (text: string, options: ExpressionOptions): Promise<ExpressionError> =>
    evaluator.evaluate(text, context, options).then(
      (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
      (error: ExpressionError) => error,
    );

  /** « stands before the character that is told. */
  it.each<[string, ExpressionOptions]>([
    ['«$(inputs.foo)', plain],
    ['a $(inputs.x) b «$(inputs.foo) c', plain],
    ['«$(inputs.x + 1)', plain],
    ['ab «$(inputs.x', plain],
    ['«$("a)', js],
    ['$(«nothing.here)', js],
    ['x $(1)\n$(inputs.x +\n   «nothing)', js],
    ['${\n  var a;\n  return a«.b;\n}', js],
    ['${ «undeclared = 1; }', js],
    ['${ return [1].map(function (x) { «return x(); }); }', js],
    ['${\n return +«;\n}', js],
    ['«$(0/0)', js],
    ['«${ throw "no luck"; }', js],
    ['${ var e = new Error("x"); e.stack = "expression:99999999999999999999:7"; throw e; }«', js],
    ['${ var e = new Error("x"); e.stack = "expression:1:99999999999999999999"; throw e; }«', js],
  ])('%j', async (marked, options) => {
    const text = marked.replace('«', '');
    const { at } = await bad(text, options);
    const { at: within } = await bad(`\n  ${text} `, options);
    expect([at, within]).toEqual([
      { text, offset: marked.indexOf('«') },
      { text, offset: marked.indexOf('«') },
    ]);
  });

  it.each([
    ['$(f(1))', ['var a = 1;', '\nfunction f(x) { throw new TypeError«("bad " + x); }']],
    ['$(1)', ['«b();']],
    ['$(g())', ['var a;\nvar b;', 'function g() { return a«.b; }']],
  ])('%s, in a library', async (text, marked) => {
    const library = marked.map((one) => one.replace('«', ''));
    const which = marked.findIndex((one) => one.includes('«'));
    const { at } = await bad(text, { ...js, expressionLib: library });
    expect(at).toEqual({ text: library[which], offset: marked[which]?.indexOf('«') });
  });
});

describe('whole numbers beyond those of JavaScript', () => {
  const long = 9223372036854775807n;
  const inputs = { n: long, m: 9007199254740993n, list: [1, long], s: '\0L5', t: '\0\0', small: 5 };
  const evaluate = (text: string, options = js): Promise<CwlValue> => evaluator.evaluate(text, { ...context, inputs, self: long }, options);

  it.each<[string, CwlValue]>([
    ['$(inputs.n)', long],
    ['$(self)', long],
    ['$(inputs.list)', [1, long]],
    ['seed=$(inputs.n)', 'seed=9223372036854775807'],
    ['$(inputs.list) $(inputs.s)', '[1, 9223372036854775807] \0L5'],
  ])('are what they are without JavaScript: %j', async (text, expected) => {
    expect(await evaluate(text, plain)).toEqual(expected);
    expect(await evaluate(text, js)).toEqual(expected);
  });

  it.each<[string, CwlValue]>([
    ['${ return inputs.n; }', long],
    ['${ return inputs; }', inputs],
    ['${ return [inputs.s, inputs.t, inputs.n]; }', ['\0L5', '\0\0', long]],
    ['$("x" + inputs.n)', 'x9223372036854775807'],
    ['$(inputs.n.toString())', '9223372036854775807'],
    ['$(inputs.n - 1n)', 9223372036854775806n],
    ['$(self > inputs.m && inputs.n > 5)', true],
    ['$(Number(inputs.n))', 9223372036854776000],
    ['$(BigInt(inputs.small) + 1n)', 6],
    ['$(inputs.n - self)', 0],
    ['$(inputs.small + 1)', 6],
    ['$(typeof inputs.small)', 'number'],
    ['$(2n ** 60n)', 1152921504606846976n],
    ['$(JSON.stringify(inputs.list))', '[1,9223372036854775807]'],
    [
      '$(JSON.stringify({ "a": -inputs.n, "b": inputs.s, "c": "L0:7" }, null, 1))',
      '{\n "a": -9223372036854775807,\n "b": "\\u0000L5",\n "c": "L0:7"\n}',
    ],
    ['$(JSON.stringify(inputs.list, function (k, v) { return typeof v === "bigint" ? "n" + v : v; }))', '[1,"n9223372036854775807"]'],
    ['$(JSON.stringify(inputs.list, function (k, v) { return k === "" ? v : inputs.m; }))', '[9007199254740993,9007199254740993]'],
    ['$(JSON.stringify(inputs.n))', '9223372036854775807'],
    ['$({ "a": [inputs.n, { "b": -(2n ** 63n) }] })', { a: [long, { b: -(2n ** 63n) }] }],
  ])('are BigInts in JavaScript: %j', async (text, expected) => expect(await evaluate(text)).toEqual(expected));

  it.each([
    ['$(inputs.n + 1)', /^TypeError: .*line 1 of the expression\); an integer beyond 2\^53 is a BigInt here: reckon with 1n/],
    ['$(Math.floor(inputs.n))', /^TypeError: .*is a BigInt here/],
    ['$(JSON.stringify([inputs.n], ["a"]))', /^TypeError: .*is a BigInt here/],
    ['${ var a = [inputs.n]; a.push(a); return JSON.stringify(a); }', /^TypeError: circular/],
    ['$(inputs.n + 1n)', /^the result is an integer of more than 64 bits/],
    ['$({ "a": 2n ** 70n })', /^the result's member 'a' is an integer of more than 64 bits/],
  ])('are not rounded without a word: %j', async (text, message) => {
    await expect(evaluate(text)).rejects.toThrow(message);
  });
});

describe('library code', () => {
  const expressionLib = [
    'var t = function(s) { return inputs.x + s; }; let calls = 0;',
    'function count() { return ++calls + base; } var base = t(0);',
  ];
  it('sees its own parts, and inputs when it is called', async () => {
    await expect(evaluator.evaluate('$(t("!"))', context, { ...js, expressionLib: expressionLib.slice(0, 1) })).resolves.toBe('3!');
  });
  it('is loaded before inputs are there', async () => {
    await expect(evaluator.evaluate('$(1)', context, { ...js, expressionLib })).rejects.toThrow(
      "'inputs' is not defined (line 1 of expressionLib[0])",
    );
  });
  it('starts anew for every evaluation', async () => {
    const options = { ...js, expressionLib: ['var n = 0; function next() { return ++n; }'] };
    const twice = [evaluator.evaluate('$(next() + next())', context, options), evaluator.evaluate('$(next())', context, options)];
    expect(await Promise.all(twice)).toEqual([3, 1]);
  });
  it('may hold memory of its own', async () => {
    const options = { ...js, expressionLib: ['var table = new Uint8Array(3000000); table[2999999] = 7;'] };
    await evaluator.evaluate('${ table.fill(9); return 0; }', context, options);
    expect(await evaluator.evaluate('$([table[0], table[1500000], table[2999999]])', context, options)).toEqual([0, 0, 7]);
  });
  it('of many kinds takes turns', async () => {
    const asked = Array.from({ length: 60 }, (_, i) =>
      evaluator.evaluate('$(id())', context, { ...js, expressionLib: [`function id() { return ${i % 20}; }`] }),
    );
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 60 }, (_, i) => i % 20));
  });
});

it('answers a thousand evaluations each with its own value', async () => {
  const asked = Array.from({ length: 1000 }, (_, i) => evaluator.evaluate('$(inputs.x + 1)', { ...context, inputs: { x: i } }, js));
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
});
