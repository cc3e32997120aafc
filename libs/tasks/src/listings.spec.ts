/** A Directory is what its listing says, and nothing of one folder shares a name: in expressions, on the way into a task and out of it. */
import { describe, expect, it } from '@jest/globals';
import type { CommandLineTool, CwlObject, CwlValue, Requirement } from '@weft/plan';
import { NO_REQUIREMENTS } from '@weft/plan';
import { evaluateExpressionTool } from './expression-tool.js';
import { completeRunOutputs } from './run-outputs.js';
import { evaluateStepBindings } from './step-bindings.js';
import { createTaskBuilder } from './task-builder.js';
import {
  JAVASCRIPT,
  LAYOUT,
  fakeEvaluator,
  finishedWith,
  type LeftFiles,
  memoryCollector,
  memoryFiles,
  request,
  sha1,
} from '../test/fakes.js';

const STORED = {
  'file:///d/a': 'a',
  'file:///d/b': 'b',
  'file:///d/s/x': 'x',
  'file:///e/b': 'other',
  'file:///e/c': 'c',
  'file:///e/s/y': 'y',
};
const deps = { evaluator: fakeEvaluator, files: memoryFiles(STORED) };
const D = { class: 'Directory', location: 'file:///d', basename: 'd' };
const dirs = (...locations: string[]): CwlObject[] => locations.map((location) => ({ class: 'Directory', location, basename: 'd' }));

const tool = (expression: string, inputs: CwlObject, loadListing: 'deep_listing' | 'no_listing' = 'deep_listing'): Promise<CwlObject> => {
  const parameters = Object.keys(inputs).map((name) => ({
    name,
    type: ['Any', 'Directory', { type: 'array', items: 'Any' }] as never,
    loadListing,
  }));
  const process = {
    class: 'ExpressionTool',
    id: 'e',
    inputs: parameters,
    outputs: [{ name: 'o', type: 'Any' }],
    requirements: [JAVASCRIPT],
  } as const;
  const rest = {
    hints: [],
    declaredVersion: 'v1.2',
    expression,
    requirements: [JAVASCRIPT, { class: 'LoadListingRequirement', loadListing }] as Requirement[],
  };
  return evaluateExpressionTool({ tool: { ...process, ...rest } as never, inputs, effective: NO_REQUIREMENTS }, deps);
};

/** Where a value is staged: path → what is there. */
async function staged(part: Partial<CommandLineTool>, inputs: CwlObject): Promise<Record<string, string>> {
  const parameters = Object.keys(inputs).map((name) => ({ name, type: ['Any', { type: 'array', items: 'Any' }] as never }));
  const prepared = await createTaskBuilder(deps).prepare(request({ requirements: [JAVASCRIPT], inputs: parameters, ...part }, inputs));
  const { spec } = await prepared.bind(LAYOUT);
  return Object.fromEntries(spec.inputs.map(({ path, source }) => [path, source?.value ?? '-']));
}

