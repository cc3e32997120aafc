/** What cwltool added to CWL is accepted under its prefix, as requirement and as hint; SoftwareRequirement does no harm. */
import { loadText } from './spec-support/load-text.js';

const TOOL = (where: string, item: string): string => `cwlVersion: v1.2
class: CommandLineTool
$namespaces: {cwltool: "http://commonwl.org/cwltool#"}
baseCommand: "true"
${where}:
  ${item}
inputs: {password: string}
outputs: []
`;

test.each([
  ['cwltool:Secrets: {secrets: [password]}', { class: 'SecretsRequirement', secrets: ['password'] }],
  [
    'cwltool:CUDARequirement: {cudaVersionMin: "11.4", cudaComputeCapability: "3.0", cudaDeviceCount: 2}',
    { class: 'CUDARequirement', cudaDeviceCountMin: 2, cudaVersionMin: '11.4', cudaComputeCapability: '3.0' },
  ],
  ['cwltool:ShmSize: {shmSize: 512m}', { class: 'ShmSize', shmSize: '512m' }],
  ['cwltool:ShmSize: {shmSize: $(inputs.password)}', { class: 'ShmSize', shmSize: '$(inputs.password)' }],
  ['cwltool:ShmSize: {}', { class: 'ShmSize', shmSize: '64m' }],
  ['cwltool:TimeLimit: {timelimit: 5}', { class: 'ToolTimeLimit', timelimit: 5 }],
  ['SoftwareRequirement: {packages: {samtools: {version: ["1.0"], specs: ["https://x.org/s"]}}}', { class: 'SoftwareRequirement' }],
  ['SoftwareRequirement: {packages: {samtools: ["https://x.org/s"]}}', { class: 'SoftwareRequirement' }],
  ['SoftwareRequirement: {packages: [{package: samtools}]}', { class: 'SoftwareRequirement' }],
])('%s', async (item, requirement) => {
  for (const where of ['requirements', 'hints'] as const) {
    const { plan, diagnostics } = await loadText(TOOL(where, item));
    expect(diagnostics).toEqual([]);
    expect(plan?.processes[plan.root]?.[where]).toEqual([requirement]);
  }
});

const NOT_HERE: [string, string, string][] = [
  [
    'a size that is none',
    TOOL('hints', 'cwltool:ShmSize: {shmSize: 64 megabytes}'),
    "'shmSize' must be a whole number from 1 with b, k, m or g behind it, as in 512m, not '64 megabytes'",
  ],
  ['MPIRequirement', TOOL('requirements', 'cwltool:MPIRequirement: {processes: 4}'), 'write mpirun into the command line'],
  [
    'MPIRequirement, by its whole name',
    TOOL('requirements', '"http://commonwl.org/cwltool#MPIRequirement": {processes: 4}'),
    'write mpirun into the command line',
  ],
  [
    'ProcessGenerator',
    'cwlVersion: v1.2\nclass: cwltool:ProcessGenerator\n$namespaces: {cwltool: "http://commonwl.org/cwltool#"}\ninputs: []\noutputs: []\n',
    'run its tool alone, then the document that it wrote',
  ],
];
test.each(NOT_HERE)('%s: what does it here is told', async (_, text, said) => {
  const { diagnostics } = await loadText(text);
  expect(diagnostics).toMatchObject([{ severity: 'error' }]);
  expect(`${diagnostics[0]?.message}; ${diagnostics[0]?.hint}`).toContain(said);
});

test('without its prefix an extension is not known', async () => {
  const { diagnostics } = await loadText(TOOL('requirements', 'Secrets: {secrets: [password]}'));
  expect(diagnostics).toMatchObject([{ code: 'unsupported-requirement' }]);
});
