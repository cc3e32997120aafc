import type { CwlObject, Process } from '@weft/plan';
import { bundleFetcher, formatDiagnostic, jobWithOverrides, loadDocument, overridesOfJob, parseJob } from './index.js';
import { BASE } from './spec-support/load-text.js';

const FILES: Record<string, string> = {
  'main.cwl': `cwlVersion: v1.2
class: Workflow
inputs: []
outputs: []
steps:
  one: {in: {}, out: [], run: tools/echo.cwl}
  two: {in: {}, out: [], run: {class: CommandLineTool, baseCommand: "true", inputs: [], outputs: [], requirements: {EnvVarRequirement: {envDef: {A: own}}}}}
`,
  'tools/echo.cwl': `cwlVersion: v1.2
class: CommandLineTool
id: echo
baseCommand: [sh, -c]
arguments: ['echo $(inputs.x)']
hints: {EnvVarRequirement: {envDef: {A: hint}}}
inputs: []
outputs: []
`,
  'graph.cwl': `cwlVersion: v1.2
$graph:
- {id: main, class: Workflow, inputs: [], outputs: [], steps: {go: {in: {}, out: [], run: '#tool'}}}
- {id: tool, class: CommandLineTool, baseCommand: "true", inputs: [], outputs: []}
`,
};

async function overridden(job: string, root = 'main.cwl'): Promise<{ processes: Record<string, Process>; told: string[] }> {
  const files = Object.fromEntries(Object.entries(FILES).map(([name, text]) => [BASE + name, text]));
  const overrides = overridesOfJob(parseJob(job, `${BASE}job.yml`));
  const { plan, diagnostics } = await loadDocument(BASE + root, bundleFetcher(files), { overrides });
  return { processes: plan?.processes ?? {}, told: diagnostics.map((d) => formatDiagnostic(d, '/work')) };
}

const envOf = (part: { requirements: unknown[] } | undefined): unknown => part?.requirements;
const A = (value: string): CwlObject => ({ class: 'EnvVarRequirement', envDef: [{ envName: 'A', envValue: value }] });
const forTarget = (target: string): string => `cwltool:overrides: {${target}: {requirements: {EnvVarRequirement: {envDef: {A: new}}}}}`;

it.each<[string, string, string, string | undefined]>([
  ['a document', 'main.cwl', 'main.cwl', undefined],
  ['a document by its id', 'tools/echo.cwl#echo', 'tools/echo.cwl', undefined],
  ['a tool of another document', 'tools/echo.cwl', 'tools/echo.cwl', undefined],
  ['a tool by its whole address', `${BASE}tools/echo.cwl`, 'tools/echo.cwl', undefined],
  ['a step', "'main.cwl#one'", 'main.cwl', 'one'],
  ['a step of the document that is run', "'#one'", 'main.cwl', 'one'],
])('%s is overridden', async (_what, target, key, step) => {
  const { processes, told } = await overridden(forTarget(target));
  const process = processes[key];
  const part = step === undefined || process?.class !== 'Workflow' ? process : process.steps.find(({ name }) => name === step);
  expect([told, envOf(part)]).toEqual([[], [A('new')]]);
  // Nothing else is.
  const all = Object.values(processes).flatMap((one) => [one, ...(one.class === 'Workflow' ? one.steps : [])]);
  expect(all.filter((one) => one.requirements.some((r) => JSON.stringify(r).includes('"new"')))).toEqual([part]);
});

it.each([
  ["'#main'", 'graph.cwl#main', undefined],
  ["'#main/go'", 'graph.cwl#main', 'go'],
  ['graph.cwl#tool', 'graph.cwl#tool', undefined],
])('%s of a $graph is overridden', async (target, key, step) => {
  const { processes, told } = await overridden(forTarget(target), 'graph.cwl');
  const process = processes[key];
  const part = step === undefined || process?.class !== 'Workflow' ? process : process.steps.find(({ name }) => name === step);
  expect([told, envOf(part)]).toEqual([[], [A('new')]]);
});

