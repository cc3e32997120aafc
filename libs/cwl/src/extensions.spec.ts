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

test('without its prefix an extension is not known', async () => {
  const { diagnostics } = await loadText(TOOL('requirements', 'Secrets: {secrets: [password]}'));
  expect(diagnostics).toMatchObject([{ code: 'unsupported-requirement' }]);
});
