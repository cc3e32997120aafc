// Workflows whose links fit: every step takes what earlier ones give, and the type of every source is followed (`int[][]`, `File?`).
import { freshName } from './values.mjs';

const sh = (script) => ['sh', '-c', script, 'sh'];
const REQUIRED = {
  ScatterFeatureRequirement: {},
  SubworkflowFeatureRequirement: {},
  MultipleInputFeatureRequirement: {},
  StepInputExpressionRequirement: {},
  InlineJavascriptRequirement: {},
};

const expression = (inputs, type, script) => ({
  class: 'ExpressionTool',
  inputs,
  outputs: { o: type },
  expression: `\${ return {o: ${script}}; }`,
});
const command = (inputs, outputs, script, more = {}) => ({ class: 'CommandLineTool', inputs, outputs, baseCommand: sh(script), ...more });
const bound = (type, position = 1) => ({ type, inputBinding: { position } });

/** Small processes with one output `o`: what they take, what they give. */
const PROCESSES = [
  { takes: { s: 'string' }, gives: 'string', make: () => expression({ s: 'string' }, 'string', 'inputs.s + "!"') },
  { takes: { s: 'string' }, gives: 'int', make: () => expression({ s: 'string' }, 'int', 'inputs.s.length') },
  {
    takes: { a: 'int', b: 'int' },
    gives: 'int',
    make: () => expression({ a: 'int', b: { type: 'int', default: 2 } }, 'int', 'inputs.a + inputs.b'),
  },
  {
    takes: { n: 'int' },
    gives: 'int[]',
    make: () => expression({ n: 'int' }, 'int[]', '[0, inputs.n, 5].slice(0, Math.abs(inputs.n) % 4)'),
  },
  { takes: { n: 'int' }, gives: 'string?', make: () => expression({ n: 'int' }, 'string?', 'inputs.n % 2 ? "odd" : null') },
  { takes: { l: 'string[]' }, gives: 'string', make: () => expression({ l: 'string[]' }, 'string', 'inputs.l.join("+")') },
  {
    takes: { l: 'int[]' },
    gives: 'int',
    make: () => expression({ l: 'int[]' }, 'int', 'inputs.l.reduce(function(a, b) { return a + b; }, 0)'),
  },
  { takes: { s: 'string' }, gives: 'string[]', make: () => expression({ s: 'string' }, 'string[]', '[inputs.s, "x" + inputs.s]') },
  {
    takes: { s: 'string' },
    gives: 'File',
    make: () => command({ s: bound('string') }, { o: 'stdout' }, 'printf "%s" "$1"', { stdout: 'said.txt' }),
  },
  {
    takes: { f: 'File[]' },
    gives: 'File',
    make: () => command({ f: bound('File[]') }, { o: 'stdout' }, 'cat /dev/null "$@"', { stdout: 'joined.txt' }),
  },
  {
    takes: { f: 'File' },
    gives: 'int',
    make: () =>
      command(
        { f: bound('File') },
        { o: { type: 'int', outputBinding: { glob: 'n', loadContents: true, outputEval: '$(parseInt(self[0].contents))' } } },
        'wc -c < "$1" > n',
        { requirements: { InlineJavascriptRequirement: {} } },
      ),
  },
  {
    takes: { f: 'File' },
    gives: 'string',
    make: () => expression({ f: { type: 'File', loadContents: true } }, 'string', 'inputs.f.contents.trim() + inputs.f.basename'),
  },
  {
    takes: { s: 'string' },
    gives: 'Directory',
    make: () =>
      command(
        { s: bound('string') },
        { o: { type: 'Directory', outputBinding: { glob: 'dir' } } },
        'mkdir -p dir/in; printf "%s" "$1" > dir/in/t',
      ),
  },
  {
    takes: { d: 'Directory' },
    gives: 'File[]',
    make: () =>
      command(
        { d: bound('Directory') },
        { o: { type: 'File[]', outputBinding: { glob: '*.copy' } } },
        'for f in $(find -L "$1" -type f); do cp "$f" "$(basename "$f").copy"; done',
      ),
  },
  {
    takes: { d: 'Directory' },
    gives: 'int',
    make: () => expression({ d: { type: 'Directory', loadListing: 'shallow_listing' } }, 'int', 'inputs.d.listing.length'),
  },
  {
    takes: { s: 'string' },
    gives: 'File',
    make: () =>
      command(
        { s: 'string' },
        { o: { type: 'File', outputBinding: { glob: 'main' }, secondaryFiles: ['.idx', { pattern: '.no', required: false }] } },
        'echo $(cat given) > main; echo idx > main.idx',
        { requirements: { InitialWorkDirRequirement: { listing: [{ entryname: 'given', entry: '<$(inputs.s)>' }] } } },
      ),
  },
  {
    takes: { f: 'File' },
    gives: 'File',
    make: () =>
      command({ f: { type: 'File', secondaryFiles: '.idx?' } }, { o: 'stdout' }, 'ls -L "$(dirname "$F")"; cat', {
        stdin: '$(inputs.f.path)',
        stdout: 'listed.txt',
        requirements: { EnvVarRequirement: { envDef: { F: '$(inputs.f.path)' } } },
      }),
  },
  {
    takes: { x: 'string?' },
    gives: 'string',
    make: () => expression({ x: 'string?' }, 'string', 'inputs.x === null ? "nothing" : inputs.x'),
  },
];

