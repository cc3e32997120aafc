import { describe, expect, it } from '@jest/globals';
import type { CwlObject, ExpressionTool } from '@weft/plan';
import { NO_REQUIREMENTS } from '@weft/plan';
import { evaluateExpressionTool } from './expression-tool.js';
import { prepareRunInputs } from './run-inputs.js';
import { JAVASCRIPT, fakeEvaluator, memoryFiles } from '../test/fakes.js';

const DATA = { 'file:///d/a.txt': '42', 'file:///d/a.txt.idx': 'i' };
const F = { class: 'File', location: 'file:///d/a.txt' };
const deps = () => ({ evaluator: fakeEvaluator, files: memoryFiles(DATA) });
const tool = (part: Partial<ExpressionTool>): ExpressionTool => ({
  class: 'ExpressionTool',
  id: 'e',
  inputs: [],
  outputs: [{ name: 'o', type: 'Any' }],
  requirements: [JAVASCRIPT],
  hints: [],
  declaredVersion: 'v1.2',
  expression: '$(null)',
  ...part,
});
const evaluate = (part: Partial<ExpressionTool>, inputs: CwlObject = {}) =>
  evaluateExpressionTool({ tool: tool(part), inputs, effective: NO_REQUIREMENTS }, deps());

describe('evaluateExpressionTool', () => {
  it('gives declared outputs only', async () => {
    expect(
      await evaluate({ inputs: [{ name: 'n', type: 'int' }], expression: '$({o: inputs.n + runtime.cores, x: 1})' }, { n: 1 }),
    ).toEqual({ o: 2 });
  });

  it('may give null for Any', async () => {
    expect(await evaluate({ expression: '$({o: null})' })).toEqual({ o: null });
  });

  it('loads contents', async () => {
    expect(
      await evaluate({ inputs: [{ name: 'f', type: 'File', loadContents: true }], expression: '$({o: inputs.f.contents})' }, { f: F }),
    ).toEqual({ o: '42' });
  });

  it('passes files on under a new name', async () => {
    const expression = '${ inputs.f.basename = "b.txt"; return {o: inputs.f}; }';
    expect(await evaluate({ inputs: [{ name: 'f', type: 'File' }], expression }, { f: F })).toEqual({
      o: { ...F, basename: 'b.txt', nameroot: 'b', nameext: '.txt' },
    });
  });

  it('makes literals', async () => {
    const expression = '$({o: {class: "Directory", basename: "d", listing: [inputs.f, {class: "File", basename: "l", contents: "x"}]}})';
    const { o } = await evaluate({ inputs: [{ name: 'f', type: 'File' }], expression }, { f: F });
    expect(o).toMatchObject({ class: 'Directory', basename: 'd', listing: [F, { class: 'File', basename: 'l', contents: 'x', size: 1 }] });
    expect(JSON.stringify(o)).not.toContain('_:');
  });

  it.each([
    ['$(3)', 'EXPRESSION'],
    ['$({})', 'OUTPUT_MISSING'],
    ['$({o: {class: "File"}})', 'INPUT_FILE'],
    ['$({o: {class: "File", basename: "a/b", contents: ""}})', 'EXPRESSION'],
    ['$({o: [{r: {class: "Directory", basename: "d", listing: [3]}}]})', 'EXPRESSION'],
  ])('refuses %s', async (expression, code) => {
    await expect(evaluate({ expression })).rejects.toMatchObject({ name: 'TaskError', code });
  });
});

describe('prepareRunInputs', () => {
  it('finds what belongs beside the files of a run, and lets it travel with them', async () => {
    const process = tool({ inputs: [{ name: 'f', type: 'File', secondaryFiles: [{ pattern: '.idx' }] }] });
    const prepared = await prepareRunInputs({ process, inputs: { f: F }, effective: NO_REQUIREMENTS }, deps());
    expect(prepared).toMatchObject({
      f: { ...F, secondaryFiles: [{ class: 'File', location: 'file:///d/a.txt.idx', basename: 'a.txt.idx' }] },
    });
    expect(
      await evaluateExpressionTool(
        {
          tool: { ...process, expression: '$({o: inputs.f.secondaryFiles.length})' },
          inputs: prepared,
          effective: NO_REQUIREMENTS,
          discoverSecondaryFiles: false,
        },
        deps(),
      ),
    ).toEqual({ o: 1 });
  });

  it('refuses what is missing', async () => {
    const process = tool({ inputs: [{ name: 'f', type: 'File', secondaryFiles: [{ pattern: '^.bai' }] }] });
    await expect(prepareRunInputs({ process, inputs: { f: F }, effective: NO_REQUIREMENTS }, deps())).rejects.toMatchObject({
      code: 'SECONDARY_FILE',
    });
  });
});
