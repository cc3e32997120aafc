/** Events (SSE) and logs over a real port. */
import { run, type scheduler as schedulerProto } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { noteEvent, statusEvent, taskEvent } from './fake-scheduler.js';
import { call, startHarness, type Harness } from './harness.js';
import { parseSse, TextStream } from './sse.js';

const { RunStatus, TaskStatus, LogStream } = run;

/** Resolves when the call's client has gone. */
const gone = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));

describe('GET /api/v1/runs/:id/events', () => {
  let harness: Harness;
  const open = (id: string, lastId?: string): Promise<TextStream> =>
    TextStream.open(`${harness.url}/api/v1/runs/${id}/events`, lastId === undefined ? {} : { 'Last-Event-ID': lastId });

  beforeEach(async () => {
    harness = await startHarness({ heartbeatMs: 5 });
  });
  afterEach(() => harness.stop());

  it('sends what happened and what happens, and ends with the run', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    events.push(statusEvent('r-1', 1, RunStatus.RUNNING));
    const stream = await open('r-1');
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await stream.until('"running"');
    events.push(noteEvent('r-1', 1, 'pulling alpine'), taskEvent('r-1', 2, 't1', TaskStatus.SUCCEEDED));
    events.push(taskEvent('r-1', 2, 't2', TaskStatus.QUEUED), statusEvent('r-1', 3, RunStatus.SUCCEEDED, '{"o":1}'));
    events.end();
    expect(parseSse(await stream.rest())).toEqual([
      { id: '1', event: 'run_status', data: expect.objectContaining({ run_id: 'r-1', sequence: 1, status: 'running', outputs: null }) },
      { event: 'note', data: expect.objectContaining({ text: 'pulling alpine' }) },
      {
        id: '2',
        event: 'task_status',
        data: expect.objectContaining({ task: expect.objectContaining({ task_id: 't1', status: 'succeeded' }) }),
      },
      { id: '2.1', event: 'task_status', data: expect.objectContaining({ task: expect.objectContaining({ task_id: 't2' }) }) },
      {
        id: '3',
        event: 'run_status',
        data: expect.objectContaining({ status: 'succeeded', outputs: { o: 1 }, at: '2026-01-31T12:00:00.000Z' }),
      },
      { event: 'end', data: {} },
    ]);
  });

  it.each([
    ['1', ['2', '2.1', '3']],
    ['2', ['2.1', '3']],
    ['2.1', ['3']],
    ['2.7', ['3']],
  ])('resumes after %s without a gap or a repeat', async (lastId, expected) => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    events.push(statusEvent('r-1', 1, RunStatus.RUNNING), noteEvent('r-1', 2, 'hello'));
    events.push(taskEvent('r-1', 2, 't1', TaskStatus.QUEUED), taskEvent('r-1', 2, 't2', TaskStatus.QUEUED));
    events.push(statusEvent('r-1', 3, RunStatus.FAILED));
    events.end();
    const seen = parseSse(await (await open('r-1', lastId)).rest());
    expect(seen.flatMap((event) => event.id ?? [])).toEqual(expected);
    expect(seen.at(-1)?.event).toBe('end');
    const asked = harness.scheduler.last<schedulerProto.WatchRunRequest>('watchRun');
    expect(asked).toEqual({ runId: 'r-1', afterSequence: Number(lastId.split('.')[0]) - 1 });
  });

  it('answers 204 to a client that has seen the end of a run that ended', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1', status: RunStatus.SUCCEEDED });
    events.push(statusEvent('r-1', 3, RunStatus.SUCCEEDED));
    events.end();
    expect((await call(harness.url, 'GET', '/api/v1/runs/r-1/events', undefined, { 'Last-Event-ID': '3' })).status).toBe(204);
  });

  it('refuses an unknown run and an id it never gave', async () => {
    expect((await call(harness.url, 'GET', '/api/v1/runs/r-no/events')).status).toBe(404);
    harness.scheduler.add({ runId: 'r-1' });
    const answer = await call(harness.url, 'GET', '/api/v1/runs/r-1/events', undefined, { 'Last-Event-ID': 'abc' });
    expect(answer).toMatchObject({ status: 400, body: { error: "Last-Event-ID: 'abc' is not an id of this stream" } });
  });

  it('sends heartbeats while nothing happens', async () => {
    harness.scheduler.add({ runId: 'r-1' });
    const stream = await open('r-1');
    expect(await stream.until(': heartbeat\n\n: heartbeat\n\n')).toMatch(/^retry: 2000\n\n: heartbeat/);
    stream.leave();
  });

  it('says when the source fails, and does not say that the run ended', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    const stream = await open('r-1');
    events.fail(new ServiceError('UNAVAILABLE', 'the scheduler left'));
    const seen = parseSse(await stream.rest());
    expect(seen).toEqual([{ event: 'stream-error', data: { error: 'the scheduler left', code: 'UNAVAILABLE' } }]);
  });

  it('leaves the scheduler when the client leaves', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    events.push(statusEvent('r-1', 1, RunStatus.RUNNING));
    const stream = await open('r-1');
    await stream.until('running');
    stream.leave();
    const watch = harness.scheduler.asked.find((asked) => asked.rpc === 'watchRun');
    await gone(watch!.context.signal);
  });

  it('ends without `end` when the gateway closes', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    events.push(statusEvent('r-1', 1, RunStatus.RUNNING));
    const stream = await open('r-1');
    await stream.until('running');
    const [text] = await Promise.all([stream.rest(), harness.gateway.close()]);
    expect(parseSse(text).map((event) => event.event)).toEqual(['run_status']);
  });
});

