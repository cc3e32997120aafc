/** Job files with one mistake each, for one document. */

export const JOB_DOCUMENT = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: "true"
inputs:
  reads: {type: File, label: the reads to align}
  threads: int?
  total: long?
  ratio: double?
  mode: {type: ["null", {type: enum, symbols: [fast, exact]}]}
  names: string[]?
  folder: Directory?
  sample: {type: ["null", {type: record, fields: {id: string, age: int?}}]}
  anything: Any?
outputs: []
`;

const READS = 'reads: {class: File, path: r.fq}\n';

export const JOBS: Readonly<Record<string, string>> = {
  'required input is missing': 'threads: 4\n',
  'input is misspelt': 'raeds: {class: File, path: r.fq}\n',
  'input is null': 'reads: null\n',
  'input does not exist': `${READS}colour: red\n`,
  'path instead of a File': 'reads: r.fq\n',
  'File without its class': 'reads: {path: r.fq}\n',
  'File of the wrong class': 'reads: {class: Directory, path: r.fq}\n',
  'class in lower case': 'reads: {class: file, path: r.fq}\n',
  'File without a place': 'reads: {class: File}\n',
  'empty path': 'reads: {class: File, path: ""}\n',
  'basename with a slash': 'reads: {class: File, path: r.fq, basename: a/b}\n',
  'secondaryFiles as paths': 'reads: {class: File, path: r.fq, secondaryFiles: [r.fq.idx]}\n',
  'number in quotes': `${READS}threads: "4"\n`,
  'fraction for a whole number': `${READS}threads: 1.5\n`,
  'number too large for int': `${READS}threads: 4294967296\n`,
  'number of more than 64 bits': `${READS}total: 9223372036854775808\n`,
  'text for a number': `${READS}ratio: half\n`,
  'choice that does not exist': `${READS}mode: fats\n`,
  'one value for a list': `${READS}names: anna\n`,
  'number in a list of names': `${READS}names: [anna, 5]\n`,
  'File for a Directory': `${READS}folder: {class: File, path: x}\n`,
  'record without a field': `${READS}sample: {age: 3}\n`,
  'record with a field too many': `${READS}sample: {id: a, agee: 3}\n`,
  'list instead of a job': '- reads: r.fq\n',
  'duplicate key': `${READS}${READS}`,
  'not YAML': 'reads: {class: File\n',
  'unresolved import': `${READS}anything: {$import: more.yml}\n`,
  'hints in a job': `${READS}cwl:hints: {}\n`,
  'misspelt requirement in a job': `${READS}cwl:requirements: [{class: EnvVarRequirment, envDef: {A: b}}]\n`,
};
