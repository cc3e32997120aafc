/**
 * Documents and jobs that are easy to make long: each takes one thing that grows with the text as far as `size` characters allow.
 * What reads them must take no more than its share of time for each character, and tell no more than anybody reads.
 */
const HEAD = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: []\noutputs: []\n';
const OPERATION = { class: 'Operation', inputs: {}, outputs: {} };

type Table = Record<string, (size: number) => string>;

const times = (size: number, text: string): string => text.repeat(Math.max(1, Math.floor(size / text.length)));
const many = <T>(size: number, each: number, of: (i: number) => T): T[] => Array.from({ length: Math.floor(size / each) }, (_, i) => of(i));
const named = (size: number, each: number, value: unknown): Record<string, unknown> =>
  Object.fromEntries(many(size, each, (i) => [`n${i}`, value]));
const json = (document: object): string => JSON.stringify({ cwlVersion: 'v1.2', ...document });
const tool = (fields: object): string => json({ class: 'CommandLineTool', inputs: [], outputs: [], ...fields });
/** Lists are taken as they are: no call takes as many arguments. */
const graph = (main: object, ...others: (object | object[])[]): string =>
  json({ $graph: [{ id: 'main', class: 'Workflow', inputs: [], outputs: [], steps: [], ...main }, ...others.flat()] });
const step = (of: object): object => ({ id: 's', run: '#t', in: [], out: [], ...of });

