import { describe, expect, it } from '@jest/globals';
import { executor } from '@weft/contracts';
import type { CommandLineTool, CwlObject, InputParameter, Requirement } from '@weft/plan';
import type { BoundTask, FileAccess, TaskRequest } from './api.js';
import { createTaskBuilder } from './task-builder.js';
import { JAVASCRIPT, LAYOUT, fakeEvaluator, memoryFiles, request } from '../test/fakes.js';

const bindWith = async (asked: TaskRequest, files: Record<string, string> = {}): Promise<BoundTask & { calls: string[] }> => {
  const access = memoryFiles(files);
  const prepared = await createTaskBuilder({ evaluator: fakeEvaluator, files: access }).prepare(asked);
  return { ...(await prepared.bind(LAYOUT)), calls: access.calls };
};
const bind = (part: Partial<CommandLineTool>, inputs: CwlObject = {}, files: Record<string, string> = {}) =>
  bindWith(request(part, inputs), files);
const input = (name: string, part: Partial<InputParameter>): InputParameter => ({ name, type: 'string', ...part });
const DATA = { 'file:///d/a.bam': 'bam', 'file:///d/a.bam.bai': 'index', 'file:///d/b%23.txt': 'hash', 'file:///e/a.bam': 'other' };
const file = (location: string, more: CwlObject = {}): CwlObject => ({ class: 'File', location, ...more });

