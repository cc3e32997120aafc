/** The active-learning loop on scikit-learn's digits, as the DVRE document drives it: query, train, evaluate, all real. */
import { Rest } from './rest.js';
import { Stack } from './stack.js';

/** Milliseconds; the first run may build the templates' image. */
const PATIENCE_MS = 600_000;
const PROJECT = 'medical-imaging-dal';
const CONTRACT = '0x1234567890abcdef...';

let stack: Stack;
let rest: Rest;

beforeAll(async () => {
  stack = await Stack.start();
  rest = new Rest(stack.url);
}, PATIENCE_MS);
afterAll(() => stack.stop());

interface Session {
  session_id: string;
  status: string;
  round: number;
  workflows_executed: number;
  current_workflow: string | null;
  queried_samples: string[];
  metrics: Record<string, unknown> | null;
  model_uri: string | null;
  contract_address: string;
  commands: { command: string; status: string; message: string; workflow_id: string | null }[];
}

const session = async (id: string): Promise<Session> => (await rest.get(`/al-engine/sessions/${PROJECT}/${id}`)).body as unknown as Session;

/** Sends a command and waits for its end. */
async function command(body: object): Promise<Record<string, unknown>> {
  const answer = await rest.post('/al-engine/command', { project_id: PROJECT, ...body }, { prefer: 'wait' });
  const { status, message } = answer.body;
  expect([answer.status, status, message]).toEqual([200, 'completed', message]);
  return answer.body;
}

it(
  'start_querying → prompt_training → evaluate_model ends with an accuracy that was measured on held-out samples',
  async () => {
    const started = await command({
      command: 'start_querying',
      parameters: { model_hash: 'QmXYZ789...', query_strategy: 'uncertainty_sampling', batch_size: 10, diversity_threshold: 0.8 },
      contract_address: CONTRACT,
      authorized_by: '0xparticipant_address...',
    });
    const { session_id: id } = started['data'] as { session_id: string };
    const asked = await session(id);
    expect(asked).toMatchObject({ status: 'awaiting_labels', round: 1, metrics: null });
    expect(new Set(asked.queried_samples).size).toBe(10);
    await command({
      command: 'prompt_training',
      parameters: { training_data_hash: 'QmTrainingData789', consensus_labels_hash: 'QmConsensusLabels456' },
      contract_address: CONTRACT,
      transaction_hash: '0xabcdef1234567890...',
    });
    await command({
      command: 'evaluate_model',
      parameters: { model_hash: 'QmNewModel123', test_data_hash: 'QmTestData456', metrics: ['accuracy', 'precision', 'recall', 'f1'] },
    });
    const done = await session(id);
    expect(done.commands.map(({ command, status }) => [command, status])).toEqual([
      ['start_querying', 'completed'],
      ['prompt_training', 'completed'],
      ['evaluate_model', 'completed'],
    ]);
    expect(done).toMatchObject({ status: 'active', round: 1, workflows_executed: 3, current_workflow: null, contract_address: CONTRACT });
    expect(done.model_uri).toMatch(/^file:\/\/.*\.joblib$/);
    const { accuracy, samples, confusion } = done.metrics as { accuracy: number; samples: number; confusion: number[][] };
    // 30 % of the 1797 digits; the accuracy is that of the confusion matrix, and better than guessing one of ten.
    expect(samples).toBe(540);
    const right = confusion.reduce((sum, row, digit) => sum + (row[digit] ?? 0), 0);
    expect(accuracy).toBeCloseTo(right / samples, 10);
    expect(accuracy).toBeGreaterThan(0.3);
    expect(accuracy).toBeLessThan(1);

    const runs = (await rest.get(`/streamflow/projects/${PROJECT}/workflows`)).body['workflows'] as {
      workflow_id: string;
      status: string;
    }[];
    expect(runs.map((run) => run.workflow_id)).toEqual(done.commands.map((command) => command.workflow_id).reverse());
    expect(new Set(runs.map((run) => run.status))).toEqual(new Set(['COMPLETED']));
    const { workflows: dal } = (await rest.get('/streamflow/workflows?dal_only=true')).body as {
      workflows: { contract_address: string }[];
    };
    expect(dal).toHaveLength(3);
    expect(dal[2]?.contract_address).toBe(CONTRACT);
    expect((await rest.get('/al-engine/sessions')).body).toMatchObject({ sessions: [{ session_id: id, project_id: PROJECT }] });
  },
  PATIENCE_MS,
);
