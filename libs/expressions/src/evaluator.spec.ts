import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CwlValue } from '@weft/plan';
import { createEvaluator } from './evaluator.js';
import type { ExpressionContext, ExpressionOptions } from './api.js';

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
    ['a $(inputs.list) b', 'a [1,2] b'],
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
    ['x${ return {"a": 1}; }y', 'x{"a":1}y'],
    ['$(runtime.cores * 2)', 8],
  ])('%j is %j', async (text, expected) => {
    expect(await evaluator.evaluate(text, context, js)).toEqual(expected);
  });
  it('amortised (print)', async () => {
    const t = performance.now();
    await Promise.all(Array.from({ length: 1000 }, (_, i) => evaluator.evaluate('$(inputs.x+1)', { ...context, inputs: { x: i } }, js)));
    console.log((performance.now() - t) / 1000);
  });
});