const item = (type) => type.replace(/\[\]$/, '');
const fits = (given, taken) => given === taken || `${given}?` === taken;
const VALUES = { int: [0, 3, 4, -5], string: ['a', 'two words', 'é', ''] };

/** `depth`: how many workflows may be nested in it. Answers with the process and a job for it. */
export function makeWorkflow(r, files, depth = 1) {
  const workflow = { class: 'Workflow', inputs: {}, outputs: {}, requirements: { ...REQUIRED }, steps: {} };
  const job = {};
  const sources = [];
  for (const type of [
    'string',
    'int',
    r.pick(['string[]', 'int[]', 'string[][]', 'File[]']),
    ...r.some(['File', 'Directory', 'string?', 'int[]'], 0.4),
  ]) {
    const name = freshName('in');
    workflow.inputs[name] = r.chance(0.7) && !type.includes('[][]') ? type : { type: longForm(type) };
    job[name] = valueOf(r, type, files);
    if (r.chance(0.2) && VALUES[type] !== undefined) {
      workflow.inputs[name] = { type, default: job[name] };
      delete job[name];
    }
    sources.push({ ref: name, type });
  }
  for (let index = 0, count = r.int(2, 6); index < count; index += 1) addStep(r, workflow, sources, files, depth);
  addOutputs(r, workflow, sources);
  return { process: workflow, job };
}

function valueOf(r, type, files) {
  if (type.endsWith('[]')) return r.times(r.pick([0, 1, 2, 3, 3]), () => valueOf(r, item(type), files));
  if (type.endsWith('?')) return r.chance(0.5) ? null : valueOf(r, type.slice(0, -1), files);
  if (type === 'File') return { ...files.file(r), basename: undefined, ...(r.chance(0.2) ? { basename: 'named.txt' } : {}) };
  return type === 'Directory' ? files.directory(r) : r.pick(VALUES[type]);
}

export function longForm(type) {
  if (type.endsWith('[]')) return { type: 'array', items: longForm(item(type)) };
  return type.endsWith('?') ? ['null', longForm(type.slice(0, -1))] : type;
}

function pickProcess(r, files, depth) {
  if (depth === 0 || r.chance(0.75)) {
    const chosen = r.pick(PROCESSES);
    return { run: chosen.make(), takes: chosen.takes, gives: { o: chosen.gives } };
  }
  const { process } = makeWorkflow(r, files, depth - 1);
  const takes = {};
  for (const [name, input] of Object.entries(process.inputs)) {
    if (input.default !== undefined) continue;
    takes[name] = typeof input === 'string' ? input : shortForm(input.type);
  }
  return {
    run: process,
    takes,
    gives: Object.fromEntries(Object.entries(process.outputs).map(([name, output]) => [name, shortForm(output.type)])),
  };
}

function shortForm(type) {
  if (Array.isArray(type)) return `${shortForm(type[1])}?`;
  return typeof type === 'string' ? type : `${shortForm(type.items)}[]`;
}

