/** The DVRE dialect as its documents' curl examples send it, over a real port. */
import { al, run, type scheduler as schedulerProto } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import * as schemas from '../src/dvre/streamflow.schemas.js';
import { AT } from './fake-scheduler.js';
import { call, startHarness, type Answer, type Harness } from './harness.js';

const CURL_TOOL =
  '#!/usr/bin/env cwl-runner\ncwlVersion: v1.0\nclass: CommandLineTool\nbaseCommand: echo\ninputs:\n  message:\n    type: string\n    inputBinding:\n      position: 1\noutputs:\n  result:\n    type: stdout';
const CALLER = { 'X-User-Wallet': '0x123...', 'X-User-Role': 'coordinator' };

let harness: Harness;
const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  call(harness.url, 'POST', path, body, headers);
const get = (path: string): Promise<Answer> => call(harness.url, 'GET', path);
const submitted = (): schedulerProto.SubmitRunRequest => harness.scheduler.last('submitRun');

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());
beforeEach(() => {
  harness.scheduler.reset();
  harness.al.reset();
});

describe('POST /streamflow/submit', () => {
  it('takes the first curl example', async () => {
    const answer = await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, inputs: { message: 'CWL Test' } });
    expect(answer.status).toBe(200);
    expect(schemas.SubmittedWorkflow.parse(answer.body)).toEqual({
      workflow_id: [...harness.scheduler.runs.keys()][0],
      status: 'SUBMITTED',
      execution_engine: 'weft',
      deployment: 'local',
    });
    expect(submitted()).toMatchObject({
      document: { files: { 'inline:///workflow.cwl': CURL_TOOL } },
      inputsJson: '{"message":"CWL Test"}',
      pool: 'default',
      labels: { dialect: 'dvre', deployment: 'local' },
    });
  });

  it.each([
    [{ cache: true }, { cache: true, noCache: false }],
    [{ cache: false }, { cache: false, noCache: true }],
    [{}, { cache: false, noCache: false }],
  ])('asks for results of earlier tasks as the caller does: %j', async (asked, options) => {
    await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, ...asked });
    expect(submitted().options).toMatchObject(options);
  });

  it('carries whole numbers of 64 bits', async () => {
    await post('/streamflow/submit', `{"cwl_workflow": {"cwlVersion": "v1.2"}, "inputs": {"n": -9223372036854775808}}`);
    expect(submitted()).toMatchObject({ inputsJson: '{"n":-9223372036854775808}' });
  });

  it('names no more of the unknown fields than anybody reads', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, 'x']));
    const { status, body } = await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, ...unknown });
    expect(status).toBe(200);
    expect(body['warnings']).toHaveLength(51);
    expect((body['warnings'] as string[]).at(-1)).toBe('4950 more unknown fields were ignored');
  });

  it('passes on a large workflow as it was written', async () => {
    const cwl = `{"cwlVersion":"v1.2","x":[${'1, '.repeat(30_000)}1]}`;
    expect((await post('/streamflow/submit', `{"cwl_workflow":${cwl},"inputs":{"n":1}}`)).status).toBe(200);
    expect(submitted()).toMatchObject({ inputsJson: '{"n":1}', document: { files: { 'inline:///workflow.cwl': cwl } } });
  });

  it('says when to come again where there is no room for another run', async () => {
    harness.scheduler.failNext = new ServiceError('RESOURCE_EXHAUSTED', 'full', undefined, { retryAfterMs: 500 });
    const refused = await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, inputs: { message: 'later' } });
    expect(refused).toMatchObject({ status: 429, body: { error: 'full' } });
    expect(refused.headers.get('retry-after')).toBe('1');
  });

  it('takes a workflow as an object with deployment and caller', async () => {
    const cwl = {
      cwlVersion: 'v1.0',
      class: 'CommandLineTool',
      baseCommand: 'echo',
      inputs: { message: { type: 'string', inputBinding: { position: 1 } } },
      outputs: { output: { type: 'stdout' } },
    };
    const body = { cwl_workflow: cwl, inputs: { message: 'Hello StreamFlow!' }, deployment: 'local' };
    expect(await post('/streamflow/submit', body, CALLER)).toMatchObject({ status: 200, body: { status: 'SUBMITTED' } });
    expect(JSON.parse(submitted().document?.files['inline:///workflow.cwl'] ?? '')).toEqual(cwl);
    expect(submitted().labels).toMatchObject({ user_wallet: '0x123...', user_role: 'coordinator' });
  });

  it.each([
    ['docker', 'default'],
    ['local', 'default'],
    ['gpu-cluster', 'gpu-cluster'],
  ])('runs deployment %s in pool %s', async (deployment, pool) => {
    expect((await post('/streamflow/submit', { cwl_content: CURL_TOOL, deployment })).body['deployment']).toBe(deployment);
    expect(submitted().pool).toBe(pool);
  });

  it('says what it ignored and what the document warns of', async () => {
    harness.scheduler.warnings = [run.Diagnostic.fromPartial({ file: 'inline:///workflow.cwl', line: 2, message: 'hint x is ignored' })];
    const answer = await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, colour: 'red' });
    expect(answer.body['warnings']).toEqual(["unknown field 'colour' was ignored", 'inline:///workflow.cwl:2: hint x is ignored']);
  });

  it.each<[string, object, string]>([
    [
      'the IPFS example, whose workflow is only a name',
      { cwl_workflow: 'ipfs-storage-workflow', inputs: { model_file: '/tmp/trained_model.pkl' } },
      "cwl_workflow is the text 'ipfs-storage-workflow', not a CWL document with cwlVersion and class",
    ],
    ['no workflow', { inputs: {} }, 'no workflow: give it as cwl_workflow (text or object) or cwl_content (text)'],
    [
      'a misspelt one',
      { cwl_contnet: CURL_TOOL },
      "no workflow: give it as cwl_workflow (text or object) or cwl_content (text); unknown field 'cwl_contnet', did you mean 'cwl_content'?",
    ],
    ['two', { cwl_workflow: CURL_TOOL, cwl_content: CURL_TOOL }, 'give cwl_workflow or cwl_content, not both'],
    [
      'a role nobody has',
      { cwl_workflow: CURL_TOOL, user_role: 'king' },
      "user_role: 'king' is none of coordinator, contributor, observer",
    ],
  ])('refuses %s with one clear 400', async (_what, body, error) => {
    expect(await post('/streamflow/submit', body)).toMatchObject({ status: 400, body: { error, code: 'INVALID_ARGUMENT' } });
    expect(harness.scheduler.runs.size).toBe(0);
  });

  it('refuses a wallet that the header contradicts', async () => {
    const answer = await post('/streamflow/submit', { cwl_workflow: CURL_TOOL, user_wallet: '0x999' }, CALLER);
    expect(answer).toMatchObject({ status: 400, body: { error: "the header X-User-Wallet and 'user_wallet' in the body differ" } });
  });
});

