import { describe, expect, it } from '@jest/globals';
import { executor } from '@weft/contracts';
import type { CommandLineTool, CwlObject, OutputParameter } from '@weft/plan';
import { createTaskBuilder } from './task-builder.js';
import type { LeftFiles, MemoryCollector } from '../test/fakes.js';
import { JAVASCRIPT, LAYOUT, fakeEvaluator, finishedWith, memoryCollector, memoryFiles, request, sha1 } from '../test/fakes.js';

interface Outcome {
  outputs: CwlObject;
  collector: MemoryCollector;
}

async function collect(part: Partial<CommandLineTool>, left: LeftFiles, inputs: CwlObject = {}, exitCode = 0): Promise<Outcome> {
  const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles({ 'file:///d/a': 'aaa', 'file:///d/x/y': 'y' }) });
  const asked = request({ ...part, requirements: [JAVASCRIPT, ...(part.requirements ?? [])] }, inputs);
  const bound = await (await builder.prepare(asked)).bind(LAYOUT);
  const collector = memoryCollector(left);
  return { outputs: await builder.collectOutputs(asked, bound, finishedWith(left, exitCode), collector), collector };
}
const out = (part: Partial<OutputParameter>): Partial<CommandLineTool> => ({ outputs: [{ name: 'o', type: 'File', ...part }] });
const published = (path: string, text: string, basename = path.slice(path.lastIndexOf('/') + 1)): CwlObject => ({
  class: 'File',
  basename,
  location: `store:///${path}`,
  size: text.length,
  checksum: sha1(text),
});
const FILES = { type: 'array', items: 'File' } as const;

