import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { loadDocument, bundleFetcher } from '@weft/cwl';
import type { Workflow } from '@weft/plan';
import { printInstead, type PrintOptions } from './run-prints.js';

const TOOL =
  'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: cat\ninputs: {x: {type: File, default: {class: File, location: d.txt}}}\noutputs: {y: stdout}\n';
const FLOW = `cwlVersion: v1.2
class: Workflow
inputs: {i: File, j: {type: File, doc: also}}
outputs: {last: {type: File, outputSource: b/y}, other: {type: File, outputSource: c/y}}
steps:
  a: {in: {x: i}, out: [y], run: tool.cwl}
  b: {in: [{id: x, source: a/y}], out: [y], run: tool.cwl}
  c: {in: {x: {source: j}}, out: [y], run: {class: CommandLineTool, baseCommand: cat, inputs: {x: File}, outputs: {y: stdout}}}
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-prints-'));
  for (const [name, text] of Object.entries({
    'tool.cwl': TOOL,
    'flow.cwl': FLOW,
    'd.txt': '',
    'i.txt': '',
    'job.yml': 'i: {class: File, path: i.txt}\nj: {class: File, path: i.txt}\n',
  }))
    writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function printed(options: Partial<PrintOptions>, ...rest: string[]): Promise<string> {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((part) => ((text += String(part)), true));
  try {
    const done = await printInstead(join(folder, 'flow.cwl'), rest, { target: [], relativeDeps: 'primary', ...options });
    return done ? text : 'nothing';
  } finally {
    write.mockRestore();
  }
}

it('prints what the document reads', async () => {
  expect(JSON.parse(await printed({ printDeps: true }))).toEqual({
    class: 'File',
    location: 'flow.cwl',
    format: 'https://w3id.org/cwl/cwl',
    secondaryFiles: [
      { class: 'File', location: 'tool.cwl', format: 'https://w3id.org/cwl/cwl' },
      { class: 'File', location: 'd.txt' },
    ],
  });
});

it('prints the files of the job', async () => {
  const files = [{ class: 'File', location: 'i.txt', basename: 'i.txt' }];
  expect(JSON.parse(await printed({ printInputDeps: true }, join(folder, 'job.yml')))).toEqual({
    class: 'File',
    location: 'job.yml',
    secondaryFiles: files,
  });
});

it('prints targets', async () => {
  expect(await printed({ printTargets: true })).toBe('outputs:\n  last\n  other\nsteps:\n  a\n  b\n  c\ninputs:\n  i\n  j\n');
});

it.each<[Partial<PrintOptions>, { inputs: string[]; steps: string[]; outputs: string[] }]>([
  [{ target: ['last'] }, { inputs: ['i'], steps: ['a', 'b'], outputs: ['last'] }],
  [{ target: ['b'] }, { inputs: ['a_y'], steps: ['b'], outputs: ['last'] }],
  [{ singleStep: 'c' }, { inputs: ['x'], steps: ['c'], outputs: ['y'] }],
])('the subgraph of %j is a document that loads, with what is asked for', async (options, names) => {
  const uri = 'file:///work/part.cwl';
  const { plan, diagnostics } = await loadDocument(uri, bundleFetcher({ [uri]: await printed({ printSubgraph: true, ...options }) }));
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const root = plan?.processes[plan.root] as Workflow;
  expect({
    inputs: root.inputs.map(({ name }) => name),
    steps: root.steps.map(({ name }) => name),
    outputs: root.outputs.map(({ name }) => name),
  }).toEqual(names);
});

it('prints nothing where nothing is asked for', async () => expect(await printed({})).toBe('nothing'));

it.each<[Partial<PrintOptions>, RegExp]>([
  [{ printSubgraph: true, target: ['a'], singleStep: 'b' }, /--target and --single-step exclude each other/],
  [{ printSubgraph: true, singleProcess: 'b' }, /a part of the outermost workflow/],
  [{ printTargets: true, target: ['zz'] }, /there is no target 'zz'/],
])('%j is refused', async (options, message) => expect(printed(options)).rejects.toThrow(message));