describe('POST /streamflow/submit-project-workflow', () => {
  const project = {
    project_id: 'medical-imaging-dal',
    contract_address: '0x1234567890abcdef...',
    transaction_hash: '0xabcdef1234567890...',
  };

  it('takes the documented body; contract data travels as labels', async () => {
    const cwl = 'cwlVersion: v1.2\nclass: Workflow\ninputs: {}\noutputs: {}\nsteps: {}\n';
    const inputs = { dataset_hash: 'QmABC123...', model_config: { layers: 3 } };
    const answer = await post('/streamflow/submit-project-workflow', { ...project, cwl_content: cwl, inputs, metadata: { phase: 1 } });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'SUBMITTED', project_id: 'medical-imaging-dal', execution_engine: 'weft' },
    });
    expect(submitted()).toMatchObject({
      projectId: 'medical-imaging-dal',
      inputsJson: JSON.stringify(inputs),
      labels: { contract_address: project.contract_address, transaction_hash: project.transaction_hash, metadata: '{"phase":1}' },
    });
  });

  it.each(['# CWL for DICOM preprocessing', '# CWL for legal document NLP'])(
    'answers the placeholder example %j with one clear 400',
    async (cwl) => {
      const inputs = { dicom_dataset: 'QmMedicalImages123', normalization: 'z_score', resize_dims: [224, 224] };
      const body = { project_id: 'pneumonia-detection', cwl_content: cwl, inputs, contract_address: '0xMedicalDALContract...' };
      const error = 'cwl_content holds only comments: expected a CWL document with cwlVersion and class';
      expect(await post('/streamflow/submit-project-workflow', body)).toMatchObject({ status: 400, body: { error } });
    },
  );

  it('needs a project', async () => {
    const answer = await post('/streamflow/submit-project-workflow', { cwl_content: CURL_TOOL });
    expect(answer).toMatchObject({ status: 400, body: { error: "'project_id': is needed" } });
  });

  it('runs the DAL example as a command of the AL coordinator', async () => {
    const body = {
      project_id: 'test-project',
      use_dal_template: true,
      dal_workflow_type: 'train_query',
      deployment: 'docker',
      metadata: { al_config: { query_strategy: 'uncertainty_sampling', query_budget: 10 } },
    };
    const answer = await post('/streamflow/submit-project-workflow', body, CALLER);
    expect(answer).toMatchObject({ status: 200, body: { workflow_id: 'r-al', status: 'SUBMITTED', deployment: 'docker' } });
    expect(harness.al.commands).toMatchObject([
      { projectId: 'test-project', command: 'start_querying', authorizedBy: '0x123...', userRole: 'coordinator', awaitRun: true },
    ]);
    expect(JSON.parse(harness.al.commands[0]?.parametersJson ?? '')).toEqual(body.metadata.al_config);
  });

  it.each([
    ['training', 'prompt_training'],
    ['query_selection', 'start_querying'],
    ['continue_querying', 'continue_querying'],
  ])('knows the template or command %s', async (type, command) => {
    await post('/streamflow/submit-project-workflow', { project_id: 'p', use_dal_template: true, dal_workflow_type: type });
    expect(harness.al.commands[0]?.command).toBe(command);
  });

  it('names the templates there are', async () => {
    const known = 'available: query-selection (start_querying, continue_querying); training (prompt_training)';
    const unknown = await post('/streamflow/submit-project-workflow', {
      project_id: 'p',
      use_dal_template: true,
      dal_workflow_type: 'magic',
    });
    expect(unknown).toMatchObject({ status: 400, body: { error: `no DAL template 'magic'; ${known}` } });
    const none = await post('/streamflow/submit-project-workflow', { project_id: 'p', use_dal_template: true });
    expect(none).toMatchObject({ status: 400, body: { error: `'dal_workflow_type' is needed with use_dal_template; ${known}` } });
  });

  it('says why a command started no workflow', async () => {
    harness.al.answer = { runId: '', status: al.CommandStatus.REJECTED, message: 'the session awaits labels' };
    const answer = await post('/streamflow/submit-project-workflow', {
      project_id: 'p',
      use_dal_template: true,
      dal_workflow_type: 'training',
    });
    expect(answer).toMatchObject({ status: 409, body: { error: 'training: the session awaits labels' } });
  });
});