describe('bind', () => {
  it('needs no look-up for an echo with an int', async () => {
    const { spec, calls, runtime } = await bind(
      { baseCommand: ['echo'], inputs: [input('n', { type: 'int', inputBinding: {} })] },
      { n: 3 },
    );
    expect(spec.argv).toEqual(['echo', '3']);
    expect(spec.environment).toEqual({ HOME: '/work', TMPDIR: '/scratch' });
    expect(spec).toMatchObject({
      workDir: '/work',
      inputs: [],
      network: false,
      timeLimitMs: 0,
      stdinPath: '',
      stdoutPath: '',
      image: undefined,
    });
    expect(runtime).toEqual({ outdir: '/work', tmpdir: '/scratch', cores: 1, ram: 256, tmpdirSize: 1024, outdirSize: 1024 });
    expect(calls).toEqual([]);
  });

  it('needs no look-up for a plain File either', async () => {
    const { spec, calls } = await bind(
      { baseCommand: ['cat'], inputs: [input('f', { type: 'File', inputBinding: {} })] },
      { f: file('file:///d/b%23.txt') },
      DATA,
    );
    expect(spec.argv).toEqual(['cat', '/in/0/b#.txt']);
    expect(spec.inputs).toEqual([
      {
        path: '/in/0/b#.txt',
        kind: executor.InputKind.FILE,
        source: { $case: 'uri', value: 'file:///d/b%23.txt' },
        writable: false,
        inPlace: false,
        checksum: '',
      },
    ]);
    expect(calls).toEqual([]);
  });

  it('stages by name, whatever the order in which inputs and fields were written', async () => {
    const files = { f: file('file:///d/a.bam'), r: { y: file('file:///d/b%23.txt'), x: file('file:///d/a.bam') } };
    const fields = [
      { name: 'x', type: 'File' as const },
      { name: 'y', type: 'File' as const },
    ];
    const inputs = [input('r', { type: { type: 'record', fields } }), input('f', { type: 'File' })];
    const paths = async (tool: Parameters<typeof bind>[0]): Promise<string[]> =>
      (await bind(tool, files, DATA)).spec.inputs.map(({ path }) => path);
    expect(await paths({ inputs })).toEqual(['/in/0/a.bam', '/in/1/b#.txt']);
    expect(await paths({ inputs: inputs.toReversed() })).toEqual(['/in/0/a.bam', '/in/1/b#.txt']);
  });

  it.each<[string, Requirement[], boolean]>([
    ['by default', [], true],
    ['where the author says so', [{ class: 'WorkReuse', enableReuse: true }], true],
    ['not where the author does not want it', [{ class: 'WorkReuse', enableReuse: false }], false],
    ['as an expression decides', [{ class: 'WorkReuse', enableReuse: '$(inputs.again)' }], false],
  ])('may be reused %s', async (_name, requirements, expected) => {
    const bound = await bind({ inputs: [input('again', { type: 'boolean' })], requirements }, { again: false });
    expect(bound.reuse).toBe(expected);
  });

  it('looks sizes up where an expression asks for them', async () => {
    const { spec } = await bind(
      { inputs: [input('f', { type: 'File' })], arguments: ['$(inputs.f.size)'] },
      { f: file('file:///d/a.bam') },
      DATA,
    );
    expect(spec.argv).toEqual(['3']);
  });

  it('keeps equally named inputs apart and stages the same file once', async () => {
    const files = input('fs', { type: { type: 'array', items: 'File' }, inputBinding: {} });
    const { spec } = await bind(
      { inputs: [files] },
      { fs: [file('file:///d/a.bam'), file('file:///e/a.bam'), file('file:///d/a.bam')] },
      DATA,
    );
    expect(spec.argv).toEqual(['/in/0/a.bam', '/in/1/a.bam', '/in/0/a.bam']);
    expect(spec.inputs).toHaveLength(2);
  });

  it('takes one spelling of a place, and no name that is none', async () => {
    const staged = async (more: CwlObject): Promise<unknown> => {
      const asked = request({ inputs: [input('f', { type: 'File' })] }, { f: { class: 'File', location: 'FILE:/d/./a.bam', ...more } });
      return (await bindWith(asked, DATA)).spec.inputs.map(({ path, source }) => [path, source?.value]);
    };
    expect(await staged({})).toEqual([['/in/0/a.bam', 'file:///d/a.bam']]);
    for (const more of [
      { basename: '../x' },
      { location: 'file://other/x' },
      { secondaryFiles: [{ class: 'File', basename: '..', contents: '' }] },
    ])
      await expect(staged(more)).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  it('finds secondary files beside their primary', async () => {
    const reads = input('f', { type: 'File', secondaryFiles: [{ pattern: '.bai' }, { pattern: '^.csi', required: false }] });
    const asked = request({ inputs: [reads] }, { f: file('file:///d/a.bam') }, { discoverSecondaryFiles: true });
    const { spec } = await bindWith(asked, DATA);
    expect(spec.inputs.map((one) => one.path)).toEqual(['/in/0/a.bam', '/in/0/a.bam.bai']);
  });

  it('refuses a missing required secondary file, and any that is not carried where discovery is off', async () => {
    const reads = input('f', { type: 'File', secondaryFiles: [{ pattern: '.bai' }] });
    const asked = (location: string, discover: boolean) =>
      bindWith(request({ inputs: [reads] }, { f: file(location) }, { discoverSecondaryFiles: discover }), DATA);
    await expect(asked('file:///e/a.bam', true)).rejects.toMatchObject({
      code: 'SECONDARY_FILE',
      message: expect.stringContaining('a.bam.bai'),
    });
    await expect(asked('file:///d/a.bam', false)).rejects.toMatchObject({ code: 'SECONDARY_FILE' });
  });

  it.each([
    ['NOT_FOUND', 'TaskError'],
    ['ACCESS', 'TaskError'],
    ['IO', 'Error'],
  ])('tells what is final from what may pass: %s', async (code, name) => {
    const access = memoryFiles(DATA);
    const failing: FileAccess = { ...access, stat: () => Promise.reject(Object.assign(new Error('no'), { code })) };
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: failing });
    const asked = request({ inputs: [input('f', { type: 'File', loadContents: true })] }, { f: file('file:///d/a.bam') });
    const prepared = await builder.prepare(asked);
    await expect(prepared.bind(LAYOUT)).rejects.toMatchObject({ name });
    failing.stat = access.stat;
    await expect(prepared.bind(LAYOUT)).resolves.toMatchObject({ inputs: { f: { contents: 'bam' } } });
  });

  it('writes literals out', async () => {
    const dir = {
      class: 'Directory',
      basename: 'd',
      listing: [{ class: 'File', basename: 'x', contents: 'hello' }, file('file:///d/a.bam')],
    };
    const { spec } = await bind(
      { inputs: [input('d', { type: 'Directory', inputBinding: { valueFrom: '$(self.listing[0].path)' } })] },
      { d: dir },
      DATA,
    );
    expect(spec.argv).toEqual(['/in/0/d/x']);
    expect(spec.inputs.map((one) => [one.path, one.kind, one.source?.value])).toEqual([
      ['/in/0/d', executor.InputKind.DIRECTORY, undefined],
      ['/in/0/d/x', executor.InputKind.FILE, 'hello'],
      ['/in/0/d/a.bam', executor.InputKind.FILE, 'file:///d/a.bam'],
    ]);
  });

  it('loads listings and contents as asked', async () => {
    const files = { 'file:///d/x/1.txt': 'one', 'file:///d/x/y/2.txt': 'two' };
    const part = (loadListing: 'shallow_listing' | 'deep_listing' | 'no_listing') => ({
      requirements: [JAVASCRIPT],
      inputs: [input('d', { type: 'Directory', loadListing })],
      arguments: [
        '$(JSON.stringify((inputs.d.listing || []).map(function(x) { return [x.basename, x.listing ? x.listing.length : -1]; })))',
      ],
    });
    const d = { class: 'Directory', location: 'file:///d/x' };
    expect((await bind(part('no_listing'), { d }, files)).spec.argv).toEqual(['[]']);
    expect((await bind(part('shallow_listing'), { d }, files)).spec.argv).toEqual(['[["1.txt",-1],["y",-1]]']);
    expect((await bind(part('deep_listing'), { d }, files)).spec.argv).toEqual(['[["1.txt",-1],["y",1]]']);
    const contents = { inputs: [input('f', { type: 'File', loadContents: true, inputBinding: { valueFrom: '$(self.contents)' } })] };
    expect((await bind(contents, { f: file('file:///d/x/1.txt') }, files)).spec.argv).toEqual(['one']);
    await expect(bind(contents, { f: file('file:///big') }, { 'file:///big': 'x'.repeat(65537) })).rejects.toMatchObject({
      code: 'CONTENTS_LIMIT',
    });
  });

  it('leaves what the caller passed in as it was', async () => {
    const inputs = { f: file('file:///d/a.bam') };
    await bind({ inputs: [input('f', { type: 'File', inputBinding: {} })] }, inputs, DATA);
    expect(inputs).toEqual({ f: { class: 'File', location: 'file:///d/a.bam' } });
  });

  it('hides inputs that the tool does not declare, and shows absent ones as null', async () => {
    const { inputs } = await bind({ inputs: [input('x', { type: ['null', 'int'] })] }, { y: 1 });
    expect(inputs).toEqual({ x: null });
  });

  it.each([
    ['int', 'text', 'input \'x\' should be int, got "text"'],
    ['Any', null, "input 'x' should be Any, got null"],
  ] as const)('refuses an input of the wrong type: %s', async (type, value, message) => {
    await expect(bind({ inputs: [input('x', { type })] }, { x: value })).rejects.toMatchObject({ code: 'INPUT_TYPE', message });
  });

  it('checks formats with their ontology', async () => {
    const asked = (format: string | undefined) =>
      bindWith(
        request(
          { inputs: [input('f', { type: 'File', format: 'e:text' })] },
          { f: file('file:///d/a.bam', { format }) },
          { formats: { 'e:fasta': ['e:seq'], 'e:seq': ['e:text'] } },
        ),
        DATA,
      );
    await expect(asked('e:fasta')).resolves.toBeDefined();
    await expect(asked('e:other')).rejects.toMatchObject({ code: 'INPUT_FORMAT' });
    await expect(asked(undefined)).rejects.toMatchObject({ code: 'INPUT_FORMAT' });
  });

  it('lets the tool see variables of the caller, below HOME, TMPDIR and what the author sets', async () => {
    const preserved = { HOME: '/caller', REF: 'callers', GREETING: 'callers' };
    const envDef = [{ envName: 'GREETING', envValue: 'authors' }];
    const { spec } = await bindWith(request({ requirements: [{ class: 'EnvVarRequirement', envDef }] }, {}, { preserved }));
    expect(spec.environment).toEqual({ HOME: '/work', TMPDIR: '/scratch', REF: 'callers', GREETING: 'authors' });
  });

  it('sets environment, streams, network and time limit', async () => {
    const { spec } = await bind(
      {
        requirements: [
          { class: 'EnvVarRequirement', envDef: [{ envName: 'GREETING', envValue: 'hi $(inputs.who)' }] },
          { class: 'NetworkAccess', networkAccess: true },
          { class: 'ToolTimeLimit', timelimit: '$(1 + 2)' },
        ],
        inputs: [input('who', {}), input('f', { type: 'File' })],
        stdin: '$(inputs.f.path)',
        stdout: './out/$(inputs.who).txt',
        stderr: 'err',
      },
      { who: 'me', f: file('file:///d/a.bam') },
      DATA,
    );
    expect(spec.environment['GREETING']).toBe('hi me');
    expect(spec).toMatchObject({ network: true, timeLimitMs: 3000, stdinPath: '/in/0/a.bam', stdoutPath: 'out/me.txt', stderrPath: 'err' });
  });

  it.each(['../x', '/etc/x', '.', 'a\0b', 'a'.repeat(256), 'a/\ud800'])('refuses stdout %s', async (stdout) => {
    await expect(bind({ stdout })).rejects.toMatchObject({ code: 'EXPRESSION' });
    await expect(bind({ stderr: stdout })).rejects.toMatchObject({ code: 'EXPRESSION' });
  });

  it('asks for as much shared memory as the document', async () => {
    const bytesOf = async (shmSize?: string): Promise<number> => {
      const requirements = shmSize === undefined ? [] : [{ class: 'ShmSize' as const, shmSize }];
      return (await bind({ requirements, inputs: [input('n', { type: 'int' })] }, { n: 5 })).spec.shmBytes;
    };
    expect([await bytesOf(), await bytesOf('2k'), await bytesOf('$(inputs.n)m')]).toEqual([0, 2048, 5 * 1024 ** 2]);
    await expect(bytesOf('$(inputs.n)x')).rejects.toMatchObject({ code: 'RESOURCES', expression: '$(inputs.n)x' });
  });

  it('gives v1.0 documents the network and later ones none', async () => {
    expect((await bind({ declaredVersion: 'v1.0' })).spec.network).toBe(true);
    expect((await bind({ declaredVersion: 'v1.1' })).spec.network).toBe(false);
  });

  it('quotes for the shell unless told not to', async () => {
    const { spec } = await bind({
      requirements: [{ class: 'ShellCommandRequirement' }],
      baseCommand: ['echo'],
      arguments: ["it's", { valueFrom: '&& true', shellQuote: false }],
    });
    expect(spec.argv).toEqual(['/bin/sh', '-c', `echo 'it'"'"'s' && true`]);
  });
});