describe('GET /api/v1/runs/:id/logs', () => {
  let harness: Harness;
  const url = (query = ''): string => `${harness.url}/api/v1/runs/r-1/logs${query}`;
  const chunk = (taskId: string, step: string, text: string): run.LogChunk =>
    run.LogChunk.fromPartial({ taskId, step, text, stream: LogStream.STDOUT });

  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.stop());
  beforeEach(() => harness.scheduler.reset());

  it('gives whole lines, each with its step and task', async () => {
    const { logs } = harness.scheduler.add({ runId: 'r-1' });
    logs.push(chunk('t1', 'align', 'one\ntw'), chunk('t2', 'qc', 'x\n'), chunk('t1', 'align', 'o\nlast'));
    const response = await fetch(url());
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('[align t1] one\n[qc t2] x\n[align t1] two\n[align t1] last\n');
  });

  it("gives one task's text as it is", async () => {
    const { logs } = harness.scheduler.add({ runId: 'r-1' });
    logs.push(chunk('t1', 'align', 'a\nb'), chunk('t2', 'qc', 'x\n'), chunk('t1', 'align', 'c'));
    expect(await (await fetch(url('?task_id=t1'))).text()).toBe('a\nbc');
    expect(harness.scheduler.last('streamLogs')).toEqual({ runId: 'r-1', taskId: 't1', follow: false, afterCursor: '' });
  });

  it('answers a follower at once, before anything is written', async () => {
    const { logs } = harness.scheduler.add({ runId: 'r-1' });
    const stream = await TextStream.open(url('?follow=true'));
    expect([stream.response.status, stream.response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform');
    logs.end();
    expect(await stream.rest()).toBe('');
  });

  it('follows until the run ends', async () => {
    const { logs } = harness.scheduler.add({ runId: 'r-1' });
    logs.push(chunk('t1', '', 'one\n'));
    const stream = await TextStream.open(url('?follow=true'));
    await stream.until('one\n');
    logs.push(chunk('t1', '', 'two\n'));
    logs.end();
    expect(await stream.rest()).toBe('one\ntwo\n');
  });

  it('is empty where nothing was written, and an error where it fails', async () => {
    harness.scheduler.add({ runId: 'r-1' });
    expect(await (await fetch(url())).text()).toBe('');
    expect((await call(harness.url, 'GET', '/api/v1/runs/r-no/logs')).status).toBe(404);
    expect(await call(harness.url, 'GET', '/api/v1/runs/r-1/logs?follow=yes')).toMatchObject({ status: 400 });
    harness.scheduler.runs.get('r-1')!.logs.fail(new ServiceError('NOT_FOUND', "no task 't9'"));
    expect(await call(harness.url, 'GET', '/api/v1/runs/r-1/logs?task_id=t9')).toMatchObject({
      status: 404,
      body: { error: "no task 't9'" },
    });
  });
});
