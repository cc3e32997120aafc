/** Documents with one mistake each (some with two, to see that both are told). */

const TOOL = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs:
  message:
    type: string
    inputBinding:
      position: 1
outputs: []
`;
const tool = (change: (text: string) => string): string => change(TOOL);
const ECHO = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs:
  message: string
  count: int?
outputs:
  said: stdout
`;
const workflow = (
  steps: string,
  outputs = '[]',
  inputs = '{text: string, texts: "string[]"}',
  requirements = '{}',
): Record<string, string> => ({
  'main.cwl': `cwlVersion: v1.2
class: Workflow
requirements: ${requirements}
inputs: ${inputs}
outputs: ${outputs}
steps:
${steps}`,
  'echo.cwl': ECHO,
});

export const DOCUMENTS: Readonly<Record<string, string | Record<string, string>>> = {
  'unknown field': tool((t) => t.replace('position', 'positon')),
  'unknown field without a neighbour': tool((t) => `${t}colour: red\n`),
  'two mistakes are both told': tool((t) => t.replace('position', 'positon').replace('baseCommand', 'baseComand')),
  'a misspelt required field is not also missing': tool((t) => t.replace('inputs:', 'input:')),
  'missing field': tool((t) => t.replace('outputs: []\n', '')),
  'empty required field': tool((t) => t.replace('outputs: []', 'outputs:')),
  'unknown class': tool((t) => t.replace('CommandLineTool', 'CommandlineTool')),
  'missing class': tool((t) => t.replace('class: CommandLineTool\n', '')),
  'missing version': tool((t) => t.replace('cwlVersion: v1.2\n', '')),
  'version as a number': tool((t) => t.replace('v1.2', '1.2')),
  'unsupported version': tool((t) => t.replace('v1.2', 'draft-3')),
  'expression that YAML takes apart': tool((t) => `${t}arguments:\n  - $(inputs.x ? "a" : null)\n`),
  'nothing more is said of an unsupported version': tool((t) => t.replace('v1.2', 'draft-3').replace('position', 'positon')),
  'key without a colon': tool((t) => t.replace('inputs:', 'inputs')),
  'brackets in flow text': tool((t) =>
    t.replace('inputs:', 'hints: {}\ninputs:').replace('type: string', 'type: {type: array, items: int[]}'),
  ),
  'not YAML': 'cwlVersion: v1.2\nclass: [CommandLineTool\ninputs: {}\n',
  'tab as indentation': 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs:\n\tx: string\n',
  'two documents': 'cwlVersion: v1.2\n---\nclass: Workflow\n',
  empty: '# nothing here\n',
  'not a mapping': 'just text\n',
  'duplicate key': tool((t) => `${t}baseCommand: cat\n`),
  'unknown alias': tool((t) => t.replace('string', '*text')),
  'alias in itself': 'cwlVersion: v1.2\nclass: CommandLineTool\nhints: &h [*h]\n',
  'not a finite number': tool((t) => t.replace('position: 1', 'position: .inf')),
  'number for a string': tool((t) => t.replace('baseCommand: echo', 'baseCommand: [echo, 5]')),
  'string for a number': tool((t) => t.replace('position: 1', 'position: first')),
  'string for a list': tool((t) => `${t}arguments: -n\n`),
  'mapping for a string': tool((t) => t.replace('baseCommand: echo', 'baseCommand: {run: echo}')),
  'invalid choice': tool((t) => `${t}requirements: {LoadListingRequirement: {loadListing: shallow_listin}}\n`),
  'unknown type': tool((t) => t.replace('type: string', 'type: strng')),
  'type of another language': tool((t) => t.replace('type: string', 'type: integer?')),
  'type with its parts beside it': tool((t) => t.replace('type: string', 'type: array\n    items: string')),
  'array without items': tool((t) => t.replace('type: string', 'type: {type: array}')),
  'enum symbols are strings': tool((t) => t.replace('type: string', 'type: {type: enum, symbols: [a, 1]}')),
  'record field without a type': tool((t) => t.replace('type: string', 'type: {type: record, fields: [{name: a}]}')),
  'recursive type': tool(
    (t) => `${t}requirements:\n  SchemaDefRequirement:\n    types:\n      - {name: tree, type: record, fields: {left: tree}}\n`,
  ),
  'stdout deep in a type': tool((t) => t.replace('outputs: []', 'outputs: {out: ["null", stdout]}')),
  'stdout with a binding': tool((t) => t.replace('outputs: []', 'outputs: {out: {type: stdout, outputBinding: {glob: x}}}')),
  'stdin twice': tool((t) => t.replace('type: string\n    inputBinding:\n      position: 1', 'type: stdin\n  other:\n    type: stdin')),
  'stdin and stdin': tool((t) => t.replace('type: string\n    inputBinding:\n      position: 1', 'type: stdin').concat('stdin: x.txt\n')),
  'duplicate id': `cwlVersion: v1.2\nclass: CommandLineTool\ninputs:\n  - {id: a, type: int}\n  - {id: a, type: int}\noutputs: []\n`,
  'item without an id': `cwlVersion: v1.2\nclass: CommandLineTool\ninputs:\n  - {type: int}\noutputs: []\n`,
  'misspelt requirement': tool((t) => `${t}requirements:\n  DokerRequirement: {dockerPull: alpine}\n`),
  'unsupported requirement': tool((t) => `${t}requirements:\n  - class: ex:Quantum\n`),
  'unknown hint': tool((t) => `${t}hints:\n  ex:Quantum: {}\n`),
  'requirement without a class': tool((t) => `${t}requirements:\n  - dockerPull: alpine\n`),
  'requirement twice': tool(
    (t) => `${t}requirements:\n  - {class: DockerRequirement, dockerPull: a}\n  - {class: DockerRequirement, dockerPull: b}\n`,
  ),
  'field of a hint': tool((t) => `${t}hints:\n  ResourceRequirement: {coreMin: 2}\n`),
  'symbol with a slash': tool((t) => t.replace('type: string', 'type: {type: enum, symbols: [x/a, "b#c", "#main/e/d"]}')),
  'two symbols that are one': tool((t) => t.replace('type: string', 'type: {type: enum, symbols: [x/a, y/a]}')),
  'field of a requirement': tool((t) => `${t}requirements:\n  ResourceRequirement: {coreMin: 2}\n`),
  'negative time limit': tool((t) => `${t}requirements:\n  ToolTimeLimit: {timelimit: -1}\n`),
  'environment value as a number': tool((t) => `${t}requirements:\n  EnvVarRequirement: {envDef: {DEPTH: 3}}\n`),
  'entryname out of the directory': tool(
    (t) => `${t}requirements:\n  InitialWorkDirRequirement: {listing: [{entryname: ../up, entry: x}]}\n`,
  ),
  'field of a later version': tool((t) => t.replace('v1.2', 'v1.0').replace('type: string', 'type: File\n    loadListing: no_listing')),
  'requirement of a later version': tool((t) => `${t.replace('v1.2', 'v1.0')}requirements:\n  NetworkAccess: {networkAccess: true}\n`),
  'fraction of a core before v1.2': tool((t) => `${t.replace('v1.2', 'v1.1')}requirements:\n  ResourceRequirement: {coresMin: .5}\n`),
  'import of nothing': tool((t) => t.replace('type: string', 'type: {$import: types.yml}')),
  'import of itself': {
    'main.cwl': tool((t) => t.replace('type: string', 'type: {$import: a.yml}')),
    'a.yml': '{$import: b.yml}',
    'b.yml': '{$import: a.yml}',
  },
  'graph without main': `cwlVersion: v1.2\n$graph:\n  - {id: a, class: Operation, inputs: [], outputs: []}\n  - {id: b, class: Operation, inputs: [], outputs: []}\n`,
  'run of nothing': workflow('  a: {run: eco.cwl, in: {message: text}, out: [said]}'),
  'run of itself': workflow('  a: {run: main.cwl, in: {}, out: []}', '[]', '[]', '{SubworkflowFeatureRequirement: {}}'),
  'run is no address': workflow('  a: {run: 5, in: {}, out: []}'),
  'mistake in a tool that is run': {
    ...workflow('  a: {run: bad.cwl, in: {message: text}, out: []}'),
    'bad.cwl': tool((t) => t.replace('position', 'positon')),
  },
  'source names no input': workflow('  a: {run: echo.cwl, in: {message: tex}, out: [said]}'),
  'source names a step': workflow('  a: {run: echo.cwl, in: {message: text}, out: [said]}', '{o: {type: File, outputSource: a}}'),
  'source names no step': workflow('  a: {run: echo.cwl, in: {message: text}, out: [said]}', '{o: {type: File, outputSource: b/said}}'),
  'source names no output': workflow('  a: {run: echo.cwl, in: {message: text}, out: [said]}', '{o: {type: File, outputSource: a/sad}}'),
  'output not listed': workflow('  a: {run: echo.cwl, in: {message: text}, out: []}', '{o: {type: File, outputSource: a/said}}'),
  'out names no output': workflow('  a: {run: echo.cwl, in: {message: text}, out: [sayd]}'),
  'misspelt step input': workflow('  a: {run: echo.cwl, in: {mesage: text}, out: [said]}'),
  'required input left out': workflow('  a: {run: echo.cwl, in: {}, out: [said]}'),
  'required input without a source': workflow('  a: {run: echo.cwl, in: {message: {label: x}}, out: [said]}'),
  'unused step input': workflow('  a: {run: echo.cwl, in: {message: text, other: text}, out: [said]}'),
  cycle: workflow(
    '  a: {run: &t {class: Operation, inputs: {i: Any}, outputs: {o: Any}}, in: {i: c/o}, out: [o]}\n  b: {run: *t, in: {i: a/o}, out: [o]}\n  c: {run: *t, in: {i: b/o}, out: [o]}',
  ),
  'step that waits for itself': workflow('  a: {run: {class: Operation, inputs: {i: Any}, outputs: {o: Any}}, in: {i: a/o}, out: [o]}'),
  'scatter over nothing': workflow(
    '  a: {run: echo.cwl, scatter: mesage, in: {message: texts}, out: [said]}',
    '[]',
    undefined,
    '{ScatterFeatureRequirement: {}}',
  ),
  'scatter without a method': workflow(
    '  a: {run: echo.cwl, scatter: [message, count], in: {message: texts, count: {default: [1]}}, out: [said]}',
    '[]',
    undefined,
    '{ScatterFeatureRequirement: {}}',
  ),
  'scatter without its feature': workflow('  a: {run: echo.cwl, scatter: message, in: {message: texts}, out: [said]}'),
  'several sources without their feature': workflow(
    '  a: {run: echo.cwl, in: {message: {source: [text, text], pickValue: first_non_null}}, out: [said]}',
  ),
  'valueFrom without its feature': workflow('  a: {run: echo.cwl, in: {message: {valueFrom: hello}}, out: [said]}'),
  'subworkflow without its feature': workflow('  a: {run: {class: Workflow, inputs: [], outputs: [], steps: []}, in: [], out: []}'),
  'types that cannot fit': workflow('  a: {run: echo.cwl, in: {message: text, count: text}, out: [said]}'),
  'list for one': workflow('  a: {run: echo.cwl, in: {message: texts}, out: [said]}'),
  'null for something': workflow('  a: {run: echo.cwl, in: {message: text}, out: [said]}', '[]', '{text: string?}'),
  'output type that cannot fit': workflow(
    '  a: {run: echo.cwl, in: {message: text}, out: [said]}',
    '{o: {type: int, outputSource: a/said}}',
  ),
  'when before v1.2': {
    'main.cwl':
      workflow('  a: {run: echo.cwl, when: $(true), in: {message: text}, out: [said]}')['main.cwl']?.replace('v1.2', 'v1.1') ?? '',
    'echo.cwl': ECHO,
  },
  'when is no expression': workflow('  a: {run: echo.cwl, when: true, in: {message: text}, out: [said]}'),
  'JavaScript without its requirement': tool((t) => `${t}arguments: [$(inputs.message + "!"), "\${return 1;}"]\n`),
  'JavaScript in a step without its requirement': workflow(
    '  a: {run: echo.cwl, in: {message: {source: text, valueFrom: $(self.toUpperCase())}}, out: [said]}',
    '[]',
    undefined,
    '{StepInputExpressionRequirement: {}}',
  ),
  'JavaScript in a tool that nobody gives it': {
    ...workflow('  a: {run: tool.cwl, in: {message: text}, out: []}'),
    'tool.cwl': tool((t) => `${t}stdout: $(inputs.message.split(" ")[0])\n`),
  },
  'absolute entryname without a container': tool(
    (t) =>
      `${t}requirements:\n  InitialWorkDirRequirement: {listing: [{entryname: /etc/x, entry: x}]}\nhints: {DockerRequirement: {dockerPull: alpine}}\n`,
  ),
  'container without an image': tool((t) => `${t}requirements:\n  DockerRequirement: {}\n`),
  'image name with a scheme': tool((t) => `${t}requirements:\n  DockerRequirement: {dockerPull: "docker://debian:stable"}\n`),
  'image name that is an address': tool((t) => `${t}hints:\n  DockerRequirement: {dockerPull: "../127.0.0.1:2375/x?y="}\n`),
  'image name with capitals': tool((t) => `${t}requirements:\n  DockerRequirement: {dockerImageId: "Tools/Aligner:1"}\n`),
  'relative output directory in a container': tool(
    (t) => `${t}requirements:\n  DockerRequirement: {dockerPull: alpine, dockerOutputDirectory: out}\n`,
  ),
  'maximum below minimum': tool((t) => `${t}requirements:\n  ResourceRequirement: {ramMin: 4096, ramMax: 1024}\n`),
  'output listed twice': workflow('  a: {run: echo.cwl, in: {message: text}, out: [said, said]}'),
  'scatter over the same input twice': workflow(
    '  a: {run: echo.cwl, scatter: [message, message], scatterMethod: dotproduct, in: {message: texts}, out: [said]}',
    '[]',
    undefined,
    '{ScatterFeatureRequirement: {}}',
  ),
  'two processes of one name': `cwlVersion: v1.2\n$graph:\n  - {id: main, class: Operation, inputs: [], outputs: []}\n  - {id: main, class: Operation, inputs: [], outputs: []}\n`,
  'default of more than 64 bits': tool((t) => t.replace('type: string', 'type: long\n    default: 9223372036854775808')),
  'unknown process of another file': {
    'main.cwl': workflow('  a: {run: "tools.cwl#ecko", in: {message: text}, out: []}')['main.cwl'] ?? '',
    'tools.cwl': `cwlVersion: v1.2\n$graph:\n  - {id: echo, class: Operation, inputs: {message: string}, outputs: []}\n  - {id: cat, class: Operation, inputs: [], outputs: []}\n`,
  },
  'loop before v1.3': workflow('  a: {run: echo.cwl, loop: {message: said}, in: {message: text}, out: [said]}'),
};