describe('a listing that an expression changed', () => {
  it.each<[string, string, Record<string, string>]>([
    ['nothing', 'inputs.d', { '/in/0/d': 'file:///d' }],
    ['its name alone', '(inputs.d.basename = "z", inputs.d)', { '/in/0/z': 'file:///d' }],
    [
      'the name of an entry',
      '(inputs.d.listing[0].basename = "z", inputs.d)',
      { '/in/0/d': '-', '/in/0/d/z': 'file:///d/a', '/in/0/d/b': 'file:///d/b', '/in/0/d/s': 'file:///d/s' },
    ],
    ['which entries there are', '(inputs.d.listing = [inputs.d.listing[1]], inputs.d)', { '/in/0/d': '-', '/in/0/d/b': 'file:///d/b' }],
    [
      'that there is one more',
      '(inputs.d.listing.push({class: "File", basename: "n", contents: "new"}), inputs.d)',
      { '/in/0/d': '-', '/in/0/d/a': 'file:///d/a', '/in/0/d/b': 'file:///d/b', '/in/0/d/s': 'file:///d/s', '/in/0/d/n': 'new' },
    ],
    ['that there is none', '(inputs.d.listing = [], inputs.d)', { '/in/0/d': '-' }],
    [
      'an inner one',
      '(inputs.d.listing[2].listing = [], inputs.d)',
      { '/in/0/d': '-', '/in/0/d/a': 'file:///d/a', '/in/0/d/b': 'file:///d/b', '/in/0/d/s': '-' },
    ],
  ])('is staged as it says: %s', async (_name, expression, expected) => {
    const { o = null } = await tool(`$({o: ${expression}})`, { d: D });
    expect(await staged({}, { o })).toEqual(expected);
    const bound = await evaluateStepBindings(
      {
        stepInputs: [{ name: 'd', loadListing: 'deep_listing', valueFrom: `$(${expression})` }],
        values: { d: D },
        options: { javascript: true, expressionLib: [], declaredVersion: 'v1.2' },
        effective: NO_REQUIREMENTS,
      },
      deps,
    );
    expect(await staged({}, { o: bound.inputs['d'] ?? null })).toEqual(expected);
  });

  it('is published as it says', async () => {
    const left: LeftFiles = { 'out/p': 'p', 'out/q': 'q' };
    const collect = async (outputEval: string): Promise<CwlValue> => {
      const outputBinding = { glob: 'out', loadListing: 'deep_listing' as const, outputEval };
      const asked = request({ requirements: [JAVASCRIPT], outputs: [{ name: 'o', type: 'Directory', outputBinding }] });
      const builder = createTaskBuilder(deps);
      const bound = await (await builder.prepare(asked)).bind(LAYOUT);
      return (await builder.collectOutputs(asked, bound, finishedWith(left), memoryCollector(left)))['o'] ?? null;
    };
    const q = { class: 'File', location: 'store:///out/q', size: 1, checksum: sha1('q') };
    expect(await collect('$(self)')).toMatchObject({ location: 'store:///out', listing: [{ basename: 'p' }, { basename: 'q' }] });
    const filtered = await collect('$((self[0].listing = [self[0].listing[1]], self))');
    expect(filtered).toEqual({ class: 'Directory', basename: 'out', listing: [{ ...q, basename: 'q' }] });
    const renamed = await collect('$((self[0].listing[1].basename = "r", self))');
    expect(renamed).toMatchObject({ listing: [{ basename: 'p' }, { ...q, basename: 'r' }] });
    expect(renamed).not.toHaveProperty('location');
  });
});

describe('a listing that a tool states beside a path', () => {
  const left: LeftFiles = { 'out/p': 'p', 'out/s/q': 'q', other: 'o' };
  const at = (path: string, more: CwlObject = {}): CwlObject => ({ class: 'File', path, ...more });
  const s: CwlObject = { class: 'Directory', path: 'out/s' };
  const p = { class: 'File', location: 'store:///out/p', basename: 'p' };
  const q = { class: 'File', location: 'store:///out/s/q', basename: 'q' };

  it.each<[string, CwlObject[], object]>([
    ['is what lies there', [at('out/p'), s], { location: 'store:///out', listing: [p, { location: 'store:///out/s' }] }],
    ['has less', [at('out/p')], { listing: [p] }],
    ['has nothing', [], { listing: [] }],
    ['has more', [at('out/p'), s, at('other')], { listing: [p, { location: 'store:///out/s' }, { location: 'store:///other' }] }],
    ['has another name', [at('out/p', { basename: 'r' }), s], { listing: [{ ...p, basename: 'r' }, { location: 'store:///out/s' }] }],
    ['has another file of the name', [at('other', { basename: 'p' }), s], { listing: [{ location: 'store:///other', basename: 'p' }, {}] }],
    ['has less further down', [at('out/p'), { ...s, listing: [] }], { listing: [p, { class: 'Directory', basename: 's', listing: [] }] }],
    [
      'has all further down',
      [at('out/p'), { ...s, listing: [at('out/s/q')] }],
      { location: 'store:///out', listing: [p, { listing: [q] }] },
    ],
  ])('is published as it says where it %s', async (_name, listing, expected) => {
    const files = { ...left, 'cwl.output.json': JSON.stringify({ o: { class: 'Directory', path: 'out', listing } }) };
    const asked = request({ outputs: [{ name: 'o', type: 'Directory' }] });
    const builder = createTaskBuilder(deps);
    const bound = await (await builder.prepare(asked)).bind(LAYOUT);
    const { o } = await builder.collectOutputs(asked, bound, finishedWith(files), memoryCollector(files));
    expect(o).toMatchObject({ class: 'Directory', basename: 'out', ...expected });
    expect(Object.hasOwn(o as CwlObject, 'location')).toBe('location' in expected);
  });
});

