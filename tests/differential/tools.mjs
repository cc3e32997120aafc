// CommandLineTools that tell everything they were given: arguments, environment, stdin and working directory go to stdout.
import { freshName, makeBinding, makeType, makeValue } from './values.mjs';

const ARGUMENTS = `for a in "$@"; do printf '<%s>\\n' "$a"; done | sed -E 's#/([^/<>,: ]*/)+#@/#g'`;
const ENVIRONMENT = `env | grep ^DIFF_ | LC_ALL=C sort | sed -E 's#/([^/<>,: ]*/)+#@/#g'`;
const TREE = `find -L . -mindepth 1 ! -name 'std*' | LC_ALL=C sort | while read -r f; do if [ -f "$f" ]; then printf '%s: ' "$f"; cat "$f"; echo; else echo "$f/"; fi; done`;
const MADE = {
  'r1.txt': 'first',
  'r2.txt': 'second',
  'r1.txt.idx': 'idx',
  'r1.idx': 'alt',
  'd/x.txt': 'x',
  'd/e/y.txt': 'y',
  'sp ace.txt': 'space',
  'num.txt': '42',
  'data.json': '{"k": [1, 2.5, null, "s"]}',
  '.hidden': 'h',
};

export function makeTool(r, files, { version = 'v1.2' } = {}) {
  const js = r.chance(0.65);
  const tool = { class: 'CommandLineTool', cwlVersion: version, requirements: {}, hints: {}, inputs: {}, outputs: {} };
  if (js)
    tool.requirements.InlineJavascriptRequirement = r.chance(0.2) ? { expressionLib: ['function twice(x) { return x + "" + x; }'] } : {};
  const job = {};
  addInputs(r, tool, job, files, js);
  const script = [];
  if (r.chance(0.3)) addWorkDir(r, tool, js);
  script.push(TREE, ARGUMENTS);
  if (r.chance(0.3)) {
    addEnvironment(r, tool, js);
    script.push(ENVIRONMENT);
  }
  const stdin = Object.keys(tool.inputs).find((name) => tool.inputs[name].type === 'File' && job[name] !== undefined);
  if (stdin !== undefined && r.chance(0.4)) {
    tool.stdin = `$(inputs.${stdin}.path)`;
    script.push('cat');
  }
  if (r.chance(0.2)) tool.requirements.ResourceRequirement = resources(r, js);
  const made = r.some(Object.keys(MADE), 0.6);
  for (const name of made) script.push(`mkdir -p "$(dirname '${name}')"; printf '%s' '${MADE[name]}' > '${name}'`);
  addOutputs(r, tool, made, js, script);
  tool.baseCommand = ['sh', '-c', script.join('\n'), 'sh'];
  addArguments(r, tool, js);
  if (r.chance(0.15)) tool.requirements.ShellCommandRequirement = {};
  return { process: tool, job };
}

function addInputs(r, tool, job, files, js) {
  for (const name of r.times(r.int(0, 5), () => freshName(r.pick(['in', 'x_', 'Reads', 'n'])))) {
    const type = makeType(r, r.int(0, 3));
    const input = { type };
    if (r.chance(0.75)) input.inputBinding = makeBinding(r, { js, type });
    if (type === 'File') fileFields(r, input, js);
    if (type === 'Directory' && r.chance(0.5)) input.loadListing = r.pick(['no_listing', 'shallow_listing', 'deep_listing']);
    if (r.chance(0.2))
      input.default = makeValue(r, type, {
        ...files,
        file: () => ({ class: 'File', location: (files.file(r).path ?? 'x').split('/').map(encodeURIComponent).join('/') }),
      });
    if (JSON.stringify(input.default ?? '').includes('"x"')) delete input.default;
    tool.inputs[name] = input;
    if (r.chance(0.9)) job[name] = makeValue(r, type, files);
  }
  for (const [name, input] of Object.entries(tool.inputs))
    if (job[name] === undefined && input.default === undefined && !nullable(input.type)) delete tool.inputs[name];
}

const nullable = (type) => Array.isArray(type) && type.includes('null');

function fileFields(r, input, js) {
  if (r.chance(0.35))
    input.secondaryFiles = r.pick([
      '.idx',
      ['.idx', '^.alt'],
      [{ pattern: '.nope', required: false }],
      ['.nope?', '.bak'],
      js ? '$(self.basename + ".idx")' : '.bak',
      js ? '${ return [self.basename + ".idx", self.basename + ".bak"]; }' : '^.alt',
      js ? '${ return null; }' : '.idx',
    ]);
  if (r.chance(0.15)) input.loadContents = true;
  if (r.chance(0.1)) input.streamable = true;
}

