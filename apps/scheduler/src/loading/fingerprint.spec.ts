import { scheduler } from '@weft/contracts';
import { fingerprintOf } from './fingerprint.js';

const files = { 'file:///w.cwl': 'class: Workflow', 'file:///t.cwl': 'class: CommandLineTool' };
const request = scheduler.SubmitRunRequest.create({
  document: { rootUri: 'file:///w.cwl', files },
  ...{ inputsJson: '{"a": 1, "b": [true]}', projectId: 'p', labels: { x: 'y' }, idempotencyKey: 'k' },
});

it.each<[string, Partial<scheduler.SubmitRunRequest>]>([
  ['another key', { idempotencyKey: 'other' }],
  ['inputs written otherwise', { inputsJson: '{"b":[true],"a":1}' }],
  ['files in another order', { document: { rootUri: 'file:///w.cwl', files: Object.fromEntries(Object.entries(files).reverse()) } }],
  [
    'the PATH and umask of another shell',
    {
      options: scheduler.RunOptions.create({ caller: scheduler.Caller.create({ path: '/elsewhere', umask: 0o077 }) }),
    },
  ],
  ['options that are all default', { options: scheduler.RunOptions.create() }],
])('is the same with %s', (_what, change) => {
  expect(fingerprintOf({ ...request, ...change })).toBe(fingerprintOf(request));
});

it.each<[string, Partial<scheduler.SubmitRunRequest>]>([
  ['an input', { inputsJson: '{"a": 2, "b": [true]}' }],
  ['inputs that are not JSON', { inputsJson: 'a: 1' }],
  ['a document', { document: { rootUri: 'file:///w.cwl', files: { ...files, 'file:///t.cwl': 'class: ExpressionTool' } } }],
  ['the document to run', { document: { rootUri: 'file:///t.cwl', files } }],
  ['the pool', { pool: 'gpu' }],
  ['a label', { labels: { x: 'z' } }],
  [
    'a variable that tools are to see',
    { options: scheduler.RunOptions.create({ caller: scheduler.Caller.create({ environment: { A: '1' } }) }) },
  ],
  ['an option', { options: { ...scheduler.RunOptions.create(), noCache: true } }],
])('is another one with %s changed', (_what, change) => {
  expect(fingerprintOf({ ...request, ...change })).not.toBe(fingerprintOf(request));
});