describe('equally named entries', () => {
  const gathered = '$({o: {class: "Directory", basename: "all", listing: inputs.ds}})';

  it.each(['deep_listing', 'no_listing'] as const)('that are directories are one, all the way down: %s', async (loading) => {
    const { o = null } = await tool(gathered, { ds: dirs('file:///d/s', 'file:///e/s') }, loading);
    expect(await staged({}, { o })).toEqual({
      '/in/0/all': '-',
      '/in/0/all/d': '-',
      '/in/0/all/d/x': 'file:///d/s/x',
      '/in/0/all/d/y': 'file:///e/s/y',
    });
  });

  it.each(['deep_listing', 'no_listing'] as const)('that are files are an error, wherever they meet: %s', async (loading) => {
    const [d, e] = dirs('file:///d', 'file:///e');
    await expect(tool(gathered, { ds: [d!, e!] }, loading)).rejects.toMatchObject({
      name: 'TaskError',
      message: expect.stringContaining('both called "b"'),
    });
    const files = ['file:///d/b', 'file:///e/b'].map((location) => ({ class: 'File', location }));
    await expect(tool(gathered, { ds: files }, loading)).rejects.toMatchObject({ name: 'TaskError' });
    await expect(staged({}, { o: { class: 'Directory', basename: 'all', listing: files } })).rejects.toMatchObject({ code: 'INPUT_FILE' });
    await expect(staged({}, { o: { ...files[0]!, secondaryFiles: [files[1]!] } })).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  it('of a run are looked up where nobody has', async () => {
    const run = (...ds: CwlObject[]): Promise<CwlObject> =>
      completeRunOutputs(
        { o: { class: 'Directory', basename: 'all', listing: ds } },
        { files: deps.files, checksum: () => Promise.resolve(sha1('')) },
      );
    const { o } = await run(...dirs('file:///d/s', 'file:///e/s'));
    expect(o).toMatchObject({ listing: [{ basename: 'd', listing: [{ basename: 'x' }, { basename: 'y' }] }] });
    await expect(run(...dirs('file:///d', 'file:///e'))).rejects.toMatchObject({ name: 'TaskError' });
  });

  it('of one folder are refused where the expression gives them', async () => {
    const files = ['file:///d/b', 'file:///e/b'].map((location) => ({ class: 'File', location }));
    await expect(tool(gathered, { ds: files })).rejects.toMatchObject({ code: 'EXPRESSION' });
  });

  it('of a step are united or refused', async () => {
    const bound = (...locations: string[]): Promise<{ inputs: CwlObject }> =>
      evaluateStepBindings(
        {
          stepInputs: [{ name: 'd', valueFrom: '$({class: "Directory", basename: "all", listing: self})' }],
          values: { d: dirs(...locations) },
          options: { javascript: true, expressionLib: [], declaredVersion: 'v1.2' },
          effective: NO_REQUIREMENTS,
        },
        deps,
      );
    const { inputs } = await bound('file:///d/s', 'file:///e/s');
    expect(inputs['d']).toMatchObject({ listing: [{ basename: 'd', listing: [{ basename: 'x' }, { basename: 'y' }] }] });
    await expect(bound('file:///d', 'file:///e')).rejects.toMatchObject({ name: 'TaskError' });
  });

  it('of an input are united or refused', async () => {
    const o = (...locations: string[]): CwlObject => ({ class: 'Directory', basename: 'all', listing: dirs(...locations) });
    expect(await staged({}, { o: o('file:///d/s', 'file:///e/s') })).toMatchObject({
      '/in/0/all/d/x': 'file:///d/s/x',
      '/in/0/all/d/y': 'file:///e/s/y',
    });
    await expect(staged({}, { o: o('file:///d', 'file:///e') })).rejects.toMatchObject({ code: 'INPUT_FILE' });
  });

  describe('of an output', () => {
    const left: LeftFiles = { p: 'p', q: 'q', 'one/d/x': 'x', 'two/d/y': 'y', 'three/d/x': 'other' };
    const stated = async (...listing: CwlObject[]): Promise<{ o: Promise<CwlValue>; published: () => boolean }> => {
      const files = { ...left, 'cwl.output.json': JSON.stringify({ o: { class: 'Directory', basename: 'all', listing } }) };
      const asked = request({ outputs: [{ name: 'o', type: 'Directory' }] });
      const builder = createTaskBuilder(deps);
      const bound = await (await builder.prepare(asked)).bind(LAYOUT);
      const collector = memoryCollector(files);
      const outputs = builder.collectOutputs(asked, bound, finishedWith(files), collector);
      return { o: outputs.then(({ o }) => o ?? null), published: () => collector.calls.some(({ publish }) => publish) };
    };
    const there = (path: string): CwlObject => ({ class: 'Directory', path });

    it('are refused before anything is published', async () => {
      const { o, published } = await stated({ class: 'File', path: 'p' }, { class: 'File', path: 'q', basename: 'p' });
      await expect(o).rejects.toMatchObject({ code: 'OUTPUT_TYPE' });
      expect(published()).toBe(false);
    });

    it('are united or refused also where listings are known only then', async () => {
      const { o } = await stated(there('one/d'), there('two/d'));
      expect(await o).toMatchObject({ listing: [{ basename: 'd', listing: [{ basename: 'x' }, { basename: 'y' }] }] });
      const clash = await stated(there('one/d'), there('three/d'));
      await expect(clash.o).rejects.toMatchObject({ code: 'OUTPUT_TYPE' });
    });
  });

  it('of different inputs do not meet, also where one file comes with different ones beside it', async () => {
    const beside = (location: string): CwlObject => ({
      class: 'File',
      location: 'file:///d/a',
      secondaryFiles: [{ class: 'File', location }],
    });
    expect(await staged({}, { f: beside('file:///d/b'), g: beside('file:///e/b') })).toEqual({
      '/in/0/a': 'file:///d/a',
      '/in/0/b': 'file:///d/b',
      '/in/1/a': 'file:///d/a',
      '/in/1/b': 'file:///e/b',
    });
  });

  it('of the working directory are united or refused too', async () => {
    const work = (listing: string): Promise<Record<string, string>> =>
      staged(
        { requirements: [JAVASCRIPT, { class: 'InitialWorkDirRequirement', listing }] },
        { ds: dirs('file:///d/s', 'file:///e/s'), clash: dirs('file:///d', 'file:///e') },
      );
    expect(await work('$(inputs.ds)')).toMatchObject({ '/work/d': '-', '/work/d/x': 'file:///d/s/x', '/work/d/y': 'file:///e/s/y' });
    await expect(work('$(inputs.clash)')).rejects.toMatchObject({ name: 'TaskError' });
  });
});