export const LARGE_DOCUMENTS: Table = {
  'keys of a block mapping': (n) => `${HEAD}x:y:\n${many(n, 12, (i) => `  k${i}: 1\n`).join('')}`,
  'keys of a flow mapping': (n) => `${HEAD}x:y: {${many(n, 10, (i) => `k${i}: 1, `).join('')}}\n`,
  'keys of JSON, the last one twice': (n) => `{"a":{${many(n, 10, (i) => `"k${i}":1`).join(',')},"k0":2}}`,
  'one key again and again': (n) => `${HEAD}x:y:\n${times(n, '  k: 1\n')}`,
  'merged mappings': (n) => `${HEAD}x:m: &m {${many(12_000, 12, (i) => `a${i}: 1`).join(', ')}}\nx:l: [${times(n, '{<<: *m},')}]\n`,
  'wrong items': (n) => tool({ arguments: many(n, 3, () => []) }),
  'wrong items in YAML': (n) => `${HEAD}arguments: [${times(n, '[],')}]\n`,
  'inputs without a name': (n) => tool({ inputs: many(n, 3, () => ({})) }),
  'unknown fields': (n) => tool(named(n, 10, 1)),
  'unknown requirements': (n) => tool({ requirements: many(n, 18, (i) => ({ class: `Foo${i}` })) }),
  'unknown hints': (n) => tool({ hints: many(n, 18, (i) => ({ class: `Foo${i}` })) }),
  'requirements again and again': (n) => tool({ requirements: many(n, 42, () => ({ class: 'InlineJavascriptRequirement' })) }),
  'open references': (n) => tool({ arguments: [times(n, '$(')] }),
  'open references with JavaScript': (n) =>
    tool({ requirements: { InlineJavascriptRequirement: {} }, arguments: [times(n, '$('), times(n, '${')] }),
  'references one after the other': (n) => tool({ arguments: [times(n, '$(a)')] }),
  'references with open quotes': (n) => tool({ arguments: [times(n, "$(a['x"), times(n, "$(a['\\")] }),
  'deep flow lists': (n) => times(n, '['),
  'deep flow lists, a line each': (n) => `a: ${times(n, '[\n')}`,
  'deep JSON': (n) => times(n, '{"a":'),
  'deep block lists': (n) => `${times(n, '- ')}x`,
  'keys of keys': (n) => times(n, '? '),
  colons: (n) => times(n, ': '),
  aliases: (n) => `${HEAD}x:a: &a [1]\nx:b: [${times(n, '*a,')}]\n`,
  anchors: (n) => `${HEAD}x:b: [${many(n, 10, (i) => `&a${i} x,`).join('')}]\n`,
  tags: (n) => `${HEAD}x:b: [${times(n, '!a x,')}]\n`,
  'a long word': (n) => `${HEAD}doc: ${times(n, 'word')}\n`,
  'a text of many lines': (n) => `${HEAD}doc: ${times(n, 'word\n  ')}\n`,
  'a block text': (n) => `${HEAD}doc: >\n${times(n, '  word\n')}`,
  'double quotes without end': (n) => `${HEAD}doc: "${times(n, 'word\n  ')}`,
  'single quotes without end': (n) => `${HEAD}doc: '${times(n, "wo''d ")}`,
  'JSON without end': (n) => `{"cwlVersion":"v1.2","doc":"${times(n, 'word ')}`,
  'escapes that there are not': (n) => `${HEAD}doc: "${times(n, '\\q')}"\n`,
  'a number without end': (n) => tool({ inputs: { x: { type: 'long', default: 0 } } }).replace(':0}', `:${times(n, '9')}}`),
  'numbers beyond long': (n) =>
    `${HEAD.replace('inputs: []\n', '')}inputs: {x: {type: "long[]", default: [${times(n, '99999999999999999999,')}]}}\n`,
  'empty lines': (n) => `${HEAD}${times(n, '\n')}`,
  comments: (n) => `${HEAD}${times(n, '# x\n')}`,
  documents: (n) => times(n, '---\n'),
  directives: (n) => times(n, '%YAML 1.2\n'),
  NUL: (n) => times(n, '\0'),
  'flow lists that are not indented': (n) => `a:\n  b: [\n1]\n${times(n, 'c: [\n1]\n')}`,
  'quotes after what is not indented': (n) => `a:\n  b: [\n1]\n${times(n, "y: 'a\n")}`,
  'block texts after what is not indented': (n) => `a:\n  b: [\n1]\n${times(n, 'y: |\n a\n')}`,
  'processes of a graph': (n) =>
    graph(
      {},
      many(n, 65, (i) => ({ id: `t${i}`, ...OPERATION })),
    ),
  'processes of a graph without main': (n) => json({ $graph: many(n, 65, (i) => ({ id: `t${i}`, ...OPERATION })) }),
  'processes of one name': (n) =>
    graph(
      {},
      many(n, 11, () => ({ id: 't' })),
    ),
  'namespaces of a graph': (n) =>
    graph(
      {},
      many(n, 50, (i) => ({ id: `t${i}`, $namespaces: { [`a${i}`]: 'http://x/' } })),
    ),
  'steps that each run another': (n) =>
    graph(
      { steps: many(n, 90, (i) => step({ id: `s${i}`, run: `#t${i}` })) },
      many(n, 90, (i) => ({ id: `t${i}`, ...OPERATION })),
    ),
  'steps that run what there is not': (n) => graph({ steps: many(n, 45, (i) => step({ id: `s${i}`, run: `#m${i}` })) }),
  'a chain of steps': (n) =>
    graph(
      { inputs: { x: 'int' }, steps: many(n, 60, (i) => step({ id: `s${i}`, in: { x: i ? `s${i - 1}/o` : 'x' }, out: ['o'] })) },
      { id: 't', ...OPERATION, inputs: { x: 'int' }, outputs: { o: 'int' } },
    ),
  'steps that wait for each other': (n) =>
    graph(
      { steps: many(n, 80, (i) => step({ id: `s${i}`, in: { x: { source: [`s${i + 1}/o`, 's0/o'] } }, out: ['o'] })) },
      { id: 't', ...OPERATION, inputs: { x: 'int[]' }, outputs: { o: 'int' } },
    ),
  'inputs of a step': (n) =>
    graph({ inputs: { x: 'int' }, steps: [step({ in: named(n, 24, 'x') })] }, { id: 't', ...OPERATION, inputs: named(n, 24, 'int') }),
  'inputs of a step that there are not': (n) =>
    graph(
      { inputs: { x: 'int' }, steps: [step({ in: many(n, 20, (i) => ({ id: `m${i}`, source: 'x' })) })] },
      { id: 't', ...OPERATION, inputs: named(n, 24, 'int') },
    ),
  'outputs of a step that are taken': (n) =>
    graph(
      {
        outputs: many(n, 60, (i) => ({ id: `p${i}`, type: 'int', outputSource: `s/n${i}` })),
        steps: [step({ out: many(n, 60, (i) => `n${i}`) })],
      },
      { id: 't', ...OPERATION, outputs: named(n, 60, 'int') },
    ),
  'outputs of a step that there are not': (n) =>
    graph({ steps: [step({ out: many(n, 20, (i) => `o${i}`) })] }, { id: 't', ...OPERATION, outputs: named(n, 20, 'int') }),
  'inputs to scatter over': (n) =>
    graph(
      {
        inputs: { x: 'int[]' },
        requirements: { ScatterFeatureRequirement: {} },
        steps: [step({ scatterMethod: 'dotproduct', scatter: many(n, 40, (i) => `n${i}`), in: named(n, 40, 'x') })],
      },
      { id: 't', ...OPERATION, inputs: named(n, 40, 'int') },
    ),
  'sources of one input': (n) =>
    graph(
      { inputs: { x: 'int' }, steps: [step({ in: { x: { source: many(n, 4, () => 'x') } } })] },
      { id: 't', ...OPERATION, inputs: { x: 'int[]' } },
    ),
  'symbols of two enums that are linked': (n) =>
    graph(
      { inputs: { x: { type: { type: 'enum', symbols: many(n, 20, (i) => `s${i}`) } } }, steps: [step({ in: { x: 'x' } })] },
      { id: 't', ...OPERATION, inputs: { x: { type: { type: 'enum', symbols: many(n, 20, (i) => `r${i}`) } } } },
    ),
  'fields of a record': (n) =>
    tool({ inputs: { x: { type: { type: 'record', fields: many(n, 30, (i) => ({ name: `f${i}`, type: 'int' })) } } } }),
  'alternatives of a type': (n) => tool({ inputs: { x: { type: many(n, 30, () => ({ type: 'array', items: 'int' })) } } }),
  'named types': (n) =>
    tool({
      inputs: { x: 'r0' },
      requirements: { SchemaDefRequirement: { types: many(n, 45, (i) => ({ name: `r${i}`, type: 'enum', symbols: ['a'] })) } },
    }),
  'types that there are not': (n) => tool({ inputs: named(n, 20, 'no_such_type') }),
  'brackets of a type': (n) => tool({ inputs: { x: `int${times(n, '[]')}` } }),
  carets: (n) => tool({ inputs: { x: { type: 'File', secondaryFiles: times(n, '^') } } }),
  imports: (n) => `${HEAD}x:b: [${times(n, '{$import: a.yml},')}]\n`,
  'imports of parts of itself': (n) =>
    graph(
      { 'x:y': many(n, 40, (i) => ({ $import: `#p${i}` })) },
      many(n, 40, (i) => ({ id: `p${i}` })),
    ),
};

