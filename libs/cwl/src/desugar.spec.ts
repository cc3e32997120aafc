/** Every short form an author may write, and the long form it becomes. */
import type { CommandLineTool, Requirement } from '@weft/plan';
import { planOf, rootOf } from './spec-support/load-text.js';

function tool(rest: string, version = 'v1.2'): Promise<CommandLineTool> {
  return rootOf(`cwlVersion: ${version}\nclass: CommandLineTool\n${rest}`, 'CommandLineTool');
}

describe('types', () => {
  test.each<[string, unknown]>([
    ['string', 'string'],
    ['string?', ['null', 'string']],
    ['"int[]"', { type: 'array', items: 'int' }],
    ['"int[]?"', ['null', { type: 'array', items: 'int' }]],
    ['"null"', 'null'],
    ['["null", File]', ['null', 'File']],
    ['["null", "File?", "File[]"]', ['null', 'File', { type: 'array', items: 'File' }]],
    ['[string]', 'string'],
    ['{type: array, items: string?}', { type: 'array', items: ['null', 'string'] }],
    ['{type: array, items: int, inputBinding: {prefix: -n}}', { type: 'array', items: 'int', inputBinding: { prefix: '-n' } }],
    ['{type: enum, symbols: ["#colour/red", colour/green, blue]}', { type: 'enum', symbols: ['red', 'green', 'blue'] }],
    [
      '{type: record, name: "#r", fields: {a: int, b: {type: "File?", format: "http://f"}}}',
      {
        type: 'record',
        name: 'r',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'b', type: ['null', 'File'], format: 'http://f' },
        ],
      },
    ],
    ['{type: record, fields: [{name: "#main/r/a", type: Any}]}', { type: 'record', fields: [{ name: 'a', type: 'Any' }] }],
    ['{type: record}', { type: 'record', fields: [] }],
    ['Directory', 'Directory'],
  ])('%s', async (written, expected) => {
    const process = await tool(`inputs: {x: {type: ${written}}}\noutputs: []`);
    expect(process.inputs).toEqual([{ name: 'x', type: expected }]);
  });

  test('named types, by short name, with a hash, and nested in each other', async () => {
    const process = await tool(`requirements:
  SchemaDefRequirement:
    types:
      - {name: pair, type: record, fields: {left: side, right: "#side[]"}}
      - {name: side, type: enum, symbols: [l, r]}
inputs: {a: pair, b: "#pair?"}
outputs: []`);
    const side = { type: 'enum', name: 'side', symbols: ['l', 'r'] };
    const pair = {
      type: 'record',
      name: 'pair',
      fields: [
        { name: 'left', type: side },
        { name: 'right', type: { type: 'array', items: side } },
      ],
    };
    expect(process.inputs.map((i) => i.type)).toEqual([pair, ['null', pair]]);
  });
});

