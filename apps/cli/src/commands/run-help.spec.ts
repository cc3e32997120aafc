import { planOf, rootOf } from '../spec-support/plan-of.js';
import { describeProcess } from './run-help.js';

test('the help of a document lists its inputs as options', async () => {
  const process = rootOf(
    await planOf(`cwlVersion: v1.2
class: CommandLineTool
label: Sorts things
inputs: { file: { type: File, doc: what to sort }, reverse: { type: boolean, default: false }, note: string? }
outputs: {}
baseCommand: sort
`),
  );
  expect(describeProcess('sort.cwl', process).split('\n')).toEqual([
    'Usage: weft run [options] sort.cwl [job] [--input value …]',
    '',
    'Sorts things',
    '',
    'Inputs:',
    '  --file File        required; what to sort',
    '  --reverse boolean  default: false',
    '  --note string?',
    '',
    'Options of weft itself: weft run --help',
    '',
  ]);
});