export const JOB_TOOL = tool({
  inputs: {
    any: 'Any?',
    ints: 'int[]?',
    files: 'File[]?',
    one: { type: ['null', { type: 'enum', symbols: ['a', 'b'] }] },
    record: ['null', { type: 'record', fields: { a: 'int' } }],
    union: ['null', 'int[]', 'string[]', 'float[]', 'File[]', 'int', 'string'],
  },
});

export const LARGE_JOBS: Table = {
  numbers: (n) => `{"ints":[${times(n, '1,')}1]}`,
  'numbers, a line each': (n) => `ints:\n${times(n, '- 1\n')}`,
  'what is no number': (n) => `{"ints":[${times(n, '"a",')}1]}`,
  'what fits no alternative': (n) => `{"union":[${times(n, 'true,')}1]}`,
  'what fits the second alternative': (n) => `{"union":[${times(n, '"a",')}"b"]}`,
  keys: (n) => `{${many(n, 10, (i) => `"k${i}":1`).join(',')}}`,
  'keys of a record': (n) => `{"record":{"a":1,${many(n, 10, (i) => `"k${i}":1`).join(',')}}}`,
  'keys for the engine': (n) => `{${many(n, 16, (i) => `"cwl:k${i}":1`).join(',')}}`,
  'a long string': (n) => `{"any":"${times(n, 'a')}"}`,
  'a long string of escapes': (n) => `{"any":"${times(n, '\\n')}"}`,
  'a long string for an enum': (n) => `{"one":"${times(n, 'a')}"}`,
  'a string without end': (n) => `{"any":"${times(n, '\\n')}`,
  files: (n) => `{"files":[${times(n, '{"class":"File","path":"/a"},')}{"class":"File","path":"/a"}]}`,
  'files that name nothing': (n) => `{"files":[${times(n, '{"class":"File"},')}{"class":"File","path":"/a"}]}`,
  'a path of slashes': (n) => `{"files":[{"class":"File","location":"file://${times(n, '/')}x"}]}`,
  'a path of marks': (n) => `{"files":[{"class":"File","location":"file:///${times(n, '#')}\\n"}]}`,
  'a path of dots': (n) => `{"files":[{"class":"File","path":"${times(n, '../')}"}]}`,
  'a number without end': (n) => `{"ints":[${times(n, '9')}]}`,
  imports: (n) => `{"any":[${times(n, '{"$import":"a"},')}1]}`,
  'deep lists': (n) => `{"any":${times(n, '[')}`,
  requirements: (n) => `{"cwl:requirements":[${times(n, '{"class":"Foo"},')}{}]}`,
  spaces: (n) => times(n, ' '),
  'lines of spaces': (n) => times(n, '   \n'),
};