describe('tools', () => {
  test.each<[string, string, Partial<CommandLineTool>]>([
    ['baseCommand as a string', 'baseCommand: echo', { baseCommand: ['echo'] }],
    ['arguments of both kinds', 'arguments: [-n, {valueFrom: x, position: 2}]', { arguments: ['-n', { valueFrom: 'x', position: 2 }] }],
    ['no command', '', { baseCommand: [], arguments: [], successCodes: [] }],
    ['exit codes', 'temporaryFailCodes: [75]\npermanentFailCodes: [1, 2]', { temporaryFailCodes: [75], permanentFailCodes: [1, 2] }],
  ])('%s', async (_, rest, expected) => {
    expect(await tool(`${rest}\ninputs: []\noutputs: []`)).toMatchObject(expected);
  });

  test('type stdin', async () => {
    const process = await tool('inputs: {data: stdin}\noutputs: []');
    expect(process.inputs).toEqual([{ name: 'data', type: 'File', streamable: true }]);
    expect(process.stdin).toBe('$(inputs["data"].path)');
  });

  test('type stdout with a named stream', async () => {
    const process = await tool('inputs: []\noutputs: {out: stdout}\nstdout: $(inputs.name).txt');
    expect(process.outputs).toEqual([{ name: 'out', type: 'File', streamable: true, outputBinding: { glob: '$(inputs.name).txt' } }]);
  });

  test('streams without a name get one that depends on the tool alone', async () => {
    const text = 'inputs: []\noutputs: {out: stdout, err: {type: stderr}}\nbaseCommand: echo';
    const [one, same, other] = [await tool(text), await tool(`\n# moved\n${text}`), await tool(`${text}s`)];
    expect(one.stdout).toMatch(/^[0-9a-f]{32}\.stdout$/);
    expect(one.stderr).toMatch(/^[0-9a-f]{32}\.stderr$/);
    expect(one.outputs.map((o) => o.outputBinding?.glob)).toEqual([one.stdout, one.stderr]);
    expect(same.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
  });

  test.each<[string, string, unknown]>([
    ['v1.2', '".bai?"', [{ pattern: '.bai', required: false }]],
    ['v1.2', '[^.dict, {pattern: .fai, required: $(true)}]', [{ pattern: '^.dict' }, { pattern: '.fai', required: '$(true)' }]],
    ['v1.0', '".bai?"', [{ pattern: '.bai?' }]],
    ['v1.2', '$(self.basename)', [{ pattern: '$(self.basename)' }]],
  ])('secondaryFiles in %s: %s', async (version, written, expected) => {
    const process = await tool(`inputs: {x: {type: File, secondaryFiles: ${written}}}\noutputs: []`, version);
    expect(process.inputs[0]?.secondaryFiles).toEqual(expected);
  });

  test('loadContents in a binding belongs to the parameter', async () => {
    const process = await tool('inputs: {x: {type: File, inputBinding: {loadContents: true, position: 1}}}\noutputs: []', 'v1.0');
    expect(process.inputs[0]).toEqual({ name: 'x', type: 'File', loadContents: true, inputBinding: { position: 1 } });
  });

  test('inputs in list form, ids with scopes, docs in lines', async () => {
    const process = await tool('id: t\ninputs: [{id: "#t/x", type: int, doc: [a, b]}]\noutputs: [{id: t/y, type: Any}]');
    expect(process.inputs).toEqual([{ name: 'x', type: 'int', doc: 'a\nb' }]);
    expect(process.outputs).toEqual([{ name: 'y', type: 'Any' }]);
  });

  test('defaults: locations become absolute, null stays, dates stay text', async () => {
    const process = await tool(`inputs:
  a: {type: File, default: {class: File, location: data/x y.txt}}
  b: {type: File, default: {class: File, path: "odd #1 100%.txt", secondaryFiles: [{class: Directory, location: "http://h/d"}]}}
  c: {type: string?, default: null}
  d: {type: string, default: 2024-01-02}
  e: {type: Any, default: {deep: [{class: File, location: x}]}}
outputs: []`);
    expect(process.inputs.map((i) => i.default)).toEqual([
      { class: 'File', location: 'file:///work/data/x%20y.txt' },
      { class: 'File', location: 'file:///work/odd%20%231%20100%25.txt', secondaryFiles: [{ class: 'Directory', location: 'http://h/d' }] },
      null,
      '2024-01-02',
      { deep: [{ class: 'File', location: 'file:///work/x' }] },
    ]);
  });

  test('formats are written out with the namespaces of the document', async () => {
    const process = await tool(
      '$namespaces: {e: "http://e.org/"}\ninputs: {x: {type: File, format: [e:a, $(1), b]}}\noutputs: {y: {type: File, format: e:z}}',
    );
    expect([process.inputs[0]?.format, process.outputs[0]?.format]).toEqual([['http://e.org/a', '$(1)', 'b'], 'http://e.org/z']);
  });

  test('extension fields are let be', async () => {
    const process = await tool(
      '$namespaces: {s: "https://schema.org/"}\ns:author: {s:name: A}\nhttps://x.org/y: 1\ninputs: []\noutputs: []',
    );
    expect(process.class).toBe('CommandLineTool');
  });

  test('merge keys', async () => {
    const process = await tool('inputs: {a: &a {type: int, label: A}, b: {<<: *a, label: B}}\noutputs: []');
    expect(process.inputs[1]).toEqual({ name: 'b', type: 'int', label: 'B' });
  });
});

describe('requirements', () => {
  test.each<[string, Requirement]>([
    ['DockerRequirement: {dockerPull: alpine}', { class: 'DockerRequirement', dockerPull: 'alpine' }],
    ['InlineJavascriptRequirement:', { class: 'InlineJavascriptRequirement', expressionLib: [] }],
    ['InlineJavascriptRequirement: {expressionLib: [f]}', { class: 'InlineJavascriptRequirement', expressionLib: ['f'] }],
    ['EnvVarRequirement: {envDef: {A: b}}', { class: 'EnvVarRequirement', envDef: [{ envName: 'A', envValue: 'b' }] }],
    [
      'EnvVarRequirement: {envDef: [{envName: A/B, envValue: b}]}',
      { class: 'EnvVarRequirement', envDef: [{ envName: 'A/B', envValue: 'b' }] },
    ],
    ['ResourceRequirement: {coresMin: .5, ramMin: $(1)}', { class: 'ResourceRequirement', coresMin: 0.5, ramMin: '$(1)' }],
    ['ToolTimeLimit: {timelimit: 3}', { class: 'ToolTimeLimit', timelimit: 3 }],
    ['"http://commonwl.org/cwltool#TimeLimit": {timelimit: 3}', { class: 'ToolTimeLimit', timelimit: 3 }],
    ['cwltool:CUDARequirement: {cudaDeviceCount: 2}', { class: 'CUDARequirement', cudaDeviceCountMin: 2 }],
    ['cwltool:Secrets: {secrets: [pw]}', { class: 'SecretsRequirement', secrets: ['pw'] }],
    ['NetworkAccess: {networkAccess: $(true)}', { class: 'NetworkAccess', networkAccess: '$(true)' }],
    ['InitialWorkDirRequirement: {listing: $(inputs.x)}', { class: 'InitialWorkDirRequirement', listing: '$(inputs.x)' }],
    [
      'InitialWorkDirRequirement: {listing: [$(inputs.x), null, {entryname: a, entry: b, writable: true}, {class: File, location: f}]}',
      {
        class: 'InitialWorkDirRequirement',
        listing: ['$(inputs.x)', { entryname: 'a', entry: 'b', writable: true }, { class: 'File', location: 'file:///work/f' }],
      },
    ],
  ])('%s', async (written, expected) => {
    const process = await tool(`requirements: {${written}}\ninputs: []\noutputs: []`);
    expect(process.requirements).toEqual([expected]);
  });

  test('older names of extensions are taken in older documents', async () => {
    const process = await tool(
      'hints: [{class: "cwltool:LoadListingRequirement", loadListing: no_listing}]\ninputs: []\noutputs: []',
      'v1.0',
    );
    expect(process.hints).toEqual([{ class: 'LoadListingRequirement', loadListing: 'no_listing' }]);
    expect(process.declaredVersion).toBe('v1.0');
  });
});

describe('workflows', () => {
  const OP = '{class: Operation, inputs: {i: Any}, outputs: {o: Any}}';
  const step = async (written: string, requirements = '{}', version = 'v1.3'): Promise<unknown> => {
    const text = `cwlVersion: ${version}\nclass: Workflow\nrequirements: ${requirements}\ninputs: {x: Any, y: Any}\noutputs: []\nsteps: {s: {run: ${OP}, ${written}}}`;
    return (await rootOf(text, 'Workflow')).steps[0];
  };
  const x = { step: null, port: 'x' };
  const MULTI = '{MultipleInputFeatureRequirement: {}}';

  test.each<[string, unknown]>([
    ['i: x', { sources: [x], list: false, linkMerge: 'merge_nested' }],
    ['i: [x]', { sources: [x], list: false, linkMerge: 'merge_nested' }],
    ['i: {source: "#x"}', { sources: [x], list: false, linkMerge: 'merge_nested' }],
    ['i: {source: x, linkMerge: merge_flattened}', { sources: [x], list: true, linkMerge: 'merge_flattened' }],
    ['i: {source: [x], pickValue: all_non_null}', { sources: [x], list: true, linkMerge: 'merge_nested', pickValue: 'all_non_null' }],
    ['i: [x, y]', { sources: [x, { step: null, port: 'y' }], list: true, linkMerge: 'merge_nested' }],
  ])('link %s', async (written, link) => {
    expect(await step(`in: {${written}}, out: [o]`, MULTI)).toMatchObject({ in: [{ name: 'i', link }], out: ['o'], scatter: [] });
  });

  test('an inline process gets a key of its own, and steps know their place', async () => {
    expect(await step('in: {i: x}, out: [{id: o}]')).toMatchObject({
      run: 'main.cwl#s/run',
      out: ['o'],
      at: { file: 'main.cwl', line: 6 },
    });
  });

  test('scatter as a string or a list', async () => {
    const feature = '{ScatterFeatureRequirement: {}}';
    expect(await step('in: {i: x}, out: [], scatter: i', feature)).toMatchObject({ scatter: ['i'] });
    expect(await step('in: {i: x}, out: [], scatter: ["#main/s/i"], scatterMethod: dotproduct', feature)).toMatchObject({
      scatter: ['i'],
      scatterMethod: 'dotproduct',
    });
  });

  test('loop, and the extension it was before', async () => {
    const javascript = '{InlineJavascriptRequirement: {}}';
    const loop = {
      when: '$(inputs.i < 3)',
      loop: [{ name: 'i', link: { sources: [{ step: 's', port: 'o' }] } }],
      outputMethod: 'all_iterations',
    };
    expect(await step('in: {i: x}, out: [o], when: $(inputs.i < 3), loop: {i: o}, outputMethod: all_iterations', javascript)).toMatchObject(
      loop,
    );
    const extension = 'requirements: {"cwltool:Loop": {loopWhen: $(inputs.i < 3), loop: {i: o}, outputMethod: all}}';
    expect(await step(`in: {i: x}, out: [o], ${extension}`, '{}', 'v1.2')).toMatchObject({ ...loop, requirements: [] });
  });

  test('packed references', async () => {
    const plan = await planOf(
      {
        'main.cwl': JSON.stringify({
          cwlVersion: 'v1.2',
          $graph: [
            { id: '#t', class: 'Operation', inputs: [{ id: '#t/i', type: 'Any' }], outputs: [{ id: '#t/o', type: 'Any' }] },
            {
              id: '#main',
              class: 'Workflow',
              inputs: [{ id: '#main/x', type: 'Any' }],
              outputs: [{ id: '#main/y', type: 'Any', outputSource: '#main/s/o' }],
              steps: [{ id: '#main/s', run: '#t', in: [{ id: '#main/s/i', source: '#main/x' }], out: ['#main/s/o'] }],
            },
          ],
        }),
      },
      'main.cwl#main',
    );
    expect(Object.keys(plan.processes).sort()).toEqual(['main.cwl#main', 'main.cwl#t']);
    expect(plan.processes[plan.root]).toMatchObject({
      outputs: [{ name: 'y', link: { sources: [{ step: 's', port: 'o' }] } }],
      steps: [{ name: 's', run: 'main.cwl#t', in: [{ name: 'i', link: { sources: [x] } }], out: ['o'] }],
    });
  });
});
