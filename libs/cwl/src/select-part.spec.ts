import type { Plan, Workflow } from '@weft/plan';
import { bundleFetcher, loadDocument, type DocumentPart, type LoadResult } from './index.js';
import { BASE } from './spec-support/load-text.js';

const TOOL = '{class: CommandLineTool, baseCommand: cat, inputs: {x: File, n: {type: int, default: 3}}, outputs: {y: stdout}}';
/** a → b → c, a → d; e takes nothing from them. */
const FLOW = `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}, StepInputExpressionRequirement: {}, SubworkflowFeatureRequirement: {}, MultipleInputFeatureRequirement: {}, EnvVarRequirement: {envDef: {A: "1"}}}
inputs: {i: File, j: File, list: 'File[]'}
outputs:
  first: {type: File, outputSource: b/y}
  last: {type: File, outputSource: c/y}
  other: {type: 'File[]', outputSource: [d/y, e/y]}
  many: {type: 'File[]', outputSource: s/y}
steps:
  a: {in: {x: i}, out: [y], run: ${TOOL}}
  b: {in: {x: a/y}, out: [y], run: ${TOOL}}
  c: {in: {x: b/y, n: {default: 5}}, out: [y], run: ${TOOL}}
  d: {in: {x: a/y}, out: [y], run: ${TOOL}}
  e: {in: {x: j}, out: [y], run: ${TOOL}}
  s: {in: {x: list, n: {valueFrom: "$(3)"}}, out: [y], scatter: x, run: ${TOOL}, hints: {ResourceRequirement: {coresMin: 2}}}
  w:
    in: {i: i}
    out: []
    requirements: {EnvVarRequirement: {envDef: {A: "2"}}}
    run:
      class: Workflow
      inputs: {i: File}
      outputs: {}
      requirements: {NetworkAccess: {networkAccess: true}}
      steps: {deep: {in: {x: i}, out: [y], run: ${TOOL}}}
`;

const NONE: DocumentPart = { targets: [], step: '', process: '' };
const load = (part: Partial<DocumentPart>, text = FLOW): Promise<LoadResult> =>
  loadDocument(`${BASE}main.cwl`, bundleFetcher({ [`${BASE}main.cwl`]: text }), { part: { ...NONE, ...part } });

async function flowOf(part: Partial<DocumentPart>): Promise<{ plan: Plan; root: Workflow; leftOut: readonly string[] | undefined }> {
  const { plan, diagnostics, leftOut } = await load(part);
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  return { plan, root: plan.processes[plan.root] as Workflow, leftOut };
}
const names = (items: { name: string }[]): string => items.map(({ name }) => name).join(' ');

it.each<[string[], { steps: string; inputs: string; outputs: string }]>([
  [['first'], { steps: 'a b', inputs: 'i', outputs: 'first' }],
  [['last'], { steps: 'a b c', inputs: 'i', outputs: 'last' }],
  [['other'], { steps: 'a d e', inputs: 'i j', outputs: 'other' }],
  [['first', 'many'], { steps: 'a b s', inputs: 'i list', outputs: 'first many' }],
  // A step: with what follows from it.
  [['b'], { steps: 'b c', inputs: 'a_y', outputs: 'first last' }],
  [['c'], { steps: 'c', inputs: 'b_y', outputs: 'last' }],
  [['d'], { steps: 'd', inputs: 'a_y e_y', outputs: 'other' }],
  [['a/y'], { steps: 'b c d', inputs: 'a_y e_y', outputs: 'first last other' }],
  [['j'], { steps: 'e', inputs: 'j d_y', outputs: 'other' }],
  [['c', 'first'], { steps: 'a b c', inputs: 'i', outputs: 'first last' }],
])('the targets %j are %j', async (targets, expected) => {
  const { plan, root, leftOut } = await flowOf({ targets });
  expect({ steps: names(root.steps), inputs: names(root.inputs), outputs: names(root.outputs) }).toEqual(expected);
  // Nothing is left that nobody runs, and nothing is missing.
  expect(Object.keys(plan.processes).sort()).toEqual([plan.root, ...root.steps.map(({ run }) => run)].sort());
  expect([...(leftOut ?? []), ...root.inputs.map(({ name }) => name).filter((name) => !name.includes('_'))].sort()).toEqual([
    'i',
    'j',
    'list',
  ]);
});

