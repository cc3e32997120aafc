import { executor } from '@weft/contracts';
import type { CommandLineTool, CwlObject, OutputParameter, Requirement } from '@weft/plan';
import fc from 'fast-check';
import { type Call, callKey, changesItsInputs } from './call-key.js';

const contents = { of: async (uri: string) => (uri.includes('unknown') ? undefined : `sha1$ of ${uri.split('/').at(-1) ?? ''}`) };
const SANDBOX = '/sandboxes/r-1-1.1';

interface Part {
  project?: string;
  sandbox?: string;
  tool?: Partial<CommandLineTool>;
  spec?: Partial<executor.TaskSpec>;
  inputs?: CwlObject;
  runtime?: CwlObject;
  programs?: Record<string, string>;
  inherited?: Requirement[];
}

function call({ project = 'p', sandbox = SANDBOX, tool = {}, spec = {}, inputs = {}, runtime = {}, programs, inherited = [] }: Part): Call {
  const whole: CommandLineTool = {
    ...{ class: 'CommandLineTool', id: 't', inputs: [], outputs: [], baseCommand: [], arguments: [] },
    ...{ successCodes: [], temporaryFailCodes: [], permanentFailCodes: [], requirements: [], hints: [], declaredVersion: 'v1.2' },
    ...tool,
  };
  return {
    projectId: project,
    request: { tool: whole, effective: { requirements: inherited, hints: [] } },
    bound: {
      spec: executor.TaskSpec.create({ argv: ['cat', `${sandbox}/in/0/a`], workDir: `${sandbox}/work`, tmpDir: `${sandbox}/tmp`, ...spec }),
      inputs,
      runtime,
    },
    sandbox,
    programs: programs ?? { cat: 'sha256:1' },
  };
}

const keyOf = (part: Part): Promise<string | undefined> => callKey(call(part), contents);
const input = (uri: string, more: Partial<executor.Input> = {}): executor.Input =>
  executor.Input.create({ path: `${SANDBOX}/in/0/a`, kind: executor.InputKind.FILE, source: { $case: 'uri', value: uri }, ...more });
const output = (more: Partial<OutputParameter> = {}): OutputParameter => ({
  name: 'o',
  type: 'File',
  outputBinding: { glob: 'o' },
  ...more,
});
const evaluated = (outputEval: string): Part['tool'] => ({ outputs: [output({ outputBinding: { glob: 'o', outputEval } })] });

