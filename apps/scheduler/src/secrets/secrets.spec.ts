import { bundleFetcher, loadDocument } from '@weft/cwl';
import { executor } from '@weft/contracts';
import type { Plan } from '@weft/plan';
import { commandText } from '../execution/log/command-text.js';
import { SecretBox, withoutSealed } from './secret-box.js';
import { secretInputs, usesSecrets, withSealedSecrets } from './secret-inputs.js';

const NS = '$namespaces: {cwltool: "http://commonwl.org/cwltool#"}';
const tool = (secrets: string): string =>
  `class: CommandLineTool\n${secrets === '' ? '' : `hints: {"cwltool:Secrets": {secrets: ${secrets}}}\n`}baseCommand: login\ninputs: {user: string, pw: string, opt: string?, n: int?}\noutputs: {}\n`;
const flow = (hints: string): string => `cwlVersion: v1.2
class: Workflow
${NS}
requirements: {StepInputExpressionRequirement: {}, SubworkflowFeatureRequirement: {}}
${hints}
inputs: {me: string, word: string, other: string}
outputs: {}
steps:
  a: {in: {user: me, pw: word}, out: [], run: tool.cwl}
  b: {in: {user: other, pw: {default: x}}, out: [], run: plain.cwl}
`;

async function planOf(text: string): Promise<Plan> {
  const files = {
    'file:///w/main.cwl': text,
    'file:///w/tool.cwl': `cwlVersion: v1.2\n${NS}\n${tool('[pw]')}`,
    'file:///w/plain.cwl': `cwlVersion: v1.2\n${tool('')}`,
  };
  const { plan, diagnostics } = await loadDocument('file:///w/main.cwl', bundleFetcher(files));
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

it.each([
  ['a tool names', `cwlVersion: v1.2\n${NS}\n${tool('[pw]')}`, ['pw']],
  ['a tool names by address', `cwlVersion: v1.2\n${NS}\n${tool('["#pw", "#main/opt"]')}`, ['pw', 'opt']],
  ['a workflow names', flow('hints: {"cwltool:Secrets": {secrets: [other]}}'), ['other', 'word']],
  ['go into a secret input of a step', flow(''), ['word']],
  [
    'a step names',
    flow('').replace('out: [], run: plain', 'out: [], hints: {"cwltool:Secrets": {secrets: [user]}}, run: plain'),
    ['word', 'other'],
  ],
  ['nobody names', `cwlVersion: v1.2\n${tool('')}`, []],
])('the inputs that %s are secrets', async (_what, text, names) => {
  const plan = await planOf(text);
  expect([...secretInputs(plan)]).toEqual(names);
  expect(usesSecrets(plan)).toBe(names.length > 0);
});

const box = new SecretBox(Buffer.alloc(32, 1));

it('is sealed wherever inputs go, and opened in the command, the environment and texts of files alone', async () => {
  const plan = await planOf(`cwlVersion: v1.2\n${NS}\n${tool('[pw, opt]')}`);
  const inputs = withSealedSecrets(plan, { user: 'me', pw: 'hunter2', opt: null, n: null }, (value) => box.seal('one', value));
  expect(JSON.stringify(inputs)).not.toContain('hunter2');
  expect(inputs).toMatchObject({ user: 'me', opt: null });
  const pw = String(inputs['pw']);
  const spec = executor.TaskSpec.fromPartial({
    argv: ['login', `--pw=${pw}`, 'me'],
    environment: { PW: pw },
    inputs: [
      { path: '/w/rc', source: { $case: 'text', value: `password=${pw}\n` } },
      { path: '/w/f', source: { $case: 'uri', value: `file:///${pw}` } },
    ],
  });
  const opened = box.opened('one', spec);
  expect(opened).toMatchObject({ argv: ['login', '--pw=hunter2', 'me'], environment: { PW: 'hunter2' }, secrets: ['hunter2'] });
  expect(opened.inputs.map(({ source }) => source?.value)).toEqual(['password=hunter2\n', `file:///${pw}`]);
  expect(commandText(spec)).toBe("$ login '--pw=(secret)' me");
  expect(withoutSealed(`a ${pw} b`)).toBe('a (secret) b');
});

it('opens for its own run alone: who sees the sealed text cannot have it opened', () => {
  const spec = executor.TaskSpec.fromPartial({ argv: [box.seal('one', 'hunter2')] });
  expect(box.opened(undefined, spec).argv).toEqual(spec.argv);
  expect(() => box.opened('two', spec)).toThrow(/cannot be opened/);
  expect(() => new SecretBox(Buffer.alloc(32, 2)).opened('one', spec)).toThrow(/cannot be opened/);
  const broken = executor.TaskSpec.fromPartial({ argv: [`(secret-${'A'.repeat(60)})`] });
  expect(() => box.opened('one', broken)).toThrow(expect.objectContaining({ code: 'SECRET' }));
});

it('two secrets that are the same are not seen to be', () => {
  expect(box.seal('one', 'x')).not.toBe(box.seal('one', 'x'));
});

it.each([
  ['[pw, nothing]', { user: 'me', pw: 'hunter2' }, /names 'nothing', and 'main.cwl' has no such input/],
  ['[n]', { user: 'me', pw: 'a', n: 4711 }, /^input 'n' is a secret, and only a string can be one$/],
])('%s is refused, without its value', async (secrets, inputs, message) => {
  const plan = await planOf(`cwlVersion: v1.2\n${NS}\n${tool(secrets)}`);
  expect(() => withSealedSecrets(plan, inputs, () => 'sealed')).toThrow(message);
});