describe('output bindings', () => {
  it('publishes, checks and releases in one call', async () => {
    const { outputs, collector } = await collect(out({ outputBinding: { glob: '*.txt' } }), { 'r.txt': 'hi' });
    expect(outputs).toEqual({ o: published('r.txt', 'hi') });
    expect(collector.calls).toEqual([
      { items: [{ path: 'r.txt', contents: false, contentsLimit: 0, checksum: true, publish: true }], publish: true, release: true },
    ]);
  });

  it('still releases where there is nothing to publish', async () => {
    const { outputs, collector } = await collect({ outputs: [] }, {});
    expect(outputs).toEqual({});
    expect(collector.calls).toEqual([{ items: [], publish: false, release: true }]);
  });

  it('loads contents for outputEval in one call for all outputs', async () => {
    const number = (name: string, glob: string): OutputParameter => ({
      name,
      type: 'int',
      outputBinding: { glob, loadContents: true, outputEval: '$(parseInt(self[0].contents))' },
    });
    const { outputs, collector } = await collect({ outputs: [number('a', 'a'), number('b', 'b')] }, { a: '1', b: '2' });
    expect(outputs).toEqual({ a: 1, b: 2 });
    expect(collector.calls.map((call) => [call.items.length, call.release])).toEqual([
      [2, false],
      [0, true],
    ]);
  });

  it('says what there is where a glob matches nothing', async () => {
    await expect(collect(out({ outputBinding: { glob: 'foo*.txt' } }), { 'a.txt': '', 'b/c': '' })).rejects.toMatchObject({
      code: 'OUTPUT_MISSING',
      message: "output 'o': glob 'foo*.txt' matched nothing; the tool left: a.txt, b/",
    });
  });

  it.each([
    ['two matches for one File', { outputBinding: { glob: '*' } }, 'OUTPUT_TYPE'],
    ['a Directory for a File', { outputBinding: { glob: 'd' } }, 'OUTPUT_TYPE'],
    ['a glob outside', { outputBinding: { glob: '/etc/passwd' } }, 'OUTPUT_GLOB'],
    ['a glob above', { outputBinding: { glob: 'd/../../x' } }, 'OUTPUT_GLOB'],
    ['no binding at all', {}, 'OUTPUT_MISSING'],
    ['a file of the host', { outputBinding: { outputEval: '$({class: "File", location: "file:///etc/passwd"})' } }, 'OUTPUT_MISSING'],
    ['a path that is not there', { outputBinding: { outputEval: '$({class: "File", path: "nope"})' } }, 'OUTPUT_MISSING'],
    ['an expression of the wrong type', { type: 'int' as const, outputBinding: { outputEval: '$("x")' } }, 'OUTPUT_TYPE'],
  ])('refuses %s, and publishes nothing', async (_name, port, code) => {
    await expect(collect(out(port), { a: '', 'd/x': '' })).rejects.toMatchObject({ name: 'TaskError', code });
  });

  it('gives null for optional outputs without a match, but keeps 0 and ""', async () => {
    const optional = (type: OutputParameter['type'], outputBinding: OutputParameter['outputBinding']) =>
      collect(out({ type, outputBinding }), {});
    expect((await optional(['null', 'File'], { glob: 'x' })).outputs).toEqual({ o: null });
    expect((await optional(['null', FILES], { glob: 'x' })).outputs).toEqual({ o: null });
    expect((await optional(FILES, { glob: 'x' })).outputs).toEqual({ o: [] });
    expect((await optional(['null', 'int'], { outputEval: '$(0)' })).outputs).toEqual({ o: 0 });
  });

  it('takes a thousand globs with wildcards, and as many names as there are', async () => {
    const globbed = (globs: number): Promise<Outcome> => {
      const glob = [...Array.from({ length: globs }, (_, n) => `x${n}*`), ...Array.from({ length: 1_000 }, (_, n) => `n${n}`)];
      return collect(out({ type: FILES, outputBinding: { glob } }), { n7: 'seven' });
    };
    expect((await globbed(1_000)).outputs).toEqual({ o: [published('n7', 'seven')] });
    await expect(globbed(1_001)).rejects.toMatchObject({
      code: 'OUTPUT_GLOB',
      message: "output 'o': 1001 globs with wildcards; 1000 are allowed",
    });
  });

  it('sorts the matches of each pattern and keeps the order of patterns', async () => {
    const { outputs } = await collect(out({ type: FILES, outputBinding: { glob: ['z*', '$(["b", "a?"])'] } }), {
      z2: '',
      z1: '',
      a1: '',
      b: '',
      '.zz': '',
    });
    expect((outputs['o'] as CwlObject[]).map((one) => one['basename'])).toEqual(['z1', 'z2', 'b', 'a1']);
  });

  it('collects the working directory itself', async () => {
    for (const glob of ['.', '$(runtime.outdir)']) {
      const { outputs } = await collect(out({ type: 'Directory', outputBinding: { glob } }), { 'baz.txt': '', 'foo/bar.txt': '1' });
      expect(outputs['o']).toMatchObject({
        class: 'Directory',
        basename: 'work',
        listing: [
          { class: 'File', basename: 'baz.txt', size: 0 },
          { class: 'Directory', basename: 'foo', listing: [published('foo/bar.txt', '1')] },
        ],
      });
    }
  });

  it('lists what outputEval looks through', async () => {
    const outputEval = '${ return self[0].listing.filter(function(x) { return x.basename == "f2"; })[0]; }';
    const { outputs } = await collect(out({ outputBinding: { glob: '.', loadListing: 'shallow_listing', outputEval } }), {
      f1: '',
      f2: '2',
    });
    expect(outputs['o']).toEqual(published('f2', '2'));
  });

  it('adds secondary files that are there, and insists on required ones', async () => {
    const port = (required: boolean) =>
      out({
        outputBinding: { glob: 'a.b' },
        secondaryFiles: [{ pattern: '.x' }, { pattern: '^.y' }, { pattern: '$(self.basename).no', required }],
      });
    const { outputs } = await collect(port(false), { 'a.b': '', 'a.b.x': 'x', 'a.y': 'y' });
    expect((outputs['o'] as CwlObject)['secondaryFiles']).toEqual([published('a.b.x', 'x'), published('a.y', 'y')]);
    await expect(collect(port(true), { 'a.b': '' })).rejects.toMatchObject({ code: 'OUTPUT_MISSING' });
  });

  it('lets an expression rename a secondary file', async () => {
    const pattern = '${ return [{class: "File", path: self.path.replace(".txt", ".acc"), basename: self.basename + ".acc"}]; }';
    const { outputs } = await collect(out({ outputBinding: { glob: '*.txt' }, secondaryFiles: [{ pattern }] }), {
      's.txt': '',
      's.acc': '',
    });
    expect((outputs['o'] as CwlObject)['secondaryFiles']).toEqual([published('s.acc', '', 's.txt.acc')]);
  });

  it('evaluates bindings of record fields', async () => {
    const fields = [
      { name: 'f', type: 'File' as const, outputBinding: { glob: 'A' }, secondaryFiles: [{ pattern: '.s', required: true }] },
      { name: 'n', type: 'int' as const, outputBinding: { outputEval: '$(runtime.exitCode)' } },
    ];
    const { outputs } = await collect(out({ type: { type: 'record', fields } }), { A: 'a', 'A.s': '' });
    expect(outputs).toEqual({ o: { f: { ...published('A', 'a'), secondaryFiles: [published('A.s', '')] }, n: 0 } });
  });

  it('sets formats', async () => {
    const { outputs } = await collect(out({ format: '$("edam:" + self.nameext)', outputBinding: { glob: 'a.b' } }), { 'a.b': '' });
    expect(outputs['o']).toMatchObject({ format: 'edam:.b' });
  });

  it('keeps where inputs lie that come back as outputs', async () => {
    const part = {
      inputs: [
        { name: 'f', type: 'File' as const },
        { name: 'd', type: 'Directory' as const },
      ],
    };
    const inputs = { f: { class: 'File', location: 'file:///d/a' }, d: { class: 'Directory', location: 'file:///d/x' } };
    const staged = (path: string, uri: string, text: string): LeftFiles => ({ [path]: { input: uri, text } });
    const given = await collect(
      { ...part, ...out({ outputBinding: { outputEval: '$(inputs.f)' } }) },
      staged('/in/1/a', 'file:///d/a', 'aaa'),
      inputs,
    );
    expect(given.outputs['o']).toEqual({ class: 'File', basename: 'a', location: 'file:///d/a', size: 3, checksum: sha1('aaa') });
    const port = out({ outputBinding: { outputEval: '$({class: "File", path: inputs.d.path + "/y"})' } });
    const below = await collect({ ...part, ...port }, staged('/in/0/x/y', 'file:///d/x/y', 'y'), inputs);
    expect(below.outputs['o']).toEqual({ class: 'File', basename: 'y', location: 'file:///d/x/y', size: 1, checksum: sha1('y') });
    const linked = await collect(
      { ...part, ...out({ outputBinding: { glob: 'a' } }) },
      { a: { input: 'file:///d/a', text: 'aaa' } },
      inputs,
    );
    expect(linked.outputs['o']).toMatchObject({ location: 'file:///d/a', size: 3, checksum: sha1('aaa') });
  });

  it('keeps literals as literals, with published files in their listings', async () => {
    const outputEval = '$({class: "Directory", basename: "lit", listing: [self[0], {class: "File", basename: "t", contents: "txt"}]})';
    const { outputs } = await collect(out({ type: 'Directory', outputBinding: { glob: 'a', outputEval } }), { a: 'a' });
    expect(outputs['o']).toEqual({
      class: 'Directory',
      basename: 'lit',
      listing: [published('a', 'a'), { class: 'File', basename: 't', contents: 'txt', size: 3, checksum: sha1('txt') }],
    });
  });
});