describe('the key of a call', () => {
  it.each<[string, Part, Part]>([
    ['the project', {}, { project: 'q' }],
    ['an argument', {}, { spec: { argv: ['cat', 'b'] } }],
    ['a variable', { spec: { environment: { A: '1' } } }, { spec: { environment: { A: '2' } } }],
    ['the PATH that programs are looked for in', { spec: { searchPath: '/a:/b' } }, { spec: { searchPath: '/b:/a' } }],
    ['a PATH at all', {}, { spec: { searchPath: '/a' } }],
    ['the umask', { spec: { umask: 0o022 } }, { spec: { umask: 0o077 } }],
    ['a stream', {}, { spec: { stdoutPath: 'o' } }],
    ['network', {}, { spec: { network: true } }],
    ['the image', {}, { programs: { cat: 'sha256:2' } }],
    ['content', { spec: { inputs: [input('file:///x/a')] } }, { spec: { inputs: [input('file:///x/b')] } }],
    ['a path', { spec: { inputs: [input('file:///x/a')] } }, { spec: { inputs: [input('file:///x/a', { path: '/y' })] } }],
    ['writability', { spec: { inputs: [input('file:///x/a')] } }, { spec: { inputs: [input('file:///x/a', { writable: true })] } }],
    ['an output binding', { tool: { outputs: [output()] } }, { tool: { outputs: [output({ outputBinding: { glob: 'p' } })] } }],
    ['a success code', {}, { tool: { successCodes: [3] } }],
    [
      'an input that an output looks at',
      { tool: evaluated('$(inputs.n)'), inputs: { n: 1 } },
      { tool: evaluated('$(inputs.n)'), inputs: { n: 2 } },
    ],
    [
      'an input that JavaScript may reach unseen',
      { tool: evaluated('$(eval("in" + "puts").n)'), inputs: { n: 1 } },
      { tool: evaluated('$(eval("in" + "puts").n)'), inputs: { n: 2 } },
    ],
    [
      'what runtime says to an output',
      { tool: evaluated('$(runtime.cores)'), runtime: { cores: 1 } },
      { tool: evaluated('$(runtime.cores)'), runtime: { cores: 2 } },
    ],
    [
      'the expression library of an output',
      { tool: { ...evaluated('$(f())'), requirements: [{ class: 'InlineJavascriptRequirement', expressionLib: ['var f = 1'] }] } },
      { tool: { ...evaluated('$(f())'), requirements: [{ class: 'InlineJavascriptRequirement', expressionLib: ['var f = 2'] }] } },
    ],
  ])('changes with %s', async (_name, one, other) => {
    expect(await keyOf(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyOf(other)).not.toBe(await keyOf(one));
  });

  it.each<[string, Part, Part]>([
    ['the sandbox', {}, { sandbox: '/elsewhere/r-2-77.3' }],
    ['names and words', {}, { tool: { id: 'other', label: 'l', doc: 'd', at: { file: 'f', line: 1, column: 1 } } }],
    ['words of an output', { tool: { outputs: [output()] } }, { tool: { outputs: [output({ label: 'l', doc: 'd' })] } }],
    ['where an input lies', { spec: { inputs: [input('file:///x/a')] } }, { spec: { inputs: [input('s3://y/a')] } }],
    ['an input that nothing looks at', { inputs: { n: 1 } }, { inputs: { n: 2 } }],
    ['runtime that nothing looks at', { runtime: { cores: 1 } }, { runtime: { cores: 2 } }],
    [
      'limits',
      {},
      { spec: { timeLimitMs: 5, resources: executor.Resources.create({ cores: 3 }), reserved: executor.Resources.create({ cores: 1 }) } },
    ],
    [
      'where a File that an output looks at lies',
      { tool: evaluated('$(inputs.f.basename)'), inputs: { f: { class: 'File', path: '/p', location: 'file:///a/f', size: 1 } } },
      { tool: evaluated('$(inputs.f.basename)'), inputs: { f: { class: 'File', path: '/p', location: 'file:///b/f', checksum: 'x' } } },
    ],
    ['requirements that are worked out already', {}, { inherited: [{ class: 'ShellCommandRequirement' }] }],
  ])('does not change with %s', async (_name, one, other) => {
    expect(await keyOf(other)).toBe(await keyOf(one));
  });

  it('keeps the fields of records apart from the names of their types', async () => {
    const record = (name: string, field: string): Part => ({
      tool: {
        outputs: [output({ type: { type: 'record', name, fields: [{ name: field, type: 'File', outputBinding: { glob: 'o' } }] } })],
      },
    });
    expect(await keyOf(record('one', 'a'))).toBe(await keyOf(record('two', 'a')));
    expect(await keyOf(record('one', 'a'))).not.toBe(await keyOf(record('one', 'b')));
  });

  it('is not there where something cannot be identified', async () => {
    expect(await keyOf({ spec: { inputs: [input('http://unknown/a')] } })).toBeUndefined();
  });

  it('no string stands for the sandbox', async () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('\0', '\\u0000', '%00', '$(runtime.outdir)', '/sandboxes', 'r-1-1.1'));
    await fc.assert(
      fc.asyncProperty(word, async (text) => {
        fc.pre(!text.includes(SANDBOX));
        expect(await keyOf({ spec: { argv: [text] } })).not.toBe(await keyOf({ spec: { argv: [SANDBOX] } }));
      }),
    );
  });
});

it('a tool that changes its inputs is never the same twice', () => {
  const inPlace = (inplaceUpdate: boolean): Part => ({ inherited: [{ class: 'InplaceUpdateRequirement', inplaceUpdate }] });
  expect([{}, inPlace(false), inPlace(true)].map((part) => changesItsInputs(call(part).request))).toEqual([false, false, true]);
});