describe('GET /streamflow', () => {
  const { RunStatus } = run;

  it.each<[run.RunStatus, string, number]>([
    [RunStatus.PENDING, 'PENDING', 0],
    [RunStatus.RUNNING, 'RUNNING', 0.65],
    [RunStatus.CANCELLING, 'RUNNING', 0.65],
    [RunStatus.SUCCEEDED, 'COMPLETED', 1],
    [RunStatus.FAILED, 'FAILED', 0.65],
    [RunStatus.CANCELLED, 'TERMINATED', 0.65],
  ])('status %i is %s', async (status, word, progress) => {
    const tasks =
      status === RunStatus.PENDING ? undefined : { known: 20, succeeded: 10, skipped: 2, failed: 1, running: 7, queued: 0, cancelled: 0 };
    harness.scheduler.add({ runId: 'r-1', status, tasks });
    expect(schemas.WorkflowStatus.parse((await get('/streamflow/status/r-1')).body)).toMatchObject({ status: word, progress });
  });

  it('shows all the documented fields', async () => {
    harness.scheduler.add({
      runId: 'r-1',
      projectId: 'p',
      labels: { contract_address: '0x1', deployment: 'docker' },
      currentSteps: ['data_preprocessing', 'b'],
      failure: { code: 'TOOL_EXIT', message: 'exit 3', step: '', index: '', taskId: '', stderrTail: [] },
      outputsJson: '{"a":1}',
      status: RunStatus.FAILED,
    });
    expect((await get('/streamflow/status/r-1')).body).toEqual({
      workflow_id: 'r-1',
      status: 'FAILED',
      progress: 0,
      current_step: 'data_preprocessing',
      output: { a: 1 },
      error: 'exit 3',
      contract_address: '0x1',
      estimated_completion: null,
      project_id: 'p',
      execution_engine: 'weft',
      deployment: 'docker',
      submitted_at: AT.toISOString(),
      started_at: null,
      completed_at: null,
    });
  });

  it('answers {error} for an unknown workflow', async () => {
    expect(await get('/streamflow/status/uuid-1')).toMatchObject({ status: 404, body: { error: "no run 'uuid-1'" } });
  });

  it('lists all, by project, and the active-learning ones', async () => {
    harness.scheduler.add({ runId: 'r-1', projectId: 'p', labels: { dal: 'true', contract_address: '0x1' } });
    harness.scheduler.add({ runId: 'r-2', projectId: 'p' });
    harness.scheduler.add({ runId: 'r-3', projectId: 'q' });
    const ids = async (path: string): Promise<string[]> =>
      schemas.WorkflowList.parse((await get(path)).body).workflows.map((workflow) => workflow.workflow_id);
    expect(await ids('/streamflow/workflows')).toEqual(['r-1', 'r-2', 'r-3']);
    expect(await ids('/streamflow/workflows?project_id=p&dal_only=true')).toEqual(['r-1']);
    expect(await ids('/streamflow/projects/p/workflows')).toEqual(['r-1', 'r-2']);
    expect((await get('/streamflow/projects/p/workflows')).body).toMatchObject({
      project_id: 'p',
      workflows: [{ workflow_id: 'r-1', status: 'RUNNING', submitted_at: AT.toISOString(), project_id: 'p', contract_address: '0x1' }, {}],
    });
  });

  it('serves /tree as its health page and says what is missing', async () => {
    const page = await fetch(`${harness.url}/tree`);
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await page.text()).toMatch(/scheduler: ok.*redis: UNAVAILABLE/);
  });
});