describe('cwl.output.json', () => {
  const json = (value: unknown): LeftFiles => ({ 'cwl.output.json': JSON.stringify(value), foo: 'foo\n' });
  it.each([
    ['absolute path', { path: '/work/foo' }],
    ['relative path', { path: 'foo' }],
    ['file URI', { location: 'file:///work/foo' }],
    ['relative location', { location: 'foo' }],
  ])('wins over bindings: %s', async (_name, where) => {
    const { outputs } = await collect(out({ outputBinding: { glob: 'nothing' } }), json({ o: { class: 'File', ...where } }));
    expect(outputs).toEqual({ o: published('foo', 'foo\n') });
  });

  it('has whole numbers of 64 bits, and none that is more or endless', async () => {
    const of = (type: OutputParameter['type'], text: string): Promise<Outcome> =>
      collect(out({ type }), { 'cwl.output.json': `{"o": ${text}}` });
    for (const [type, text, value] of [
      ['long', '9223372036854775807', 9223372036854775807n],
      ['Any', '[{"a": -9223372036854775808}]', [{ a: -9223372036854775808n }]],
      ['double', '1e300', 1e300],
      ['double', '-0.0', -0],
      ['int', '-2147483648', -(2 ** 31)],
    ] as const)
      expect((await of(type, text)).outputs).toEqual({ o: value });
    for (const text of ['9223372036854775808', '1e400', `[${'9'.repeat(400)}]`])
      await expect(of('Any', text)).rejects.toMatchObject({
        code: 'OUTPUT_JSON',
        message: expect.stringMatching(/^cwl.output.json: the number/),
      });
    for (const [type, text] of [
      ['int', '2147483648'],
      ['int', '9223372036854775807'],
      ['long', '1e19'],
      ['string', '9223372036854775807'],
    ] as const)
      await expect(of(type, text)).rejects.toMatchObject({
        code: 'OUTPUT_TYPE',
        message: expect.stringContaining(`should be ${type}, got `),
      });
  });

  it.each([
    ['v1.0', true],
    ['v1.1', true],
    ['v1.2', true],
    ['v1.3.0-dev1', false],
  ])('is the output object of %s, also what the tool does not declare: %s', async (declaredVersion, kept) => {
    const more = { more: [{ class: 'File', path: 'foo' }], n: 1, nothing: null };
    const text = `{"__proto__": {"p": 1}, ${JSON.stringify({ o: 'x', ...more }).slice(1)}`;
    const { outputs } = await collect({ ...out({ type: ['null', 'string'] }), declaredVersion }, { ...json({}), 'cwl.output.json': text });
    const others = { more: [published('foo', 'foo\n')], n: 1, nothing: null };
    const { ['__proto__']: _proto, ...seen } = outputs;
    expect(seen).toEqual(kept ? { o: 'x', ...others } : { o: 'x' });
    expect(Object.keys(outputs).sort()).toEqual((kept ? ['__proto__', 'more', 'n', 'nothing', 'o'] : ['o']).sort());
    expect(Object.getPrototypeOf(outputs)).toBe(Object.prototype);
  });

  it('is refused where what is not declared is nobody’s to give, too', async () => {
    const stolen = json({ o: 'x', more: { class: 'File', location: 'file:///etc/passwd' } });
    await expect(collect(out({ type: 'string' }), stolen)).rejects.toMatchObject({ code: 'OUTPUT_MISSING' });
  });

  it('is checked like any other output', async () => {
    await expect(collect(out({ type: 'int' }), json({ o: 'x' }))).rejects.toMatchObject({
      code: 'OUTPUT_TYPE',
      message: expect.stringContaining('cwl.output.json'),
    });
    await expect(collect(out({ type: 'int' }), { 'cwl.output.json': '{' })).rejects.toMatchObject({ code: 'OUTPUT_JSON' });
    await expect(collect(out({}), json({ o: { class: 'File', location: 'file:///etc/passwd' } }))).rejects.toMatchObject({
      code: 'OUTPUT_MISSING',
    });
  });
});

