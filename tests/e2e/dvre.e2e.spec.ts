/** The DVRE dialect's calls of its documents, letter by letter, on the whole system: what they submit runs to its end. */
import { createHash } from 'node:crypto';
import { describeWithDocker } from './docker.js';
import { Rest } from './rest.js';
import { Stack, START_TIMEOUT_MS } from './stack.js';

const CURL_TOOL =
  '#!/usr/bin/env cwl-runner\ncwlVersion: v1.0\nclass: CommandLineTool\nbaseCommand: echo\ninputs:\n  message:\n    type: string\n' +
  '    inputBinding:\n      position: 1\noutputs:\n  result:\n    type: stdout';
const CALLER = { 'X-User-Wallet': '0x123...', 'X-User-Role': 'coordinator' };
const PLACEHOLDER = 'cwl_content holds only comments: expected a CWL document with cwlVersion and class';

let stack: Stack;
let rest: Rest;

beforeAll(async () => {
  stack = await Stack.start();
  rest = new Rest(stack.url);
}, START_TIMEOUT_MS);
afterAll(() => stack.stop());

/** Follows a workflow to its end; its status afterwards. */
async function finished(workflowId: unknown): Promise<Record<string, unknown>> {
  await rest.untilEnd(String(workflowId));
  return (await rest.get(`/streamflow/status/${String(workflowId)}`)).body;
}

const ids = async (path: string): Promise<string[]> => {
  const { workflows } = (await rest.get(path)).body as { workflows: { workflow_id: string }[] };
  return workflows.map((workflow) => workflow.workflow_id);
};

/** SHA-1 as CWL writes it, of what echo prints. */
const checksum = (text: string): string => `sha1$${createHash('sha1').update(`${text}\n`).digest('hex')}`;

describe('POST /streamflow/submit', () => {
  it('runs the tool of the first example to COMPLETED', async () => {
    const { status, body } = await rest.post('/streamflow/submit', { cwl_workflow: CURL_TOOL, inputs: { message: 'CWL Test' } });
    expect([status, body]).toEqual([
      200,
      { workflow_id: expect.stringMatching(/^r-/), status: 'SUBMITTED', execution_engine: 'weft', deployment: 'local' },
    ]);
    expect(await finished(body['workflow_id'])).toMatchObject({
      status: 'COMPLETED',
      progress: 1,
      current_step: null,
      error: null,
      output: { result: { class: 'File', size: 9, checksum: checksum('CWL Test') } },
    });
  });

  it('runs the same as an object, with a caller and a deployment', async () => {
    const workflow = {
      cwlVersion: 'v1.0',
      class: 'CommandLineTool',
      baseCommand: 'echo',
      inputs: { message: { type: 'string', inputBinding: { position: 1 } } },
      outputs: { output: { type: 'stdout' } },
    };
    const call = { cwl_workflow: workflow, inputs: { message: 'Hello StreamFlow!' }, deployment: 'local' };
    const { body } = await rest.post('/streamflow/submit', call, CALLER);
    expect(await finished(body['workflow_id'])).toMatchObject({
      status: 'COMPLETED',
      deployment: 'local',
      output: { output: { class: 'File', size: 18, checksum: checksum('Hello StreamFlow!') } },
    });
  });

  it('says that a name is no workflow', async () => {
    const inputs = {
      model_file: '/tmp/trained_model.pkl',
      metadata: { accuracy: 0.92, epoch: 100 },
      contract_address: '0x1234567890abcdef...',
    };
    const { status, body } = await rest.post('/streamflow/submit', { cwl_workflow: 'ipfs-storage-workflow', inputs });
    const error = "cwl_workflow is the text 'ipfs-storage-workflow', not a CWL document with cwlVersion and class";
    expect([status, body]).toEqual([400, { error, code: 'INVALID_ARGUMENT' }]);
  });
});

describe('POST /streamflow/submit-project-workflow', () => {
  it.each([
    [
      'pneumonia-detection',
      '# CWL for DICOM preprocessing',
      { dicom_dataset: 'QmMedicalImages123', normalization: 'z_score', resize_dims: [224, 224] },
    ],
    [
      'contract-analysis',
      '# CWL for legal document NLP',
      { document_corpus: 'QmLegalDocs456', preprocessing: ['tokenization', 'entity_extraction'] },
    ],
  ])('refuses the placeholder of %s with one message and stores nothing', async (project, cwl, inputs) => {
    const call = { project_id: project, cwl_content: cwl, inputs, contract_address: '0xMedicalDALContract...' };
    const { status, body } = await rest.post('/streamflow/submit-project-workflow', call);
    expect([status, body]).toEqual([400, { error: PLACEHOLDER, code: 'INVALID_ARGUMENT' }]);
    expect(await ids(`/streamflow/projects/${project}/workflows`)).toEqual([]);
  });

  it("runs a project's workflow and lists it with its contract", async () => {
    const call = {
      project_id: 'medical-imaging-dal',
      cwl_content: CURL_TOOL,
      inputs: { message: 'for the project' },
      contract_address: '0x1234567890abcdef...',
      transaction_hash: '0xabcdef1234567890...',
    };
    const { body } = await rest.post('/streamflow/submit-project-workflow', call);
    expect(await finished(body['workflow_id'])).toMatchObject({ status: 'COMPLETED', contract_address: '0x1234567890abcdef...' });
    expect((await rest.get('/streamflow/projects/medical-imaging-dal/workflows')).body).toEqual({
      project_id: 'medical-imaging-dal',
      workflows: [
        {
          workflow_id: body['workflow_id'],
          status: 'COMPLETED',
          submitted_at: expect.any(String),
          project_id: 'medical-imaging-dal',
          contract_address: '0x1234567890abcdef...',
        },
      ],
      next_page_token: null,
    });
    expect(await ids('/streamflow/workflows')).toContain(body['workflow_id']);
    expect(await ids('/streamflow/workflows?dal_only=true')).not.toContain(body['workflow_id']);
  });
});

describeWithDocker('a workflow from a DAL template', () => {
  it(
    'runs to COMPLETED and is listed as one',
    async () => {
      const call = {
        project_id: 'test-project',
        use_dal_template: true,
        dal_workflow_type: 'train_query',
        deployment: 'docker',
        metadata: { al_config: { query_strategy: 'uncertainty_sampling', query_budget: 10 } },
      };
      const { status, body } = await rest.post('/streamflow/submit-project-workflow', call, CALLER);
      expect([status, body]).toEqual([200, expect.objectContaining({ workflow_id: expect.stringMatching(/^r-/), deployment: 'docker' })]);
      expect(await finished(body['workflow_id'])).toMatchObject({ status: 'COMPLETED', project_id: 'test-project' });
      expect(await ids('/streamflow/workflows?dal_only=true')).toEqual([body['workflow_id']]);
      expect(await ids('/streamflow/projects/test-project/workflows')).toEqual([body['workflow_id']]);
    },
    START_TIMEOUT_MS,
  );
});

it('GET /tree is its health page', async () => {
  expect(await rest.text('/tree')).toContain('weft is ready');
});
