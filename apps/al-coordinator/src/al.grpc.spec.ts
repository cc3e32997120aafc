/** The service over real gRPC against a scripted scheduler: the loop as projects drive it, and everything that can be refused. */
import { al } from '@weft/contracts';
import { callUnary, ServiceError } from '@weft/platform';
import { OUTPUTS } from './testing/builders.js';
import { FakeScheduler } from './testing/fake-scheduler.js';
import { type Harness, startHarness } from './testing/harness.js';
import { MemorySessionStore } from './testing/memory-session-store.js';

const { CommandStatus, SessionStatus } = al;
let scheduler: FakeScheduler;
let address: string;
let store: MemorySessionStore;
let harness: Harness;

beforeEach(async () => {
  scheduler = new FakeScheduler();
  address = await scheduler.start();
  store = new MemorySessionStore();
  harness = await startHarness(store, address);
});
afterEach(async () => {
  await harness.close();
  await scheduler.stop();
});

/** Sends a command and lets its workflow succeed. */
async function done(command: string, outputs: object, parameters: object = {}): Promise<al.Command> {
  const { commandId } = await harness.send(command, parameters);
  (await scheduler.next()).succeed(outputs);
  await harness.stored(commandId);
  const { command: now } = await callUnary(harness.client, harness.client.getCommand, { projectId: 'p', commandId });
  if (!now) throw new Error('no command');
  return now;
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the loop', () => {
  it('goes from start_querying to a measured accuracy and a final report', async () => {
    const started = await done('start_querying', OUTPUTS.query(['3', '4']), {
      model_hash: 'QmXYZ789',
      query_strategy: 'uncertainty_sampling',
      batch_size: 2,
    });
    expect(started.status).toBe(CommandStatus.COMPLETED);
    expect(started.message).toMatch(/model_hash: recorded; content on IPFS is not fetched/);
    expect(await harness.session(started.sessionId)).toMatchObject({
      status: SessionStatus.AWAITING_LABELS,
      round: 1,
      queriedSamples: ['3', '4'],
    });

    const trained = await done('prompt_training', OUTPUTS.training({ '3': '1', '4': '0' }, ['epochs']), {
      hyperparameters: { epochs: 50 },
    });
    expect(trained.message).toMatch(/takes no epochs/);
    const evaluated = await done('evaluate_model', OUTPUTS.evaluation(0.75), { model_hash: 'QmNew', metrics: ['accuracy', 'f1'] });
    expect(JSON.parse(evaluated.dataJson)).toMatchObject({ round: 1, metrics: { accuracy: 0.75 } });
    expect(JSON.parse((await harness.session(started.sessionId)).metricsJson)).toMatchObject({ accuracy: 0.75, f1: 0.75 });

    await done('continue_querying', OUTPUTS.query(['5'], { '3': '1', '4': '0' }));
    await done('finalize_results', OUTPUTS.final());
    const session = await harness.session(started.sessionId);
    expect(session).toMatchObject({ status: SessionStatus.COMPLETED, round: 2, workflowsExecuted: 5, currentWorkflow: '' });
    expect(session.commands.map((one) => one.command)).toEqual([
      'start_querying',
      'prompt_training',
      'evaluate_model',
      'continue_querying',
      'finalize_results',
    ]);
  });

  it('hands each template its inputs, labels and a key of its own', async () => {
    const command = await harness.send(
      'start_querying',
      { batch_size: 4, query_strategy: 'margin', seed: 11, cache: true },
      { contractAddress: '0xabc' },
    );
    const run = await scheduler.next();
    expect(run.inputs).toMatchObject({
      dataset: 'digits',
      seed: 11,
      strategy: 'margin',
      batch_size: 4,
      initial_per_class: 2,
      python: '/opt/py/bin/python',
    });
    expect(run.request).toMatchObject({
      name: 'query-selection',
      projectId: 'p',
      idempotencyKey: command.commandId,
      options: { noContainer: true, cache: true, noCache: false },
    });
    expect(run.request.labels).toEqual({
      dal: 'true',
      project: 'p',
      'al.session': command.sessionId,
      'al.command': 'start_querying',
      'al.command_id': command.commandId,
      'al.template': 'query-selection',
      contract_address: '0xabc',
    });
    expect(run.request.document?.files[run.request.document.rootUri]).toContain('class: Workflow');
  });

  it('queues commands that come while a workflow runs, and starts them in turn', async () => {
    const query = await harness.send('start_querying');
    const training = await harness.send('prompt_training');
    const evaluation = await harness.send('evaluate_model');
    expect(training.message).toMatch(/waits until query-selection-round-1 has ended/);
    (await scheduler.next()).succeed(OUTPUTS.query(['3']));
    (await scheduler.next()).succeed(OUTPUTS.training({ '3': '0', '7': '1' }));
    const run = await scheduler.next();
    expect(run.inputs['model']).toMatchObject({ class: 'File', location: 'file:///data/model.joblib' });
    run.succeed(OUTPUTS.evaluation(0.5));
    expect((await harness.stored(evaluation.commandId)).status).toBe('completed');
    expect(scheduler.submissions).toBe(3);
    expect((await harness.session(query.sessionId)).workflowsExecuted).toBe(3);
  });

  it('takes labels of people where there is no oracle', async () => {
    const started = await done('start_querying', OUTPUTS.query(['3', '4', '5'], {}), { oracle: 'none' });
    await expect(harness.send('prompt_training')).rejects.toThrow(/3 queried samples wait for labels: submit_labels first/);
    const hash = { consensus_labels_hash: 'QmLabels456' };
    await expect(harness.send('prompt_training', hash)).rejects.toEqual(code('INVALID_ARGUMENT'));
    const labels = [
      { sample_id: '3', label: '0', contributor: 'ann' },
      { sample_id: '4', label: 1, contributor: 'bob' },
      { sample_id: '5', label: 'NO_CONSENSUS' },
    ];
    expect((await harness.send('submit_labels', { labeled_samples: labels })).status).toBe(CommandStatus.COMPLETED);
    expect((await harness.session(started.sessionId)).queriedSamples).toEqual([]);
    await harness.send('prompt_training');
    const { inputs } = await scheduler.next();
    expect(inputs['reveal']).toBeUndefined();
    expect(inputs['labels']).toEqual({ class: 'File', basename: 'labels.json', contents: '{"3":"0","4":"1"}' });
  });
});

