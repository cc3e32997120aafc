/** Hostile expressions: each ends in a clear error or harmlessly, and the evaluator works afterwards. */
import { afterAll, describe, expect, it } from '@jest/globals';
import { createEvaluator } from './evaluator.js';
import type { ExpressionContext } from './api.js';

const context: ExpressionContext = { inputs: { x: 1 }, self: null, runtime: {} };
const options = { javascript: true, expressionLib: [] };
const memoryBytes = 8 * 1024 * 1024;
/** Hasty enough for what never ends; the sound expressions beside it have to end by then on a busy machine, too. */
const hasty = createEvaluator({ timeoutMs: 3_000, memoryBytes, workers: 1 });
const patient = createEvaluator({ timeoutMs: 60_000, memoryBytes });
afterAll(() => Promise.all([hasty.close(), patient.close()]));

const evaluate = (text: string, evaluator = patient) => evaluator.evaluate(text, context, options);

async function endsWith(text: string, evaluator: typeof patient, message: string | RegExp): Promise<void> {
  const asked = ['$(inputs.x + 1)', text, '$(inputs.x + 2)'].map((each) => evaluate(each, evaluator).catch((error: unknown) => error));
  const [before, failure, after] = await Promise.all(asked);
  expect([before, after]).toEqual([2, 3]);
  expect(failure).toMatchObject({ name: 'ExpressionError', code: 'EXPRESSION', message: expect.stringMatching(message) });
  expect(await evaluate('$(inputs.x + 3)', evaluator)).toBe(4);
}

describe('time', () => {
  it.each([
    ['endless loop', '${ while (true) {} }'],
    ['endless loop that catches', '${ for (;;) { try { for (;;) {} } catch (e) {} } }'],
    ['regular expression that backtracks', '$(/^(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"))'],
    ['native call that ignores interrupts', '$(Array(3e9).indexOf(1))'],
    ['endless toJSON', '$({ toJSON: function () { for (;;) {} } })'],
    ['endless error text', '${ throw { get message() { for (;;) {} } }; }'],
  ])('%s', async (_name, text) => {
    await endsWith(text, hasty, 'it did not finish within');
  });
});

describe('memory', () => {
  it.each([
    ['bomb', '${ var a = []; while (true) a.push("x".repeat(100000) + a.length); }', 'it needs more than 8 MiB of memory'],
    [
      'bomb held by a global',
      '${ globalThis.a = []; for (;;) a.push(new Array(1000).fill(a.length)); }',
      'it needs more than 8 MiB of memory',
    ],
    ['one huge string', '$("x".repeat(1e9))', 'it needs more than 8 MiB of memory'],
    ['deep recursion', '${ function f(n) { return f(n + 1) + 1; } return f(0); }', 'it recurses or nests too deeply'],
    ['deep nesting', '$(JSON.parse("[".repeat(100000)))', /too deeply/],
  ])('%s', async (_name, text, message) => {
    await endsWith(text, patient, message);
  });
});

describe('escapes', () => {
  it.each([
    ['process by way of the function constructor', '$(typeof globalThis.constructor.constructor("return typeof process")())'],
    ['process', '$(typeof process)'],
    ['require', '$(typeof require)'],
    ['fetch', '$(typeof fetch)'],
    ['WebAssembly', '$(typeof WebAssembly)'],
    ['timers', '$(typeof setTimeout)'],
    ['std and os of the interpreter', '$(typeof std + typeof os === "undefinedundefined" ? "undefined" : "there")'],
  ])('no %s', async (_name, text) => {
    expect(['undefined', 'string']).toContain(await evaluate(text));
  });
  it('the function constructor makes functions of the sandbox', async () => {
    expect(await evaluate('$(globalThis.constructor.constructor("return typeof process")())')).toBe('undefined');
  });
  it('modules cannot be loaded', async () => {
    await expect(evaluate('${ import fs from "fs"; }')).rejects.toThrow('SyntaxError');
  });
  it('a member named __proto__ does not reach the host', async () => {
    const value = await evaluate('$(JSON.parse(\'{"__proto__": {"admin": true}, "a": 1}\'))');
    expect(JSON.stringify(value)).toBe('{"a":1}');
  });
});

describe('nothing leaks from one evaluation to the next', () => {
  it.each([
    ['globals', '${ globalThis.leak = 1; return 0; }', '$(typeof leak)', 'undefined'],
    [
      'prototypes',
      '${ Object.prototype.leak = 1; Array.prototype.map = null; return 0; }',
      '$(typeof ({}).leak + typeof [].map)',
      'undefinedfunction',
    ],
    [
      'built-ins',
      '${ JSON.stringify = function () { return "1"; }; Math.max = null; return 0; }',
      '$(JSON.stringify([Math.max(1, 2)]))',
      '[2]',
    ],
    ['inputs', '${ inputs.x = 5; return 0; }', '$([inputs.x].join())', '1'],
    [
      'frozen globals',
      '${ Object.freeze(globalThis); Object.freeze(Object.prototype); return 0; }',
      '${ globalThis.a = "ok"; return a; }',
      'ok',
    ],
  ])('%s', async (_name, first, second, expected) => {
    await evaluate(first);
    expect(await evaluate(second)).toBe(expected);
  });
  it('memory that was used before is cleared', async () => {
    await evaluate('${ for (var i = 0, a = []; i < 60; i++) a.push(new Uint8Array(100000).fill(255)); return a.length; }');
    expect(await evaluate('${ var n = 0; for (var i = 0; i < 60; i++) n += new Uint8Array(100000).indexOf(255); return n; }')).toBe(-60);
  });
  it('random numbers differ', async () => {
    const numbers = await Promise.all(Array.from({ length: 20 }, () => evaluate('$(Math.random())')));
    expect(new Set(numbers).size).toBe(20);
  });
});

describe('life of the evaluator', () => {
  it('rejects what is running when it is closed, and what is asked afterwards', async () => {
    const other = createEvaluator({ timeoutMs: 60_000 });
    await other.evaluate('$(1 + 1)', context, options);
    const running = other.evaluate('${ for (;;) {} }', context, options).catch((error: Error) => error.message);
    await new Promise((resolve) => setImmediate(resolve));
    await other.close();
    expect(await running).toContain('the evaluator was closed');
    await expect(other.evaluate('$(1 + 1)', context, options)).rejects.toThrow('the evaluator is closed');
  });
  it('does not let a slow script hold up the others', async () => {
    const other = createEvaluator({ timeoutMs: 60_000, workers: 2 });
    await other.evaluate('$(1 + 1)', context, options);
    const slow = other.evaluate('${ for (;;) {} }', context, options).catch((error: Error) => error.message);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await other.evaluate('$(inputs.x + 1)', context, options)).toBe(2);
    await other.close();
    expect(await slow).toContain('the evaluator was closed');
  });
  it('says so when its worker cannot be started', async () => {
    const other = createEvaluator({ workerUrl: new URL('file:///nowhere/worker.mjs') });
    await expect(other.evaluate('$(1 + 1)', context, options)).rejects.toThrow('the JavaScript worker stopped');
    await other.close();
  });
});
