/** The native REST API over a real port. */
import { run, type scheduler as schedulerProto } from '@weft/contracts';
import { ServiceError, type ServiceErrorCode } from '@weft/platform';
import { DiagnosticView, RunList, RunView, SubmittedView, TaskList } from '../src/runs/runs.schemas.js';
import { call, startHarness, type Answer, type Harness } from './harness.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {}\noutputs: {}\n';
const warning = run.Diagnostic.fromPartial({
  severity: run.Severity.WARNING,
  code: 'unknown-hint',
  message: 'hint x is ignored',
  file: 'inline:///workflow.cwl',
  line: 3,
  column: 1,
});

describe('/api/v1/runs', () => {
  let harness: Harness;
  const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
    call(harness.url, method, `/api/v1/runs${path}`, body, headers);

  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.stop());
  beforeEach(() => harness.scheduler.reset());

  describe('POST', () => {
    it('forwards every field and answers 201 with Location', async () => {
      harness.scheduler.warnings = [warning];
      const body = {
        cwl: TOOL,
        inputs: { n: 1 },
        inputs_base_uri: 'file:///w/',
        name: 'hello',
        project_id: 'p',
        pool: 'gpu',
        labels: { team: 'qc' },
        no_container: true,
        default_container: 'alpine',
        deadline_s: 60,
        max_attempts: 5,
        failure_mode: 'continue',
        oom_retry_factor: 2,
        no_cache: true,
        keep_intermediates: true,
        priority: -3,
        max_parallel_tasks: 7,
      };
      const answer = await api('POST', '', body, { 'Idempotency-Key': 'k1' });
      expect(answer.status).toBe(201);
      const view = SubmittedView.parse(answer.body);
      expect(answer.headers.get('location')).toBe(`/api/v1/runs/${view.run_id}`);
      expect(view).toMatchObject({ status: 'pending', name: 'hello', existing: false, submitted_at: '2026-01-31T12:00:00.000Z' });
      expect(view.diagnostics).toEqual([
        DiagnosticView.parse({ ...view.diagnostics[0], severity: 'warning', line: 3, code: 'unknown-hint' }),
      ]);
      expect(harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun')).toEqual({
        document: { rootUri: 'inline:///workflow.cwl', files: { 'inline:///workflow.cwl': TOOL } },
        inputsJson: '{"n":1}',
        inputsBaseUri: 'file:///w/',
        name: 'hello',
        projectId: 'p',
        pool: 'gpu',
        labels: { team: 'qc' },
        idempotencyKey: 'k1',
        options: {
          ...{ noContainer: true, defaultContainer: 'alpine', deadlineS: 60, maxAttempts: 5, failureMode: run.FailureMode.CONTINUE },
          ...{ oomRetryFactor: 2, cache: false, noCache: true, keepIntermediates: true, priority: -3, maxParallelTasks: 7 },
        },
      });
    });

    it.each([
      [{ cache: true }, { cache: true, noCache: false }],
      [{}, { cache: false, noCache: false }],
    ])('asks for results of earlier tasks as the caller does: %j', async (asked, options) => {
      await api('POST', '', { cwl: TOOL, ...asked });
      expect(harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun').options).toMatchObject(options);
    });

    it('answers a repeated key 200 with the first run', async () => {
      const first = await api('POST', '', { cwl: TOOL }, { 'Idempotency-Key': 'k' });
      const again = await api('POST', '', { cwl: TOOL, idempotency_key: 'k' });
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(again.body).toMatchObject({ run_id: first.body['run_id'], existing: true });
    });

    it('carries whole numbers of 64 bits, there and back, and refuses what nothing holds', async () => {
      const number = '9223372036854775807';
      const post = (inputs: string): Promise<Answer> =>
        api('POST', '', `{"cwl": {"cwlVersion": "v1.2", "x": ${number}}, "inputs": ${inputs}}`);
      expect((await post(`{"n": ${number}, "text": "${number}"}`)).status).toBe(201);
      const sent = harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun');
      expect(sent.inputsJson).toBe(`{"n":${number},"text":"${number}"}`);
      expect(Object.values(sent.document?.files ?? {})).toEqual([expect.stringContaining(`"x": ${number}`)]);
      for (const [text, why] of [
        ['9223372036854775808', /^the body: the number 9223372036854775808 has more than 64 bits/],
        ['-1e400', /^the body: the number -1e400 is larger than any double/],
      ] as const)
        expect(await post(`{"n": ${text}}`)).toMatchObject({ status: 400, body: { error: expect.stringMatching(why) as unknown } });
      harness.scheduler.add({
        runId: 'r-long',
        status: run.RunStatus.SUCCEEDED,
        inputsJson: `{"n":${number}}`,
        outputsJson: `{"o":[-${number}]}`,
      });
      for (const path of ['/r-long', '/r-long/outputs'])
        expect(await (await fetch(`${harness.url}/api/v1/runs${path}`)).text()).toContain(`"o":[-${number}]`);
    });

    it('passes on what is large as it was written, to the last digit and blank', async () => {
      const list = `[${'9223372036854775807, '.repeat(20_000)}1]`;
      const cwl = `{ "cwlVersion": "v1.2", "x": ${list} }`;
      const body = `{"cwl": ${cwl}, "inputs": {"n": ${list}}, "name": "large", "labels": {"a": "b"}}`;
      expect((await api('POST', '', body)).status).toBe(201);
      const sent = harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun');
      expect(sent).toMatchObject({ inputsJson: `{"n": ${list}}`, name: 'large', labels: { a: 'b' } });
      expect(Object.values(sent.document?.files ?? {})).toEqual([cwl]);
    });

    const MANY = Array.from({ length: 13_000 }, (_, i) => i);
    it.each<[string, object, RegExp]>([
      ['labels', { cwl: TOOL, labels: Object.fromEntries(MANY.map((i) => [`l${i}`, 'x'])) }, /^'labels' has more than 12000 values$/],
      [
        'files',
        { cwl: { root_uri: 'file:///w', files: Object.fromEntries(MANY.map((i) => [`file:///${i}`, TOOL])) } },
        /^'cwl' has more than 12000 values$/,
      ],
      ['inputs that are a list', { cwl: TOOL, inputs: MANY }, /^'inputs': expected an object$/],
      ['a document that is a list', { cwl: MANY }, /^'cwl': expected CWL text, a CWL object, or a bundle/],
      [
        'unknown fields',
        { cwl: TOOL, ...Object.fromEntries(MANY.slice(0, 11_000).map((i) => [`field${i}`, 'x'])) },
        /unknown field 'field0' .*and 10995 more$/,
      ],
      ['a name without end', { cwl: TOOL, ['n'.repeat(1_000_000)]: 1 }, /^unknown field 'n{200}…' in the body; known are/],
    ])('says what is wrong with %s in a few words', async (_, body, message) => {
      const answer = await api('POST', '', body);
      expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) as unknown } });
      expect(JSON.stringify(answer.body).length).toBeLessThan(3_000);
    });

    it('takes a CWL object', async () => {
      const cwl = { cwlVersion: 'v1.2', class: 'CommandLineTool', inputs: {}, outputs: {} };
      expect((await api('POST', '', { cwl })).status).toBe(201);
      const { document } = harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun');
      expect(JSON.parse(document?.files[document.rootUri] ?? '')).toEqual(cwl);
    });

    it('takes a bundle of files', async () => {
      const cwl = { root_uri: 'file:///w/main.cwl#main', files: { 'file:///w/main.cwl': TOOL, 'file:///w/tool.cwl': TOOL } };
      expect((await api('POST', '', { cwl })).status).toBe(201);
      const { document } = harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun');
      expect(document).toEqual({ rootUri: cwl.root_uri, files: cwl.files });
    });

    it.each<[string, unknown, RegExp]>([
      ['a misspelt field', { cwl: TOOL, input: {} }, /unknown field 'input' in the body; did you mean 'inputs'\?/],
      ['an unknown field', { cwl: TOOL, zzzzzzz: 1 }, /unknown field 'zzzzzzz' in the body; known are cwl, inputs,/],
      ['no document', { inputs: {} }, /'cwl': expected CWL text, a CWL object, or a bundle/],
      ['a number as document', { cwl: 3 }, /'cwl': expected CWL text/],
      ['inputs that are no object', { cwl: TOOL, inputs: [1] }, /^'inputs': expected an object$/],
      ['a label that is no text', { cwl: TOOL, labels: { a: 1 } }, /'labels.a': .*expected string, received number/],
      ['a factor that is none', { cwl: TOOL, oom_retry_factor: 1 }, /'oom_retry_factor': /],
      ['a failure mode that there is not', { cwl: TOOL, failure_mode: 'ignore' }, /'failure_mode': /],
      ['a negative deadline', { cwl: TOOL, deadline_s: -1 }, /'deadline_s': /],
      [
        'a bundle without its root',
        { cwl: { root_uri: 'file:///a', files: { 'file:///b': TOOL } } },
        /root_uri 'file:\/\/\/a' is none of the files \(file:\/\/\/b\)/,
      ],
      ['a misspelt bundle', { cwl: { root_uri: 'file:///a', filez: {} } }, /unknown field 'filez' in the bundle; did you mean 'files'\?/],
      ['only comments', { cwl: '# nothing\n# here' }, /cwl holds only comments: expected a CWL document/],
      ['a lone word', { cwl: 'some-workflow' }, /cwl is the text 'some-workflow', not a CWL document/],
      ['white space', { cwl: ' \n' }, /cwl is empty/],
      ['no body', undefined, /the body: .*expected object/],
      ['a body that is not JSON', '{"cwl": ', /JSON/],
    ])('refuses %s with 400 and stores nothing', async (_what, body, message) => {
      const answer = await api('POST', '', body);
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({ error: expect.stringMatching(message), code: 'INVALID_ARGUMENT' });
      expect(harness.scheduler.asked).toEqual([]);
    });

    it('refuses two different idempotency keys', async () => {
      const answer = await api('POST', '', { cwl: TOOL, idempotency_key: 'a' }, { 'Idempotency-Key': 'b' });
      expect([answer.status, answer.body['error']]).toEqual([400, expect.stringContaining('differ')]);
    });

    it('refuses a body that nests deeper than any document, before anything recurses over it', async () => {
      const inputs = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
      const answer = await api('POST', '', `{"cwl":"a: b","inputs":${inputs}}`, { 'content-type': 'application/json' });
      expect([answer.status, answer.body]).toEqual([400, { error: 'the body nests more than 210 levels deep', code: 'INVALID_ARGUMENT' }]);
    });

    it('refuses a body over 16 MiB with 413 and other content types with 415', async () => {
      const large = await api('POST', '', { cwl: 'x'.repeat(16 * 1024 * 1024) });
      expect(large).toMatchObject({ status: 413, body: { error: 'the request body is larger than 16 MiB', code: 'BODY_TOO_LARGE' } });
      const form = await api('POST', '', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' });
      expect(form).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
      const plain = await api('POST', '', '{}', { 'content-type': 'text/plain' });
      expect(plain.status).toBe(415);
    });
  });

  describe('errors of the scheduler', () => {
    it.each<[ServiceErrorCode, number]>([
      ['INVALID_ARGUMENT', 400],
      ['UNAUTHENTICATED', 401],
      ['PERMISSION_DENIED', 403],
      ['NOT_FOUND', 404],
      ['FAILED_PRECONDITION', 409],
      ['ALREADY_EXISTS', 409],
      ['RESOURCE_EXHAUSTED', 429],
      ['INTERNAL', 500],
      ['UNIMPLEMENTED', 501],
      ['UNAVAILABLE', 503],
      ['DEADLINE_EXCEEDED', 504],
    ])('maps %s to %i', async (code, status) => {
      harness.scheduler.failNext = new ServiceError(code, 'why');
      expect(await api('GET', '/r-1')).toMatchObject({ status, body: { error: 'why', code } });
    });

    it('says when to come again where there is no room for another run, and takes it then', async () => {
      harness.scheduler.failNext = new ServiceError('RESOURCE_EXHAUSTED', 'full', undefined, { retryAfterMs: 1_200 });
      const refused = await api('POST', '', { cwl: TOOL });
      expect(refused).toMatchObject({ status: 429, body: { error: 'full', code: 'RESOURCE_EXHAUSTED' } });
      expect(refused.headers.get('retry-after')).toBe('2');
      const taken = await api('POST', '', { cwl: TOOL });
      expect(taken.status).toBe(201);
      expect(taken.headers.get('retry-after')).toBeNull();
    });

    it('hands on diagnostics with their place', async () => {
      const diagnostic = run.Diagnostic.fromPartial({
        severity: run.Severity.ERROR,
        code: 'unknown-field',
        message: "unknown field 'positon'",
        file: 'inline:///workflow.cwl',
        line: 7,
        column: 9,
        hint: "did you mean 'position'?",
      });
      harness.scheduler.failNext = new ServiceError('INVALID_ARGUMENT', 'one mistake', [diagnostic]);
      const answer = await api('POST', '', { cwl: TOOL });
      expect(answer.status).toBe(400);
      expect(answer.body['diagnostics']).toEqual([
        {
          severity: 'error',
          code: 'unknown-field',
          message: "unknown field 'positon'",
          file: 'inline:///workflow.cwl',
          line: 7,
          column: 9,
          end_line: 0,
          end_column: 0,
          hint: "did you mean 'position'?",
        },
      ]);
    });
  });

  describe('GET', () => {
    it('lists with filters and pages', async () => {
      for (const n of [1, 2, 3]) harness.scheduler.add({ runId: `r-${n}`, projectId: 'p', status: run.RunStatus.FAILED });
      harness.scheduler.add({ runId: 'r-other', projectId: 'q' });
      const first = RunList.parse((await api('GET', '?project_id=p&status=failed&status=running&page_size=2')).body);
      expect(first.runs.map((found) => found.run_id)).toEqual(['r-1', 'r-2']);
      const second = RunList.parse((await api('GET', `?project_id=p&status=failed&page_size=2&page_token=${first.next_page_token}`)).body);
      expect(second).toMatchObject({ runs: [{ run_id: 'r-3', status: 'failed' }], next_page_token: null });
    });

    it.each([
      ['page_size=0', /'page_size'/],
      ['page_size=x', /'page_size'/],
      ['status=done', /'status': expected one or more of pending, running/],
      ['pagesize=1', /unknown field 'pagesize' in the query; did you mean 'page_size'\?/],
    ])('refuses ?%s', async (query, message) => {
      expect(await api('GET', `?${query}`)).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } });
    });

    it('shows a failed run with its reason', async () => {
      const failure = {
        code: 'TOOL_EXIT',
        message: 'exit 3',
        step: 'align',
        index: '2',
        taskId: 't1',
        exitCode: 3,
        stderrTail: ['no space'],
      };
      harness.scheduler.add({ runId: 'r-1', status: run.RunStatus.FAILED, failure, inputsJson: '{"a":[1,{"b":null}]}' });
      const view = RunView.parse((await api('GET', '/r-1')).body);
      expect(view.inputs).toEqual({ a: [1, { b: null }] });
      expect(view.failure).toEqual({
        code: 'TOOL_EXIT',
        message: 'exit 3',
        step: 'align',
        index: '2',
        task_id: 't1',
        exit_code: 3,
        stderr_tail: ['no space'],
      });
      expect(view).toMatchObject({ outputs: null, finished_at: null });
    });

    it('says what it does not have', async () => {
      expect(await api('GET', '/r-none')).toMatchObject({ status: 404, body: { error: "no run 'r-none'", code: 'NOT_FOUND' } });
      const nowhere = await call(harness.url, 'GET', '/api/v2/nothing');
      expect(nowhere).toMatchObject({ status: 404, body: { error: 'no route GET /api/v2/nothing; /docs lists them', code: 'NOT_FOUND' } });
    });

    it('lists tasks', async () => {
      const { tasks } = harness.scheduler.add({ runId: 'r-1' });
      tasks.push(
        run.Task.fromPartial({ taskId: 't1', step: 'a', index: '3', status: run.TaskStatus.SKIPPED, attempt: 1, outputsJson: '{"o":1}' }),
      );
      const view = TaskList.parse((await api('GET', '/r-1/tasks?page_size=10')).body);
      expect(view.tasks[0]).toMatchObject({ task_id: 't1', status: 'skipped', index: '3', exit_code: null, outputs: { o: 1 } });
      expect(harness.scheduler.last('listTasks')).toMatchObject({ runId: 'r-1', pageSize: 10 });
    });

    it('lists without objects, and says of one that is long that it is there', async () => {
      const { tasks } = harness.scheduler.add({
        ...{ runId: 'r-1', status: run.RunStatus.SUCCEEDED, inputsJson: '', inputsOmitted: true, outputsJson: '', outputsOmitted: true },
      });
      tasks.push(run.Task.fromPartial({ taskId: 't1', status: run.TaskStatus.SUCCEEDED, outputsOmitted: true }));
      const list = RunList.parse((await api('GET', '')).body);
      expect(Object.keys(list.runs[0] ?? {})).not.toEqual(expect.arrayContaining(['inputs']));
      expect(Object.keys(list.runs[0] ?? {})).not.toEqual(expect.arrayContaining(['outputs']));
      const view = RunView.parse((await api('GET', '/r-1')).body);
      expect(view).toMatchObject({ inputs: null, inputs_omitted: true, outputs: null, outputs_omitted: true });
      expect(TaskList.parse((await api('GET', '/r-1/tasks')).body).tasks[0]).toMatchObject({ outputs: null, outputs_omitted: true });
      expect((await call(harness.url, 'GET', '/streamflow/status/r-1')).body).toMatchObject({ output: null, output_omitted: true });
    });

    it('gives objects as they come, however long', async () => {
      const long = JSON.stringify({ long: Array.from({ length: 300_000 }, (_, n) => `${n} ä`) });
      const pieces = (text: string): Buffer[] => {
        const bytes = Buffer.from(text);
        return Array.from({ length: Math.ceil(bytes.length / 100_001) }, (_, n) => bytes.subarray(n * 100_001, (n + 1) * 100_001));
      };
      const added = harness.scheduler.add({ runId: 'r-1', status: run.RunStatus.SUCCEEDED, outputsOmitted: true });
      added.objects = { inputs: pieces('{"a":1}'), outputs: pieces(long) };
      added.tasks.push(run.Task.fromPartial({ taskId: 't1', outputsOmitted: true }));
      const fetched = await fetch(`${harness.url}/api/v1/runs/r-1/outputs`);
      expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(await fetched.text()).toBe(long);
      expect(await api('GET', '/r-1/inputs')).toMatchObject({ status: 200, body: { a: 1 } });
      expect((await api('GET', '/r-1/tasks/t1/outputs')).body).toEqual(JSON.parse(long));
      expect(harness.scheduler.last('readObject')).toEqual({ runId: 'r-1', kind: run.ObjectKind.OUTPUTS, taskId: 't1' });
      added.objects = {};
      expect(await api('GET', '/r-1/tasks/t1/outputs')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
      expect(await api('GET', '/r-none/inputs')).toMatchObject({ status: 404, body: { error: "no run 'r-none'" } });
    });

    it('gives the output object only of a run that succeeded, or has parts of it', async () => {
      harness.scheduler.add({ runId: 'r-ok', status: run.RunStatus.SUCCEEDED, outputsJson: '{"out":{"class":"File"}}' });
      harness.scheduler.add({ runId: 'r-run' });
      harness.scheduler.add({ runId: 'r-bad', status: run.RunStatus.FAILED, failure: { message: 'exit 3', stderrTail: [] } as never });
      expect(await api('GET', '/r-ok/outputs')).toMatchObject({ status: 200, body: { out: { class: 'File' } } });
      harness.scheduler.add({ runId: 'r-part', status: run.RunStatus.FAILED, outputsJson: '{"a":1,"b":null}' });
      expect(await api('GET', '/r-part')).toMatchObject({ status: 200, body: { status: 'failed', outputs: { a: 1, b: null } } });
      expect(await api('GET', '/r-part/outputs')).toMatchObject({ status: 200, body: { a: 1, b: null } });
      expect(await api('GET', '/r-run/outputs')).toMatchObject({
        status: 409,
        body: { error: "run 'r-run' is running; its outputs exist once it has succeeded", code: 'FAILED_PRECONDITION' },
      });
      expect(await api('GET', '/r-bad/outputs')).toMatchObject({
        status: 409,
        body: { error: "run 'r-bad' is failed: exit 3; it has no outputs" },
      });
    });
  });

  it('cancels with and without a reason', async () => {
    harness.scheduler.add({ runId: 'r-1' });
    expect(await api('POST', '/r-1/cancel', { reason: 'enough' })).toMatchObject({ status: 202, body: { status: 'cancelling' } });
    expect(harness.scheduler.last('cancelRun')).toEqual({ runId: 'r-1', reason: 'enough' });
    expect((await api('POST', '/r-1/cancel')).status).toBe(202);
    expect((await api('POST', '/r-1/cancel', '', { 'content-type': 'application/json' })).status).toBe(202);
    expect(harness.scheduler.last('cancelRun')).toEqual({ runId: 'r-1', reason: '' });
  });

  it('retries a run that has failed, and says why one that succeeded is not', async () => {
    harness.scheduler.add({ runId: 'r-1', status: run.RunStatus.FAILED });
    harness.scheduler.add({ runId: 'r-2', status: run.RunStatus.SUCCEEDED });
    expect(await api('POST', '/r-1/retry')).toMatchObject({ status: 202, body: { run_id: 'r-1', status: 'running' } });
    expect(await api('POST', '/r-2/retry')).toMatchObject({
      status: 409,
      body: { error: "run 'r-2' succeeded: there is nothing to retry" },
    });
    expect((await api('POST', '/r-3/retry')).status).toBe(404);
  });

  it('deletes a run that has ended and refuses one that runs', async () => {
    harness.scheduler.add({ runId: 'r-1', status: run.RunStatus.SUCCEEDED });
    harness.scheduler.add({ runId: 'r-2' });
    expect((await api('DELETE', '/r-1')).status).toBe(204);
    expect(await api('DELETE', '/r-2')).toMatchObject({ status: 409, body: { error: "run 'r-2' is running" } });
    expect((await api('GET', '/r-1')).status).toBe(404);
  });
});