function addStep(r, workflow, sources, files, depth) {
  const { run, takes, gives } = pickProcess(r, files, depth);
  const step = { run, in: {}, out: Object.keys(gives) };
  const scattered = [];
  for (const [name, type] of Object.entries(takes)) {
    const [link, over] = linkFor(r, sources, type, scattered.length < 2);
    if (link === undefined) return;
    step.in[name] = link;
    if (over) scattered.push(name);
  }
  let wrap = (type) => type;
  if (scattered.length > 0) {
    step.scatter = scattered.length === 1 && r.chance(0.5) ? scattered[0] : scattered;
    const method =
      scattered.length > 1
        ? r.pick(['nested_crossproduct', 'flat_crossproduct', 'dotproduct'])
        : r.pick([undefined, undefined, 'dotproduct', 'nested_crossproduct', 'flat_crossproduct']);
    if (method !== undefined) step.scatterMethod = method;
    wrap = method === 'nested_crossproduct' && scattered.length > 1 ? (type) => `${type}[][]` : (type) => `${type}[]`;
  }
  let maybe = (type) => type;
  if (r.chance(0.2)) {
    const asked = Object.keys(takes).find((name) => takes[name] === 'int' || takes[name] === 'string');
    step.when =
      asked === undefined
        ? r.pick(['$(true)', '$(false)', '$(1 === 1)'])
        : takes[asked] === 'int'
          ? `$(inputs.${asked} > 2)`
          : `$(inputs.${asked}.length > 1)`;
    maybe = (type) => (type.endsWith('?') ? type : `${type}?`);
  }
  if (r.chance(0.1)) step.hints = { ResourceRequirement: { coresMin: 1 } };
  const name = freshName(r.pick(['step', 'do_', 'Ab-c']));
  workflow.steps[name] = step;
  for (const [output, type] of Object.entries(gives)) sources.push({ ref: `${name}/${output}`, type: wrap(maybe(type)) });
}

/** A way to give an input its value, and whether the step scatters over it. */
function linkFor(r, sources, type, mayScatter) {
  const direct = sources.filter((source) => fits(source.type, type));
  const lists = mayScatter ? sources.filter((source) => source.type === `${type}[]`) : [];
  const nullable = sources.filter((source) => source.type === `${type}?`);
  const merged = type.endsWith('[]') && !item(type).endsWith('[]') ? sources.filter((source) => source.type === item(type)) : [];
  const ways = [];
  if (direct.length > 0) ways.push(() => [r.chance(0.5) ? r.pick(direct).ref : { source: r.pick(direct).ref }, false]);
  if (lists.length > 0) ways.push(() => [{ source: r.pick(lists).ref }, true]);
  if (nullable.length > 0 && direct.length > 0)
    ways.push(() => [{ source: [r.pick(nullable).ref, r.pick(direct).ref], pickValue: 'first_non_null' }, false]);
  if (nullable.length > 0 && VALUES[type]) ways.push(() => [{ source: r.pick(nullable).ref, default: r.pick(VALUES[type]) }, false]);
  if (merged.length > 0)
    ways.push(() => [
      { source: r.times(r.int(1, 3), () => r.pick(merged).ref), linkMerge: r.pick(['merge_nested', 'merge_flattened']) },
      false,
    ]);
  if (type.endsWith('[]') && direct.length > 0)
    ways.push(() => [{ source: [r.pick(direct).ref, r.pick(direct).ref], linkMerge: 'merge_flattened' }, false]);
  if (VALUES[type] !== undefined) {
    ways.push(() => [{ default: r.pick(VALUES[type]) }, false]);
    ways.push(() => [{ valueFrom: type === 'int' ? '$(1 + 1)' : r.pick(['plain', '$("a" + "b")', 'é$(1)']) }, false]);
    if (direct.length > 0)
      ways.push(() => [{ source: r.pick(direct).ref, valueFrom: type === 'int' ? '$(self * 2)' : 'pre-$(self)' }, false]);
    if (lists.length > 0) ways.push(() => [{ source: r.pick(lists).ref, valueFrom: type === 'int' ? '$(self + 1)' : '$(self)s' }, true]);
  }
  return ways.length === 0 ? [undefined, false] : r.pick(ways)();
}

function addOutputs(r, workflow, sources) {
  const made = sources.filter(({ ref }) => ref.includes('/'));
  for (const { ref, type } of made.length > 0 ? made : sources.slice(0, 1)) {
    const name = freshName('out');
    workflow.outputs[name] = { type: longForm(type), outputSource: ref };
  }
  const alike = made.filter(({ type }) => made.some((other) => other.type === type && other.ref));
  if (alike.length === 0 || r.chance(0.5)) return;
  const { type } = r.pick(alike);
  const refs = made.filter((source) => source.type === type).map(({ ref }) => ref);
  const output = { outputSource: refs, type: { type: 'array', items: longForm(type) } };
  if (type.endsWith('[]') && r.chance(0.6)) Object.assign(output, { linkMerge: 'merge_flattened', type: longForm(type) });
  else if (type.endsWith('?') && refs.length > 1 && r.chance(0.8))
    Object.assign(output, { pickValue: 'all_non_null', type: { type: 'array', items: longForm(type.slice(0, -1)) } });
  else if (refs.length === 1) output.linkMerge = 'merge_nested';
  workflow.outputs[freshName('all')] = output;
}
