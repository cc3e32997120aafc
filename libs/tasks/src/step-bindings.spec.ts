import { describe, expect, it } from '@jest/globals';
import type { CwlObject } from '@weft/plan';
import { NO_REQUIREMENTS } from '@weft/plan';
import type { StepBindings } from './step-bindings.js';
import { evaluateStepBindings } from './step-bindings.js';
import { fakeEvaluator, memoryFiles } from '../test/fakes.js';

const FILES = { 'file:///d/a.txt': '42', 'file:///d/x/y': '' };
const F = { class: 'File', location: 'file:///d/a.txt' };

async function evaluate(part: Partial<StepBindings>): Promise<{ inputs: CwlObject; run: boolean; calls: string[] }> {
  const files = memoryFiles(FILES);
  const step = {
    stepInputs: [],
    values: {},
    options: { javascript: true, expressionLib: [] },
    effective: NO_REQUIREMENTS,

    ...part,
  };
  return { ...(await evaluateStepBindings(step, { evaluator: fakeEvaluator, files })), calls: files.calls };
}

describe('evaluateStepBindings', () => {
  it('passes plain values on, absent ones as null', async () => {
    expect(await evaluate({ stepInputs: [{ name: 'a' }, { name: 'b' }], values: { a: F } })).toEqual({
      inputs: { a: F, b: null },
      run: true,
      calls: [],
    });
  });

  it('shows every valueFrom the inputs as they were before any', async () => {
    const stepInputs = [{ name: 'a', valueFrom: '$(self + inputs.b)' }, { name: 'b', valueFrom: '$(self + inputs.a)' }]; // prettier-ignore
    expect((await evaluate({ stepInputs, values: { a: 1, b: 10 } })).inputs).toEqual({ a: 11, b: 11 });
  });

  it('hands on no name that is none, whoever gave it', async () => {
    const stepInputs = [{ name: 'a', valueFrom: '$({class: "File", basename: "../x", contents: ""})' }];
    await expect(evaluate({ stepInputs })).rejects.toMatchObject({ code: 'EXPRESSION' });
    // What no expression sees is handed on as it is: whoever takes it looks.
    const seen = [{ name: 'a' }, { name: 'b', valueFrom: '$(1)' }];
    await expect(evaluate({ stepInputs: seen, values: { a: { ...F, basename: '..' } } })).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  it('evaluates valueFrom of an input without a value', async () => {
    expect((await evaluate({ stepInputs: [{ name: 'a', valueFrom: '$(self === null)' }] })).inputs).toEqual({ a: true });
  });

  it('shows `when` the inputs after valueFrom, and wants a boolean', async () => {
    const stepInputs = [{ name: 'a', valueFrom: '$(self + 1)' }];
    expect(await evaluate({ stepInputs, values: { a: 1 }, when: '$(inputs.a > 1)' })).toMatchObject({ run: true });
    expect(await evaluate({ stepInputs, values: { a: 0 }, when: '$(inputs.a > 1)' })).toMatchObject({ run: false });
    await expect(evaluate({ stepInputs, values: { a: 0 }, when: '$(inputs.a)' })).rejects.toMatchObject({
      name: 'TaskError',
      code: 'EXPRESSION',
    });
  });

  it('loads contents and listings first and hands them on', async () => {
    const stepInputs = [
      { name: 'f', loadContents: true },
      { name: 'n', valueFrom: '$(parseInt(inputs.f.contents))' },
      { name: 'd', loadListing: 'shallow_listing' as const },
    ];
    const { inputs } = await evaluate({ stepInputs, values: { f: F, d: { class: 'Directory', location: 'file:///d/x' } } });
    expect(inputs).toMatchObject({ f: { contents: '42' }, n: 42, d: { listing: [{ class: 'File', basename: 'y' }] } });
  });

  it('names files for expressions without looking at them, and sizes them only on demand', async () => {
    const named = await evaluate({ stepInputs: [{ name: 'f', valueFrom: '$(self.nameroot + self.nameext)' }], values: { f: F } });
    expect([named.inputs, named.calls]).toEqual([{ f: 'a.txt' }, []]);
    const sized = await evaluate({ stepInputs: [{ name: 'f', valueFrom: '$(self.size)' }], values: { f: F } });
    expect(sized.inputs).toEqual({ f: 2 });
  });

  it('leaves no invented locations in literals', async () => {
    const lit = { class: 'File', basename: 'l', contents: 'x' };
    const { inputs } = await evaluate({ stepInputs: [{ name: 'l', valueFrom: '$(self)' }], values: { l: lit } });
    expect(inputs['l']).not.toHaveProperty('location');
    expect(inputs['l']).toMatchObject(lit);
  });
});
