import { planOf } from '../spec-support/plan-of.js';
import { toDot } from './dot.js';
import { toSvg } from './svg.js';

const TOOL = '{ class: CommandLineTool, inputs: { x: string }, outputs: { o: stdout }, baseCommand: echo }';
const WORKFLOW = `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, SubworkflowFeatureRequirement: {}, InlineJavascriptRequirement: {} }
inputs: { words: 'string[]', 'od"d': string }
outputs: { all: { type: 'File[]', outputSource: each/o }, one: { type: File?, outputSource: nested/r } }
steps:
  each: { run: ${TOOL}, scatter: x, in: { x: words }, out: [o] }
  nested:
    when: $(inputs.w != "x")
    in: { w: 'od"d' }
    out: [r]
    run:
      class: Workflow
      inputs: { w: string }
      outputs: { r: { type: File, outputSource: inner/o } }
      steps: { inner: { run: ${TOOL}, in: { x: w }, out: [o] } }
`;
const LOOP = `cwlVersion: v1.3
class: Workflow
requirements: { InlineJavascriptRequirement: {} }
inputs: { n: int }
outputs: { last: { type: int, outputSource: count/n } }
steps:
  count:
    when: $(inputs.n < 5)
    loop: { n: n }
    outputMethod: last_iteration
    in: { n: n }
    out: [n]
    run: { class: ExpressionTool, inputs: { n: int }, outputs: { n: int }, expression: '$({"n": inputs.n + 1})' }
`;

describe('toDot', () => {
  it('draws nested workflows as clusters that links lead into and out of', async () => {
    const dot = toDot(await planOf(WORKFLOW));
    expect(dot).toContain('subgraph "cluster_step/nested" {');
    expect(dot).toContain('"in/od%22d" -> "step/nested/in/w";');
    expect(dot).toContain('"step/nested/out/r" -> "out/one";');
    expect(dot).toContain('"step/nested/in/w" -> "step/nested/step/inner";');
  });

  it('marks scatter, when and loop', async () => {
    const dot = toDot(await planOf(WORKFLOW));
    expect(dot).toContain('each\\nscatter: x');
    expect(dot).toContain('"in/words" -> "step/each" [style=bold, label="scatter"];');
    expect(dot).toContain('nested\\nwhen: $(inputs.w != \\"x\\")');
    const loop = toDot(await planOf(LOOP));
    expect(loop).toContain('count\\nloop: last_iteration\\nwhile: $(inputs.n < 5)');
    expect(loop).toContain('"step/count" -> "step/count" [style=dashed, constraint=false, label="loop: n"];');
  });

  it('draws a tool between its inputs and outputs', async () => {
    const dot = toDot(await planOf(TOOL.replace('{', '{ cwlVersion: v1.2,')));
    expect(dot).toContain('"in/x" -> "step";');
    expect(dot).toContain('"step" -> "out/o";');
  });
});

test('Graphviz makes an SVG of it, with every name as text', async () => {
  const svg = await toSvg(toDot(await planOf(WORKFLOW)));
  expect(svg).toContain('<svg');
  for (const name of ['each', 'nested', 'inner', 'od&quot;d']) expect(svg).toContain(name);
});