describe('how a task ended', () => {
  it.each([
    [{ successCodes: [3] }, 3, undefined],
    [{}, 3, 'TOOL_EXIT'],
    [{ temporaryFailCodes: [0] }, 0, 'TOOL_EXIT'],
  ] as const)('%j with exit code %d', async (part, exitCode, code) => {
    const done = collect(
      {
        successCodes: [...('successCodes' in part ? part.successCodes : [])],
        temporaryFailCodes: [...('temporaryFailCodes' in part ? part.temporaryFailCodes : [])],
      },
      {},
      {},
      exitCode,
    );
    await (code === undefined ? expect(done).resolves.toBeDefined() : expect(done).rejects.toMatchObject({ code }));
  });

  it.each([
    [executor.Outcome.TIME_LIMIT, 'TIME_LIMIT'],
    [executor.Outcome.OUT_OF_MEMORY, 'OUT_OF_MEMORY'],
    [executor.Outcome.CANCELLED, 'CANCELLED'],
  ])('outcome %d is %s', async (outcome, code) => {
    const builder = createTaskBuilder({ evaluator: fakeEvaluator, files: memoryFiles({}) });
    const asked = request({});
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    await expect(builder.collectOutputs(asked, bound, { ...finishedWith({}), outcome }, memoryCollector({}))).rejects.toMatchObject({
      code,
    });
  });
});