describe('answers that wait for the run', () => {
  it('name the run, or tell why there is none', async () => {
    const started = await harness.send('start_querying', {}, { awaitRun: true });
    expect(started).toMatchObject({ status: CommandStatus.RUNNING, runId: 'r-1' });
    scheduler.submitErrors.push(new ServiceError('INVALID_ARGUMENT', 'training.cwl:3:1: no'));
    const refused = await harness.send('start_querying', {}, { awaitRun: true });
    expect(refused).toMatchObject({ status: CommandStatus.FAILED, runId: '', message: expect.stringContaining('training.cwl:3:1: no') });
  });

  it('or for the end', async () => {
    const ended = harness.send('start_querying', {}, { awaitEnd: true });
    (await scheduler.next()).succeed(OUTPUTS.query(['3']));
    expect(await ended).toMatchObject({ status: CommandStatus.COMPLETED, runId: 'r-1' });
  });

  it('do not wait for a command that waits itself', async () => {
    await harness.send('start_querying', {}, { awaitRun: true });
    expect(await harness.send('prompt_training', {}, { awaitRun: true })).toMatchObject({ status: CommandStatus.ACCEPTED, runId: '' });
  });
});

describe('sessions of all projects', () => {
  it('come in pages, newest first, with a token that only we give', async () => {
    for (const projectId of ['p', 'q', 'p']) await harness.send('start_querying', {}, { projectId });
    const list = (pageToken: string): Promise<al.ListSessionsResponse> =>
      callUnary(harness.client, harness.client.listSessions, { projectId: '', pageSize: 2, pageToken });
    const first = await list('');
    const second = await list(first.nextPageToken);
    expect([first.sessions.length, second.sessions.length, second.nextPageToken]).toEqual([2, 1, '']);
    expect([...first.sessions, ...second.sessions].map((session) => session.projectId).sort()).toEqual(['p', 'p', 'q']);
    await expect(list('!')).rejects.toEqual(code('INVALID_ARGUMENT'));
  });
});

describe('lists of sessions that are long', () => {
  it('have fewer sessions a page, and none of their commands', async () => {
    const ids = Array.from({ length: 100_000 }, (_, n) => `sample-${String(n).padStart(12, '0')}`);
    for (let n = 0; n < 4; n += 1) await done('start_querying', OUTPUTS.query(ids), { batch_size: 100_000 });
    for (const projectId of ['p', '']) {
      const found: al.Session[] = [];
      let [pageToken, pages] = ['', 0];
      do {
        const page: al.ListSessionsResponse = await callUnary(harness.client, harness.client.listSessions, {
          projectId,
          pageSize: 0,
          pageToken,
        });
        expect(al.ListSessionsResponse.encode(page).finish().length).toBeLessThan(4 * 1024 * 1024);
        for (const session of page.sessions) found.push(session);
        [pageToken, pages] = [page.nextPageToken, pages + 1];
      } while (pageToken !== '');
      expect(new Set(found.map(({ sessionId }) => sessionId)).size).toBe(4);
      expect([found.length, pages > 2]).toEqual([4, true]);
      expect(found.every(({ commands, queriedSamples }) => commands.length === 0 && queriedSamples.length === 100_000)).toBe(true);
    }
  });
});