it('the list form and any prefix are taken, the last counts, and it counts above what the process says', async () => {
  const job = `$namespaces: {ct: 'http://commonwl.org/cwltool#'}
ct:overrides:
- {overrideTarget: 'main.cwl#two/run', requirements: [{class: EnvVarRequirement, envDef: {A: first}}, {class: NetworkAccess, networkAccess: true}]}
- {overrideTarget: 'main.cwl#two/run', requirements: [{class: EnvVarRequirement, envDef: {A: second}}]}
`;
  const { processes, told } = await overridden(job);
  expect(told).toEqual([]);
  expect(processes['main.cwl#two/run']?.requirements).toEqual([{ class: 'NetworkAccess', networkAccess: true }, A('second')]);
});

it('of a file of their own count where the job says nothing', async () => {
  const further = parseJob(
    `cwltool:overrides:
  '#one': {requirements: {EnvVarRequirement: {envDef: {A: new}}}}
  tools/echo.cwl: {requirements: {EnvVarRequirement: {envDef: {A: file}}}}
`,
    `${BASE}o.yml`,
  );
  const both = jobWithOverrides({ 'cwltool:overrides': { 'tools/echo.cwl': { requirements: [A('job')] } }, x: 1 }, further);
  expect(both['x']).toBe(1);
  const { processes, told } = await overridden(JSON.stringify(both));
  expect(told).toEqual([]);
  const root = processes['main.cwl'];
  expect(root?.class === 'Workflow' ? envOf(root.steps[0]) : undefined).toEqual([A('new')]);
  expect(envOf(processes['tools/echo.cwl'])).toEqual([A('job')]);
});

it('what the document lacks may come from an override', async () => {
  const js = 'cwltool:overrides: {tools/echo.cwl: {requirements: {InlineJavascriptRequirement: {}}}}';
  expect((await overridden(js)).processes['tools/echo.cwl']?.requirements).toEqual([
    { class: 'InlineJavascriptRequirement', expressionLib: [] },
  ]);
});

it.each<[string, string]>([
  [
    forTarget('ecko.cwl'),
    "job.yml:1:21: error: the override for 'ecko.cwl' is for no document that is run here, and would change nothing; there are: ",
  ],
  [forTarget("'#oen'"), "job.yml:1:21: error: the override for '#oen' is for no process or step, and would change nothing"],
  [forTarget('tools/ecko.cwl'), "did you mean 'tools/echo.cwl'?"],
  ['cwltool:overrides: {main.cwl: {hints: {}}}', "job.yml:1:32: error: an override has 'requirements' alone, not 'hints'"],
  ['cwltool:overrides: {main.cwl: {}}', "an override needs 'requirements'"],
  ['cwltool:overrides: {main.cwl: }', "an override needs 'requirements'"],
  ['cwltool:overrides: {main.cwl: 3}', "job.yml:1:31: error: an override must hold 'requirements', not be the number 3"],
  ['cwltool:overrides: 3', "job.yml:1:20: error: 'cwltool:overrides' must map processes to their requirements, not be the number 3"],
  ['cwltool:overrides: [{requirements: {}}]', "job.yml:1:21: error: an item of 'cwltool:overrides' needs 'overrideTarget'"],
  [
    'cwltool:overrides: {main.cwl: {requirements: {EnvVarRequirment: {}}}}',
    "job.yml:1:47: error: there is no requirement 'EnvVarRequirment'; did you mean",
  ],
  ['cwltool:overrides: {main.cwl: {requirements: {EnvVarRequirement: {}}}}', "needs the field 'envDef'"],
  ['cwltool:overrides: {main.cwl: {requirements: {SchemaDefRequirement: {types: []}}}}', "'SchemaDefRequirement' cannot be overridden"],
])('%s is refused', async (job, message) => {
  const { processes, told } = await overridden(job);
  expect(processes).toEqual({});
  expect(told.join('\n')).toContain(message);
});

it('an override that another requirement hides is told', async () => {
  const { told } = await overridden(forTarget("'main.cwl#two'"));
  expect(told).toEqual([
    "job.yml:1:21: warning: the override of 'EnvVarRequirement' for step 'two' changes nothing: the process that it runs has its own; override 'main.cwl#two/run' instead",
  ]);
});