it('an input that stands for a step has the type of what that gives', async () => {
  expect((await flowOf({ targets: ['b'] })).root.inputs).toEqual([{ name: 'a_y', type: 'File' }]);
});

it.each<[string, unknown, unknown[]]>([
  ['c', ['File', 'int'], [undefined, 5]],
  ['s', [{ type: 'array', items: 'File' }, ['null', 'Any']], [undefined, undefined]],
])('one step, %s, asks for its own inputs', async (step, types, defaults) => {
  const { root } = await flowOf({ step });
  expect(names(root.steps)).toBe(step);
  expect(names(root.inputs)).toBe('x n');
  expect(root.inputs.map(({ type }) => (step === 'c' && Array.isArray(type) ? type.at(-1) : type))).toEqual(types);
  expect(root.inputs.map((input) => input.default)).toEqual(defaults);
  expect(root.outputs).toMatchObject([{ name: 'y', link: { sources: [{ step, port: 'y' }] } }]);
  expect(root.steps[0]?.in[0]?.link?.sources).toEqual([{ step: null, port: 'x' }]);
  expect(root.requirements.map((one) => one.class)).toContain('EnvVarRequirement');
});

it('a step inside another runs under all that is around it; its process alone, too', async () => {
  const around = [
    { class: 'EnvVarRequirement', envDef: [{ envName: 'A', envValue: '2' }] },
    { class: 'NetworkAccess', networkAccess: true },
  ];
  expect((await flowOf({ step: 'w/deep' })).root.requirements).toEqual(expect.arrayContaining(around));
  const { plan } = await flowOf({ process: 'w/deep' });
  const tool = plan.processes[plan.root];
  expect([tool?.class, Object.keys(plan.processes)]).toEqual(['CommandLineTool', [plan.root]]);
  expect(tool?.requirements).toEqual(expect.arrayContaining(around));
  const scattered = (await flowOf({ process: 's' })).plan;
  expect(scattered.processes[scattered.root]?.hints).toEqual([{ class: 'ResourceRequirement', coresMin: 2 }]);
});

it.each<[Partial<DocumentPart>, string]>([
  [{ targets: ['lats'] }, "there is no target 'lats': did you mean 'last'?"],
  [{ targets: ['zzzzzz'] }, "there is no target 'zzzzzz': there are first, last, other, many, a, b, c, d, e, s, w, i, j, list"],
  [{ step: 'w/deeep' }, "there is no step 'w/deeep': did you mean 'w/deep'?"],
  [{ step: 'a/x' }, "there is no step 'a/x': 'a' has no steps"],
  [{ process: 'nothing' }, "there is no step 'nothing': there are a, b, c, d, e, s, w"],
  [{ targets: ['first'], step: 'a' }, 'a part of a document is either its targets, one step, or the process of one step'],
  [{ targets: Array.from({ length: 101 }, (_, n) => `t${n}`) }, 'there are 101 targets; at most 100 can be named'],
])('%j is refused', async (part, message) => {
  expect(await load(part)).toMatchObject({ diagnostics: [{ severity: 'error', code: 'unknown-part', message, line: 1 }] });
});

it('a tool has no parts', async () => {
  const { diagnostics } = await load({ step: 'a' }, TOOL.replace('{', '{cwlVersion: v1.2, '));
  expect(diagnostics).toMatchObject([{ message: "only a part of a Workflow can be run, and 'main.cwl' is a CommandLineTool" }]);
});