function addArguments(r, tool, js) {
  if (r.chance(0.5)) return;
  const names = Object.keys(tool.inputs);
  const name = r.pick(names.length > 0 ? names : ['']);
  const plain = [
    'lit',
    '$(runtime.cores)',
    'esc \\$(inputs.x)',
    { position: 2, prefix: '--arg', valueFrom: 'v' },
    { valueFrom: '', prefix: '-e' },
  ];
  const scripts = [
    '$(1 + 2)',
    '$("a".concat("b"))',
    '${ return [1, 2, "three"]; }',
    '$({a: 1}.a)x',
    '$(null)',
    '$(true)',
    { prefix: '-l', itemSeparator: '+', valueFrom: '$([1, 2, 3])' },
    { prefix: '-t', valueFrom: '$(true)' },
    { prefix: '-f', valueFrom: '$(false)' },
    { prefix: '-n', valueFrom: '$(null)' },
    { position: '$(-2)', valueFrom: '$(Object.keys(inputs).sort().join("|"))' },
  ];
  const inText = ['string', 'int'].includes(tool.inputs[name]?.type) ? [`<$(inputs['${name}'])>`] : [];
  const about = name === '' ? [] : [`$(inputs.${name})`, ...inText, ...(js ? [`$(typeof inputs.${name})`] : [])];
  const shell = [
    { shellQuote: false, valueFrom: 'a b' },
    { shellQuote: false, valueFrom: '"q" \'r\'' },
  ];
  tool.arguments = r.times(r.int(1, 3), () => r.pick([...plain, ...about, ...(js ? scripts : []), ...(r.chance(0.3) ? shell : [])]));
}

function addEnvironment(r, tool, js) {
  const envDef = {
    DIFF_A: r.pick(['plain', 'two words', 'a=b', '']),
    DIFF_B: r.pick(js ? ['$("1" + 1)', '$("x" + runtime.cores)'] : ['\\$(x)', 'n$(runtime.cores)']),
  };
  const name = Object.keys(tool.inputs).find((key) => tool.inputs[key].type === 'string');
  if (name !== undefined) envDef.DIFF_C = `<$(inputs.${name})>`;
  const requirement = r.chance(0.5) ? { envDef } : { envDef: Object.entries(envDef).map(([envName, envValue]) => ({ envName, envValue })) };
  tool[r.chance(0.8) ? 'requirements' : 'hints'].EnvVarRequirement = requirement;
}

function resources(r, js) {
  const cores = r.int(1, 2);
  return {
    coresMin: js && r.chance(0.3) ? `$(${cores - 1} + 1)` : cores,
    coresMax: cores,
    ramMin: 128,
    ramMax: 128,
    ...(r.chance(0.3) ? { tmpdirMin: 10, outdirMin: 10 } : {}),
  };
}

function addWorkDir(r, tool, js) {
  const file = Object.keys(tool.inputs).find((key) => tool.inputs[key].type === 'File' && tool.inputs[key].secondaryFiles === undefined);
  const folder = Object.keys(tool.inputs).find((key) => tool.inputs[key].type === 'Directory');
  const entries = [
    { entryname: 'script.sh', entry: 'echo $(runtime.cores)\n' },
    { entryname: 'sub dir/lit.txt', entry: 'text with \\$(escape)' },
    { entryname: 'conf.json', entry: '{"a": "b"}' },
    ...(js
      ? [
          { entryname: '$("n" + 1).txt', entry: '$([1, {"b": null}])' },
          { entryname: 'obj.json', entry: '$({"z": 1, "a": [true, 2.5]})' },
          '$(null)',
          '${ return [{class: "File", basename: "made.txt", contents: "made\\n"}]; }',
          '${ return {class: "Directory", basename: "madedir", listing: [{class: "File", basename: "in.txt", contents: "in"}]}; }',
          { entryname: 'five', entry: '$(5 + "")' },
        ]
      : []),
    ...(file
      ? [
          r.pick([
            `$(inputs.${file})`,
            { entry: `$(inputs.${file})`, entryname: 'given.txt' },
            { entry: `$(inputs.${file})`, writable: true },
          ]),
        ]
      : []),
    ...(folder ? [r.pick([`$(inputs.${folder})`, { entry: `$(inputs.${folder})`, entryname: 'given', writable: r.chance(0.5) }])] : []),
  ];
  const listing = r.some(r.shuffle(entries), 0.4);
  const unique = listing.filter((entry, index) => listing.findIndex((other) => nameOf(other) === nameOf(entry)) === index);
  tool.requirements.InitialWorkDirRequirement = {
    listing:
      js && r.chance(0.15) ? '${ return [{class: "File", basename: "whole.txt", contents: "whole"}, null].filter(Boolean); }' : unique,
  };
}

