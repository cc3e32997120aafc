/** The DVRE dialect's active-learning calls as its documents send them, over a real port. */
import { al } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import * as alSchemas from '../src/dvre/al-engine.schemas.js';
import { AT } from './fake-scheduler.js';
import { call, startHarness, type Answer, type Harness } from './harness.js';

const CALLER = { 'X-User-Wallet': '0x123...', 'X-User-Role': 'coordinator' };

let harness: Harness;
const post = (path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> =>
  call(harness.url, 'POST', path, body, headers);
const get = (path: string): Promise<Answer> => call(harness.url, 'GET', path);

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());
beforeEach(() => harness.al.reset());

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

  it.each([
    ['wait', true],
    ['respond-async, wait=60', true],
    ['respond-async', false],
    ['waiting', false],
  ])('with Prefer: %s, waits for the end: %s', async (prefer, awaitEnd) => {
    const { status } = await post('/al-engine/command', { project_id: 'p', command: 'start_querying' }, { prefer });
    expect([status, harness.al.commands[0]]).toMatchObject([200, { awaitRun: false, awaitEnd }]);
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

  it('pages through the sessions of all projects', async () => {
    harness.al.sessions = ['s-1', 's-2', 's-3'].map((sessionId) => ({ ...session, sessionId }));
    const first = alSchemas.AllSessions.parse((await get('/al-engine/sessions?page_size=2')).body);
    expect(first.sessions.map((one) => one.session_id)).toEqual(['s-1', 's-2']);
    const next = alSchemas.AllSessions.parse((await get(`/al-engine/sessions?page_size=2&page_token=${first.next_page_token}`)).body);
    expect([next.sessions.map((one) => one.session_id), next.next_page_token]).toEqual([['s-3'], null]);
    expect((await get('/al-engine/sessions?page_size=0')).status).toBe(400);
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