describe('what is refused', () => {
  it.each<[string, object, string, RegExp]>([
    ['evaluate_model', {}, 'FAILED_PRECONDITION', /no(ne|t).*possible now: start_querying, prompt_training/],
    ['continue_querying', { session_id: 'nope' }, 'NOT_FOUND', /no session nope/],
    ['start_querying', { query_strategy: 'x' }, 'INVALID_ARGUMENT', /there are: least_confidence/],
    ['start_querying', { dataset_hash: 'QmABC' }, 'INVALID_ARGUMENT', /cannot fetch/],
    ['dance', {}, 'INVALID_ARGUMENT', /unknown command/],
  ])('%s %j on a fresh project', async (command, parameters, status, message) => {
    const refused = harness.send(command, parameters);
    await expect(refused).rejects.toEqual(code(status));
    await expect(refused).rejects.toThrow(message);
    expect(
      (await callUnary(harness.client, harness.client.listSessions, al.ListSessionsRequest.fromPartial({ projectId: 'p' }))).sessions,
    ).toEqual([]);
  });

  it('says what is possible now', async () => {
    await done('start_querying', OUTPUTS.query(['3']));
    await expect(harness.send('continue_querying')).rejects.toThrow(
      /continue_querying is not possible while the session is awaiting-labels; possible now: submit_labels, prompt_training, finalize_results, terminate_project/,
    );
  });

  it.each<[string, object[], RegExp]>([
    ['a sample nobody asked for', [{ sample_id: '99', label: '1' }], /not among the samples queried in round 1: 99/],
    ['a label the data set has not', [{ sample_id: '3', label: 'cat' }], /unknown labels 'cat'; digits has: 0, 1/],
    [
      'a sample twice',
      [
        { sample_id: '3', label: '1' },
        { sample_id: '3', label: '2' },
      ],
      /labelled twice/,
    ],
  ])('%s', async (_, samples, message) => {
    await done('start_querying', OUTPUTS.query(['3']));
    await expect(harness.send('submit_labels', { labeled_samples: samples })).rejects.toThrow(message);
  });

  it('rounds beyond the limit', async () => {
    await done('start_querying', OUTPUTS.query(['3']), { max_rounds: 1 });
    await done('prompt_training', OUTPUTS.training({ '3': '0' }));
    await expect(harness.send('continue_querying')).rejects.toThrow(/has done its 1 rounds/);
  });

  it('a change of what the split rests on', async () => {
    await done('start_querying', OUTPUTS.query(['3']));
    await expect(harness.send('prompt_training', { dataset: 'wine' })).rejects.toThrow(/dataset of a session is fixed/);
  });

  it('roles that may not', async () => {
    await expect(harness.send('start_querying', {}, { userRole: 'observer' })).rejects.toEqual(code('PERMISSION_DENIED'));
    await expect(harness.send('start_querying', {}, { userRole: 'contributor' })).rejects.toEqual(code('PERMISSION_DENIED'));
    await expect(harness.send('start_querying', {}, { userRole: 'king' })).rejects.toEqual(code('INVALID_ARGUMENT'));
    expect((await harness.send('start_querying', {}, { userRole: 'coordinator' })).status).toBe(CommandStatus.ACCEPTED);
  });
});

