import { bindInputs, parseJob } from '@weft/cwl';
import { planOf, rootOf } from '../spec-support/plan-of.js';
import { jobTemplate } from './template.js';

const TOOL = `cwlVersion: v1.2
class: CommandLineTool
requirements:
  SchemaDefRequirement:
    types: [{ name: pair, type: record, fields: { left: int, right: File } }]
inputs:
  reads: { type: 'File[]', doc: "Reads of\\nthe sample", secondaryFiles: [.bai], format: 'http://x/bam' }
  reference: Directory
  name: { type: string, label: Name }
  threads: { type: int, default: 4 }
  ratio: { type: double?, doc: how much }
  mode: { type: { type: enum, symbols: [fast, slow] } }
  pair: pair
  pairs: { type: { type: array, items: pair } }
  either: [ 'null', boolean, string ]
  "odd: name": Any
  config: { type: File, default: { class: File, location: c.yml } }
  big: long
outputs: {}
baseCommand: 'true'
`;

describe('jobTemplate', () => {
  it('tells types, defaults and docs, and comments out what is optional', async () => {
    const text = jobTemplate(rootOf(await planOf(TOOL)), 'tool.cwl');
    expect(text.split('\n').slice(0, 12)).toEqual([
      '# Inputs of tool.cwl.',
      '# Lines that begin with #- are optional: remove these two characters to set them.',
      '',
      '# Reads of',
      '# the sample',
      '# File[]; format: http://x/bam; with: .bai',
      'reads:',
      '  - class: File',
      '    path: path/to/file',
      '',
      '# Directory',
      'reference:',
    ]);
    expect(text).toContain('# int; default: 4\n#-threads: 4\n');
    expect(text).toContain('# how much\n# double?\n#-ratio: 0.5\n');
  });

  it.each([
    ['as it stands', (text: string) => text],
    ['with every optional line set', (text: string) => text.replace(/^#-/gm, '')],
  ])('fits its document %s', async (_, edit) => {
    const plan = await planOf(TOOL);
    const job = parseJob(edit(jobTemplate(rootOf(plan), 'tool.cwl')), 'file:///work/job.yml');
    const bound = bindInputs({ plan, job, baseUri: 'file:///work/job.yml' });
    expect(bound.diagnostics.filter(({ code }) => code !== 'input-format')).toEqual([]);
    expect(bound.inputs).toMatchObject({ name: 'text', threads: 4, mode: 'fast', big: 1 });
  });

  it('is an empty job where nothing is asked for', async () => {
    const process = rootOf(await planOf('{ cwlVersion: v1.2, class: Workflow, inputs: [], outputs: [], steps: [] }'));
    expect(parseJob(jobTemplate(process, 'w.cwl'), 'file:///job').value).toEqual({});
  });
});
