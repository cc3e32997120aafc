/** The DVRE dialect as its documents' curl examples send it, over a real port. */
import { al, run, type scheduler as schedulerProto } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import * as alSchemas from '../src/dvre/al-engine.schemas.js';
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
      { projectId: 'test-project', command: 'start_querying', authorizedBy: '0x123...', userRole: 'coordinator' },
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
      failure: { code: 'TOOL_EXIT', message: 'exit 3', step: '', taskId: '', stderrTail: [] },
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

describe('/al-engine', () => {
  const session = al.Session.fromPartial({
    sessionId: 'session-123',
    projectId: 'medical-imaging-dal',
    status: al.SessionStatus.ACTIVE,
    round: 2,
    createdAt: AT,
    lastActivity: AT,
    workflowsExecuted: 15,
    currentWorkflow: 'r-7',
    metricsJson: '{"accuracy":0.9}',
    commands: [{ commandId: 'c-1', command: 'start_querying', status: al.CommandStatus.COMPLETED, runId: 'r-7', createdAt: AT }],
  });

  it('takes the first form', async () => {
    const parameters = { training_data_hash: 'QmTrainingData789', consensus_labels_hash: 'QmConsensusLabels456' };
    const body = {
      project_id: 'medical-imaging-dal',
      command: 'prompt_training',
      parameters,
      contract_address: '0x1234567890abcdef...',
      transaction_hash: '0xabcdef1234567890...',
    };
    harness.al.answer = { dataJson: '{"round":1}' };
    const answer = await post('/al-engine/command', body);
    expect(alSchemas.CommandAnswer.parse(answer.body)).toEqual({
      command_id: 'c-1',
      status: 'accepted',
      message: 'accepted',
      data: { round: 1, session_id: 's-1', workflow_id: 'r-al' },
      timestamp: AT.toISOString(),
    });
    expect(harness.al.commands[0]).toMatchObject({
      projectId: 'medical-imaging-dal',
      command: 'prompt_training',
      parametersJson: JSON.stringify(parameters),
      contractAddress: '0x1234567890abcdef...',
      transactionHash: '0xabcdef1234567890...',
    });
  });

  it('takes the second form', async () => {
    const body = {
      command_type: 'continue_querying',
      project_id: 'p',
      workflow_id: 'w-1',
      parameters: { updated_model_hash: 'QmUpdatedModel456', previous_session_id: 'session-789' },
      timestamp: '2025-07-22T12:30:00Z',
      user_wallet: '0xabc',
      user_role: 'Contributor',
      contract_address: '0x1',
    };
    expect((await post('/al-engine/command', body)).status).toBe(200);
    expect(harness.al.commands[0]).toMatchObject({
      command: 'continue_querying',
      sessionId: 'session-789',
      authorizedBy: '0xabc',
      userRole: 'contributor',
    });
    expect(JSON.parse(harness.al.commands[0]?.parametersJson ?? '')).toEqual({ workflow_id: 'w-1', ...body.parameters });
  });

  it('passes the headers on as claims', async () => {
    await post('/al-engine/command', { project_id: 'p', command: 'start_querying' }, CALLER);
    expect(harness.al.commands[0]).toMatchObject({ authorizedBy: '0x123...', userRole: 'coordinator', parametersJson: '{}' });
  });

  it.each<[object, string]>([
    [{ command: 'start_querying' }, "'project_id': is needed"],
    [{ project_id: 'p' }, "'command' (or 'command_type') is needed"],
    [{ project_id: 'p', command: 'a', command_type: 'b' }, "'command' and 'command_type' differ"],
  ])('refuses %j', async (body, error) => {
    expect(await post('/al-engine/command', body)).toMatchObject({ status: 400, body: { error } });
  });

  it.each([
    ['NOT_FOUND', 404],
    ['PERMISSION_DENIED', 403],
    ['FAILED_PRECONDITION', 409],
  ] as const)('answers %s of the coordinator with %i', async (code, status) => {
    harness.al.failNext = new ServiceError(code, 'why');
    expect(await post('/al-engine/command', { project_id: 'p', command: 'start_querying' })).toMatchObject({
      status,
      body: { error: 'why' },
    });
  });

  it('shows sessions as documented', async () => {
    harness.al.sessions = [session];
    const answer = await get('/al-engine/sessions/medical-imaging-dal');
    expect(alSchemas.ProjectSessions.parse(answer.body)).toMatchObject({
      project_id: 'medical-imaging-dal',
      sessions: [
        {
          session_id: 'session-123',
          status: 'active',
          created_at: AT.toISOString(),
          last_activity: AT.toISOString(),
          workflows_executed: 15,
          current_workflow: 'r-7',
        },
      ],
    });
    expect((await get('/al-engine/sessions/other')).body).toEqual({ project_id: 'other', sessions: [] });
    expect(alSchemas.AllSessions.parse((await get('/al-engine/sessions')).body).sessions[0]?.project_id).toBe('medical-imaging-dal');
    const detail = alSchemas.SessionDetail.parse((await get('/al-engine/sessions/medical-imaging-dal/session-123')).body);
    expect(detail.commands).toMatchObject([{ command_id: 'c-1', status: 'completed', workflow_id: 'r-7' }]);
    expect((await get('/al-engine/sessions/medical-imaging-dal/none')).status).toBe(404);
  });

  it("sums a project's sessions", async () => {
    const later = {
      ...session,
      sessionId: 's2',
      status: al.SessionStatus.COMPLETED,
      lastActivity: new Date(AT.getTime() + 1000),
      metricsJson: '',
    };
    harness.al.sessions = [session, later];
    expect(alSchemas.SessionStats.parse((await get('/al-engine/session-stats/medical-imaging-dal')).body)).toEqual({
      project_id: 'medical-imaging-dal',
      total_sessions: 2,
      sessions_by_status: { active: 1, awaiting_labels: 0, completed: 1, failed: 0, terminated: 0 },
      total_workflows_executed: 30,
      total_rounds: 4,
      last_activity: '2026-01-31T12:00:01.000Z',
      latest_metrics: { accuracy: 0.9 },
    });
  });

  it('lists the templates', async () => {
    expect(alSchemas.TemplateList.parse((await get('/dal/templates')).body).templates.map((template) => template.name)).toEqual([
      'query-selection',
      'training',
    ]);
  });
});
