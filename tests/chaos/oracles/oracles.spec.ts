/** The oracles find what they are for. */
import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decide, type EngineEvent, initialState, type RunOptions } from '@weft/engine';
import { ACCEPTED, plan, tool, workflow } from '../../../libs/engine/src/testing.js';
import type { LogEntry } from '@weft/run-store';
import { leftProcesses } from './host.js';
import { publishedIn, wrongIn } from './logs.js';
import { filesBeside } from './storage.js';
import { lookAt, spoil } from '../outputs.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-oracles-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('finds a process by its environment, and none once it is gone', async () => {
  const child = spawn('sleep', ['1000'], { env: { ...process.env, WEFT_HOME: folder }, stdio: 'ignore' });
  await new Promise((started) => child.once('spawn', started));
  expect(leftProcesses(folder)).toEqual([`${child.pid} sleep 1000`]);
  const gone = new Promise((done) => child.once('close', done));
  child.kill('SIGKILL');
  await gone;
  expect(leftProcesses(folder)).toEqual([]);
});

it('reads the bytes that outputs lead to', () => {
  const path = join(folder, 'a.txt');
  writeFileSync(path, 'hello\n');
  const file = { class: 'File', basename: 'a.txt', size: 6, location: `file://${path}` };
  const checksum = 'sha1$f572d396fae9206628714fb2ce00f72e94f2258f';
  expect(lookAt({ a: { ...file, checksum } }).problems).toEqual([]);
  expect(lookAt({ a: { ...file, checksum: 'sha1$0' } }).problems).toHaveLength(1);
  expect(lookAt({ a: { ...file, checksum, location: `${file.location}.gone` } }).problems).toHaveLength(1);
  writeFileSync(path, 'jello\n');
  expect(lookAt({ a: { ...file, checksum } }).problems).toHaveLength(1);
});

it('sees what is in a directory, not where it lies', () => {
  const [here, there] = ['here', 'there'].map((name) => mkdtempSync(join(folder, name))) as [string, string];
  const texts = (): string[] => [here, there].map((path) => lookAt({ d: { class: 'Directory', location: `file://${path}` } }).text);
  for (const path of [here, there]) writeFileSync(join(path, 'x'), 'same');
  expect(texts()[0]).toBe(texts()[1]);
  writeFileSync(join(there, 'x'), 'other');
  expect(texts()[0]).not.toBe(texts()[1]);
});

it('knows whose folders outputs lie in', () => {
  const text = JSON.stringify([{ location: 'file:///d/runs/r-1/r-1-4.2/deep/a.txt' }, { location: 'file:///d/runs/r-2/r-2-1.1' }]);
  expect(publishedIn(text, '/d')).toEqual(['r-1-4.2', 'r-2-1.1']);
  expect(publishedIn('null', '/d')).toEqual([]);
});

it('takes a file away, or puts another in its place, and leaves its other names alone', () => {
  const [path, other] = [join(folder, 'a.txt'), join(folder, 'b.txt')];
  const outputs = { a: [{ class: 'File', location: `file://${path}` }] };
  writeFileSync(other, 'hello\n');
  linkSync(other, path);
  spoil(outputs, 0.99, 'replaced');
  expect(readFileSync(path, 'utf8')).not.toBe('hello\n');
  expect(readFileSync(path)).toHaveLength(6);
  spoil(outputs, 0, 'deleted');
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(other, 'utf8')).toBe('hello\n');
});

describe('a log', () => {
  const two = plan(
    'main',
    workflow('main', ['x'], { a: 'a/out', b: 'b/out' }, { a: { run: 't', in: { x: 'x' } }, b: { run: 't', in: { x: 'x' } } }),
    tool('t', ['x']),
  );
  const bound = (node: string): EngineEvent => ({
    type: 'BindingsEvaluated',
    node,
    iteration: 0,
    shards: [{ index: 0, inputs: { x: 1 }, run: true }],
  });
  const begin = (options: Partial<RunOptions> = {}): EngineEvent[] => [
    { ...ACCEPTED, inputs: { x: 1 }, options: { ...ACCEPTED.options, ...options } },
    bound('a'),
    bound('b'),
  ];
  const started = (taskId: string, attempt = 1): EngineEvent => ({
    type: 'TaskStarted',
    taskId,
    attempt,
    runnerId: 'r',
    runtime: 'process',
  });
  const succeeded = (taskId: string, attempt = 1): EngineEvent => ({ type: 'TaskSucceeded', taskId, attempt, outputs: { out: 'y' } });
  const failed = (taskId: string): EngineEvent => ({
    type: 'TaskFailed',
    taskId,
    attempt: 1,
    failure: { code: 'TOOL_FAILED', message: '' },
    retryable: false,
  });
  const wrong = (events: EngineEvent[]): string[] =>
    wrongIn(
      'r',
      two,
      events.map((event, i) => ({ sequence: i + 1, atMs: i, event: event as unknown as LogEntry['event'] })),
    );
  const ids = (): string[] => {
    const state = initialState(two);
    for (const event of begin()) decide(state, event, 0);
    return [...state.tasks.keys()];
  };

  it('is right where each task has its result and the run its end', () => {
    const [a = '', b = ''] = ids();
    const events = [...begin(), started(a), started(b), succeeded(a), succeeded(b)];
    expect(wrong([...events, { type: 'RunEnded', status: 'succeeded' }])).toEqual([]);
    expect(wrong(events)).toEqual([expect.stringContaining('0 ends')]);
  });

  it('shows tasks beyond the limit of the run', () => {
    const [a = '', b = ''] = ids();
    const events = [started(a), started(b), succeeded(a), succeeded(b), { type: 'RunEnded', status: 'succeeded' } as const];
    expect(wrong([...begin({ maxParallelTasks: 2 }), ...events])).toEqual([]);
    expect(wrong([...begin({ maxParallelTasks: 1 }), ...events])).toEqual([expect.stringContaining('2 tasks run')]);
  });

  it('shows what a retry begins again although it had succeeded', () => {
    const [a = '', b = ''] = ids();
    const first = [
      ...begin(),
      started(a),
      succeeded(a),
      started(b),
      failed(b),
      { type: 'RunEnded', status: 'failed' },
      { type: 'RunRetried' },
    ] as EngineEvent[];
    const rest = [started(b, 2), succeeded(b, 2), { type: 'RunEnded', status: 'succeeded' }] as EngineEvent[];
    expect(wrong([...first, ...rest])).toEqual([]);
    expect(wrong([...first, started(a), ...rest])).toEqual([expect.stringContaining('begun again')]);
  });
});

it('finds what storage should not have', () => {
  for (const path of ['runs/r-1/t.1', 'runs/r-1/t.2', 'runs/r-2', 'cache/k/t.1', '.trash/x'])
    mkdirSync(join(folder, path), { recursive: true });
  for (const path of ['runs/r-1/t.1/out', 'runs/r-1/t.1/beside', 'runs/r-1/t.2/loser', 'cache/k/t.1/known', 'stray'])
    writeFileSync(join(folder, path), '');
  const wanted = { outputs: new Set([join(folder, 'runs/r-1/t.1/out')]), kept: ['cache/k/t.1'], runs: 0 };
  const found = filesBeside(folder, wanted).map((text) => text.slice(folder.length + 1).split(' ')[0]);
  expect(found.sort()).toEqual(['.trash/x', 'runs/r-1/t.1/beside', 'runs/r-1/t.2/loser', 'runs/r-2/', 'stray']);
});
