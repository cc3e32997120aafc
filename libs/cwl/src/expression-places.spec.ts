/** Where expressions were written: of every way to write one, the character that is told is the one that is meant. */
import type { Plan } from '@weft/plan';
import { originsOfExpression } from './expression-places.js';
import { planOf } from './spec-support/load-text.js';

const HEAD = `cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {} }
inputs: []
outputs: []
`;

function characterAt(files: Record<string, string>, plan: Plan, text: string, offset: number): string | undefined {
  const [origin, ...more] = originsOfExpression(plan, plan.root, text, offset);
  expect(more).toEqual([]);
  return origin && files[origin.file]?.split(/\r?\n/)[origin.line - 1]?.slice(origin.column - 1);
}

it.each([
  ['plain', 'baseCommand: $(1 + x.y)\n', '$(1 + x.y)'],
  ['plain with text around', 'baseCommand: a $(1) b $(x)\n', 'a $(1) b $(x)'],
  ['double quotes', 'baseCommand: "$(1 + x)"\n', '$(1 + x)'],
  ['single quotes', "baseCommand: '$(1 + x)'\n", '$(1 + x)'],
  ['in a flow sequence', 'arguments: [a, $(x), "$(y)"]\n', '$(y)'],
  ['a block', 'baseCommand: |\n  ${\n    var a = 1;\n\n    return a.b;\n  }\n', '${\n  var a = 1;\n\n  return a.b;\n}\n'],
  ['a block behind empty lines', 'baseCommand: |-\n\n\n  ${\n    return x;\n  }\n', '\n\n${\n  return x;\n}'],
  ['a block with a comment in its head', 'arguments:\n  - |  # text\n   $(\n     x)\n', '$(\n  x)\n'],
  ['a block of equal lines', 'baseCommand: |\n  $(1)\n  $(1)\n  $(x)\n', '$(1)\n$(1)\n$(x)\n'],
  ['a block that says its indentation', 'baseCommand: |2\n  $(1)\n   $(x)\n', '$(1)\n $(x)\n'],
])('%s', async (_, field, text) => {
  for (const [name, source] of Object.entries({ lf: HEAD + field, crlf: (HEAD + field).replaceAll('\n', '\r\n') })) {
    const files = { 'main.cwl': source };
    const plan = await planOf(files);
    for (const [offset, char] of [...text].entries()) {
      if (char.trim() === '') continue;
      const rest = text.slice(offset).split('\n')[0] ?? '';
      expect([name, offset, characterAt(files, plan, text, offset)?.slice(0, rest.length)]).toEqual([name, offset, rest]);
    }
  }
});

it.each([
  ['a folded block', 'baseCommand: >\n  $(1 +\n  x)\n', '$(1 + x)\n', '>'],
  ['escapes', 'baseCommand: "$(\\"a\\")"\n', '$("a")', '"$('],
  ['several lines in quotes', 'baseCommand: "$(1 +\n  x)"\n', '$(1 + x)', '"$('],
  ['a block whose indentation is more than it says', 'baseCommand: |1\n  $(1)\n $(x)\n', ' $(1)\n$(x)\n', '$(1)'],
])('%s: where it begins is told', async (_, field, text, begin) => {
  const files = { 'main.cwl': HEAD + field };
  const plan = await planOf(files);
  for (const offset of [1, text.length - 2]) expect(characterAt(files, plan, text, offset)?.startsWith(begin)).toBe(true);
});

describe('in which file', () => {
  const files = {
    'main.cwl': `cwlVersion: v1.2
class: Workflow
requirements:
  StepInputExpressionRequirement: {}
  InlineJavascriptRequirement: { expressionLib: [ "var f = 1;", { $include: lib.js } ] }
inputs: []
outputs: []
hints:
  EnvVarRequirement: { envDef: { A: $(inputs.b) } }
steps:
  one: { in: { a: { valueFrom: $(1 + 1) } }, out: [], run: sub/tool.cwl, when: $(inputs.a > 2) }
  two:
    in: {}
    out: []
    run:
      class: ExpressionTool
      inputs: []
      outputs: []
      expression: $(inner)
`,
    'lib.js': 'function g() {\n  return 1;\n}\n',
    'sub/tool.cwl': `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [echo, a]
inputs:
  a: { type: Any, inputBinding: { valueFrom: { $import: expression.yml } } }
outputs:
  o: { type: File?, outputBinding: { glob: $(twice) }, secondaryFiles: [ $(self.basename).x? ] }
  p: { type: File?, outputBinding: { glob: $(twice) } }
`,
    'sub/expression.yml': '\n$(imported)\n',
  };
  const [root, tool, inline] = ['main.cwl', 'sub/tool.cwl', 'main.cwl#two/run'];

  it.each([
    [root, '$(1 + 1)', ['main.cwl:11']],
    [root, '$(inputs.a > 2)', ['main.cwl:11']],
    [root, 'var f = 1;', ['main.cwl:5']],
    [root, 'function g() {\n  return 1;\n}\n', ['main.cwl:5']],
    [root, '$(inputs.b)', ['main.cwl:9']],
    // Inherited.
    [tool, '$(inputs.b)', ['main.cwl:9']],
    [inline, '$(inner)', ['main.cwl:19']],
    [tool, '$(imported)', ['sub/expression.yml:2']],
    [tool, '$(twice)', ['sub/tool.cwl:7', 'sub/tool.cwl:8']],
    [tool, '$(self.basename).x', ['sub/tool.cwl:7']],
    [tool, 'echo', []],
    [root, '$(not there)', []],
  ])('%s: %j', async (process, text, places) => {
    const plan = await planOf(files);
    expect(originsOfExpression(plan, process, text).map(({ file, line }) => `${file}:${line}`)).toEqual(places);
  });
});

it('is told where it can be, and does not make a plan large', async () => {
  const tool = (n: number): string => `{ class: ExpressionTool, id: t${n}, inputs: [], outputs: [], expression: $(${n}) }`;
  const args = Array.from({ length: 30_000 }, (_, n) => `  - $(${n} + 1)\n`).join('');
  const plan = await planOf(`${HEAD}arguments:\n${args}`);
  expect(originsOfExpression(plan, plan.root, '$(7 + 1)')).toHaveLength(1);
  expect(originsOfExpression(plan, plan.root, '$(29999 + 1)')).toEqual([]);
  const places = Object.values(plan.processes).flatMap(({ expressionsAt = {} }) => Object.values(expressionsAt).flat());
  expect(places.length).toBe(20_000);
  const same = Array.from({ length: 100 }, () => '  - $(inputs)\n').join('');
  const often = await planOf(`${HEAD}arguments:\n${same}`);
  expect(originsOfExpression(often, often.root, '$(inputs)')).toHaveLength(3);
  const graph = await planOf(`cwlVersion: v1.2\n$graph:\n  - ${tool(1).replace('t1', 'main')}\n  - ${tool(2)}\n`);
  expect(originsOfExpression(graph, graph.root, '$(1)')).toMatchObject([{ file: 'main.cwl', line: 3 }]);
});