describe('what goes wrong', () => {
  it('a failed workflow fails its command with the reason, and the session can try again', async () => {
    const first = await harness.send('start_querying');
    (await scheduler.next()).fail({ step: 'select', message: 'exit code 1', stderrTail: ['Traceback', 'boom'] });
    expect((await harness.stored(first.commandId)).notes.at(-1)).toBe('step select: exit code 1 — Traceback | boom');
    expect((await harness.session(first.sessionId)).status).toBe(SessionStatus.FAILED);
    const again = await harness.send('start_querying', {}, { sessionId: first.sessionId });
    (await scheduler.next()).succeed(OUTPUTS.query(['3']));
    await harness.stored(again.commandId);
    expect(await harness.session(first.sessionId)).toMatchObject({ round: 1, status: SessionStatus.AWAITING_LABELS });
  });

  it('a queued command that cannot follow a failure is refused with the reason', async () => {
    await harness.send('start_querying');
    const training = await harness.send('evaluate_model').catch((error: unknown) => error);
    expect(training).toEqual(code('FAILED_PRECONDITION'));
    const queued = await harness.send('prompt_training');
    const then = await harness.send('evaluate_model');
    (await scheduler.next()).succeed(OUTPUTS.query(['3']));
    (await scheduler.next()).fail({ message: 'exit code 1' });
    expect((await harness.stored(queued.commandId)).status).toBe('failed');
    expect((await harness.stored(then.commandId)).notes.at(-1)).toMatch(
      /^not started: evaluate_model is not possible while the session is awaiting-labels/,
    );
  });

  it('outputs that are not what the template promises fail the command', async () => {
    const { commandId } = await harness.send('start_querying');
    (await scheduler.next()).succeed({ query: 3 });
    expect((await harness.stored(commandId)).notes.at(-1)).toMatch(/outputs are not what they should be/);
  });

  it('a scheduler that is away is asked again, ever more slowly', async () => {
    scheduler.submitErrors.push(new ServiceError('UNAVAILABLE', 'away'), new ServiceError('UNAVAILABLE', 'away'));
    scheduler.brokenWatches = 1;
    const { commandId } = await harness.send('start_querying');
    (await scheduler.next()).succeed(OUTPUTS.query(['3']));
    expect((await harness.stored(commandId)).status).toBe('completed');
    expect(harness.pauses).toEqual([250, 500, 250]);
    expect(scheduler.watches).toBe(2);
  });

  it('a document the scheduler refuses fails the command at once', async () => {
    scheduler.submitErrors.push(new ServiceError('INVALID_ARGUMENT', 'training.cwl:3:1: no'));
    const { commandId } = await harness.send('start_querying');
    expect((await harness.stored(commandId)).notes.at(-1)).toBe('training.cwl:3:1: no');
    expect(harness.pauses).toEqual([]);
  });

  it('an exhausted pool ends the query without a round', async () => {
    const { sessionId } = await done('start_querying', OUTPUTS.query(['3']));
    await done('prompt_training', OUTPUTS.training({ '3': '0' }));
    expect((await done('continue_querying', OUTPUTS.query([]))).message).toMatch(/no unlabelled sample is left/);
    expect(await harness.session(sessionId)).toMatchObject({ round: 1, status: SessionStatus.ACTIVE, queriedSamples: [] });
  });
});

describe('termination, keys, conflicts', () => {
  it('terminate_project ends every open session and cancels what runs', async () => {
    const first = await harness.send('start_querying');
    await scheduler.next();
    await harness.stored(first.commandId, (command) => command.runId !== '');
    const second = await harness.send('start_querying');
    await scheduler.next();
    await harness.stored(second.commandId, (command) => command.runId !== '');
    expect((await harness.send('terminate_project')).status).toBe(CommandStatus.COMPLETED);
    for (const { sessionId, commandId } of [first, second]) {
      expect((await harness.stored(commandId)).notes.at(-1)).toMatch(/terminated/);
      expect((await harness.session(sessionId)).status).toBe(SessionStatus.TERMINATED);
    }
    expect([await scheduler.nextCancel(), await scheduler.nextCancel()].sort()).toEqual(['r-1', 'r-2']);
  });

  it('the same key gets the same command', async () => {
    const first = await harness.send('start_querying', {}, { idempotencyKey: 'k' });
    const again = await harness.send('start_querying', {}, { idempotencyKey: 'k' });
    expect(again.commandId).toBe(first.commandId);
    const other = harness.send('start_querying', { seed: 7 }, { idempotencyKey: 'k' });
    await expect(other).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(
      (await callUnary(harness.client, harness.client.listSessions, al.ListSessionsRequest.fromPartial({ projectId: 'p' }))).sessions,
    ).toHaveLength(1);
  });

  it('of two commands that meet, the second sees what the first did', async () => {
    await done('start_querying', OUTPUTS.query(['3']));
    const [a, b] = await Promise.all([harness.send('prompt_training'), harness.send('prompt_training')]);
    expect([a.message, b.message].filter((text) => /waits until training-round-1/.test(text))).toHaveLength(1);
  });

  it('tells how the runtime was prepared, and why a command failed for it', async () => {
    const told = await startHarness(new MemorySessionStore(), address, async (note) => {
      note('no Docker engine answers');
      throw new Error('no Python with scikit-learn');
    });
    const { commandId } = await told.send('start_querying');
    expect((await told.stored(commandId)).notes.at(-1)).toBe('no Python with scikit-learn');
    await told.stored(commandId, (command) => command.notes.includes('no Docker engine answers'));
    await told.close();
  });

  it('lists the templates', async () => {
    const { templates } = await callUnary(harness.client, harness.client.listTemplates, {});
    expect(templates.map((one) => one.name)).toEqual(['query-selection', 'training', 'evaluation', 'finalize']);
  });
});