const nameOf = (entry) => (typeof entry === 'string' ? entry : (entry.entryname ?? entry.entry));

function addOutputs(r, tool, made, js, script) {
  if (r.chance(0.9)) {
    tool.outputs.told = r.chance(0.5) ? 'stdout' : { type: 'stdout' };
    tool.stdout = r.pick(['stdout.txt', 'stdout.txt', 'stdout $(runtime.cores)', 'std/out']);
    if (tool.stdout === 'std/out') tool.stdout = 'stdout.log';
  }
  if (r.chance(0.15)) {
    tool.outputs.complaints = 'stderr';
    tool.stderr = 'stderr.txt';
    script.push('echo complaint >&2');
  }
  const templates = [
    () => ({
      type: 'File[]',
      outputBinding: {
        glob: r.pick(['*.txt', ['*.txt', 'd/*.txt'], 'r?.txt', ['r2*', 'n*'], '[rn]*.txt', '*.*', 'nothing*', 'd/*/*', '?1*', '[!r]*.txt']),
      },
    }),
    () => ({
      type: 'File?',
      outputBinding: { glob: r.pick(['r1.txt', 'absent.txt', 'sp ace.txt', './r1.txt', 'd/e/y.txt']) },
      ...(r.chance(0.5)
        ? {
            secondaryFiles: r.pick([
              ['.idx?'],
              ['^.idx?', '.idx?'],
              [{ pattern: '.idx', required: false }],
              ...(js ? ['$(self.basename + ".idx")'] : []),
            ]),
          }
        : {}),
    }),
    () => ({ type: 'Directory?', outputBinding: { glob: r.pick(['d', 'd/', 'd/e']) } }),
    () => ({ type: 'Directory?', outputBinding: { glob: 'd', loadListing: r.pick(['no_listing', 'shallow_listing', 'deep_listing']) } }),
    () => ({
      type: ['null', 'Any'],
      outputBinding: {
        glob: r.pick(['r1.txt', '*.txt', 'd']),
        ...(js
          ? {
              outputEval: r.pick([
                '$(self.length)',
                '$(self.map(function(f) { return f.basename; }))',
                '$(self)',
                '$(self.length > 0 ? self[0] : null)',
                '$(self ? 0 : 0)',
              ]),
            }
          : {}),
      },
    }),
    ...(js && made.includes('num.txt') && made.includes('data.json')
      ? [
          () => ({ type: 'int', outputBinding: { glob: 'num.txt', loadContents: true, outputEval: '$(parseInt(self[0].contents))' } }),
          () => ({ type: 'Any', outputBinding: { glob: 'data.json', loadContents: true, outputEval: '$(JSON.parse(self[0].contents))' } }),
        ]
      : []),
    ...(js
      ? [
          () => ({
            type: r.pick(['int', 'long', 'double', 'Any']),
            outputBinding: { outputEval: r.pick(['$(3)', '${ return 1 + 1; }', '$(4.0)', '$(1e3)']) },
          }),
          () => ({
            type: ['null', 'string', { type: 'array', items: 'string' }],
            outputBinding: { outputEval: r.pick(['$(null)', '$("s")', '$(["a", "b"])', 'a$(1)b']) },
          }),
          () => ({ type: 'int', outputBinding: { outputEval: '$(runtime.exitCode)' } }),
          () => ({
            type: {
              type: 'record',
              fields: {
                n: { type: 'int', outputBinding: { outputEval: '$(1)' } },
                f: { type: 'File?', outputBinding: { glob: 'r1.txt' } },
                g: { type: 'File[]', outputBinding: { glob: '*.txt' }, secondaryFiles: ['.idx?'] },
              },
            },
          }),
        ]
      : []),
  ];
  for (let index = 0, count = r.int(0, 4); index < count; index += 1) tool.outputs[`o${index}`] = r.pick(templates)();
  const file = Object.keys(tool.inputs).find((key) => tool.inputs[key].type === 'File');
  if (js && file !== undefined && r.chance(0.2)) tool.outputs.back = { type: 'Any?', outputBinding: { outputEval: `$(inputs.${file})` } };
  if (r.chance(0.07)) {
    tool.outputs = { j: 'Any?' };
    delete tool.stdout;
    script.push(
      `printf '%s' '${r.pick(['{"j": {"class": "File", "path": "num.txt"}}', '{"j": [1, 2.5, "x", null]}', '{"j": {"class": "File", "location": "r1.txt"}}', '{"j": {"class": "Directory", "path": "d"}}', '{}'])}' > cwl.output.json`,
    );
  }
  if (r.chance(0.1)) {
    tool.successCodes = [0, 3];
    script.push('exit 3');
  }
}
