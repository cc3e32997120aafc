import fc from 'fast-check';
import type { CommandLineTool, CwlObject, Requirement, Workflow } from '@weft/plan';
import type { Command, EngineEvent, RunOptions } from './index.js';
import { decide, initialState } from './index.js';
import { Driver, plan, tool, workflow } from './testing.js';

const file = (path: string, checksum = '1'): CwlObject => ({
  class: 'File',
  location: `file:///data/runs/r/${path}`,
  checksum: `sha1$${checksum}`,
});
const SHARED = file('t-1.1/x');
const LOCATION = 'file:///data/runs/r/t-1.1/x';
const UPDATE: Requirement[] = [
  { class: 'InplaceUpdateRequirement', inplaceUpdate: true },
  { class: 'InitialWorkDirRequirement', listing: [{ entry: '$(inputs.f)', writable: true }] },
];
const HIDDEN: Requirement[] = [
  { class: 'InplaceUpdateRequirement', inplaceUpdate: true },
  { class: 'InitialWorkDirRequirement', listing: '$([{entry: inputs.f, writable: true}])' },
];

const make = tool('make', []);
const update = tool('update', ['f', 'after'], ['out'], { requirements: UPDATE });
const hidden = tool('hidden', ['f', 'after'], ['out'], { requirements: HIDDEN });
const read = tool('read', ['f', 'after']);
const TOOLS = [make, update, hidden, read];

/** All tools give the same file; what `hidden` changes the events say. */
class Scene extends Driver {
  constructor(
    steps: Parameters<typeof workflow>[3],
    options: Partial<RunOptions> = {},
    others: (Workflow | CommandLineTool)[] = [],
    gives: CwlObject = SHARED,
  ) {
    super(
      plan('main', workflow('main', [], {}, { make: { run: 'make' }, ...steps }), ...TOOLS, ...others),
      {},
      { run: () => ({ out: gives }) },
      options,
    );
  }

  override answer(command: Command): EngineEvent {
    const event = super.answer(command);
    const hides = command.type === 'RunTask' && command.process === 'hidden';
    return hides && event.type === 'TaskSucceeded' ? { ...event, inPlace: [LOCATION] } : event;
  }
}

const end = (scene: Driver) => scene.ends().at(-1);
/** What a step does that only events tell of is not known before. */
const conflict = (run: string, message: RegExp) => ({
  status: 'failed',
  failure: { code: 'INPLACE_CONFLICT', message: run === 'hidden' ? expect.any(String) : expect.stringMatching(message) },
});
const from = (step: string) => `${step}/out`;

describe.each(['update', 'hidden'])('a file that "%s" changes in place', (run) => {
  it.each<[string, Parameters<typeof workflow>[3], RegExp]>([
    [
      'two steps change',
      { a: { run, in: { f: from('make') } }, b: { run, in: { f: from('make') } } },
      /'a' and step 'b' both change .*t-1\.1\/x in place/,
    ],
    [
      'another step reads',
      { a: { run, in: { f: from('make') } }, b: { run: 'read', in: { f: from('make') } } },
      /'a' changes .* in place, and step 'b', which neither waits/,
    ],
    [
      'a step reads that waits for something else',
      { a: { run, in: { f: from('make') } }, c: { run: 'read' }, b: { run: 'read', in: { f: from('make'), after: from('c') } } },
      /'a' changes .* and step 'b'/,
    ],
    [
      'two updaters of an update',
      { a: { run, in: { f: from('make') } }, b: { run, in: { f: from('a') } }, c: { run, in: { f: from('a') } } },
      /'b' and step 'c' both change/,
    ],
  ])('is an error where %s, in whatever order they end', (_name, steps, message) => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        fc.constantFrom<RunOptions['failureMode']>('fail-fast', 'continue'),
        (picks, failureMode) => {
          const scene = new Scene(steps, { failureMode });
          let at = 0;
          scene.finish((open) => (picks[at++ % picks.length] ?? 0) % open);
          const told = end(scene);
          expect(told).toMatchObject({ status: 'failed', failure: { code: 'INPLACE_CONFLICT' } });
          const names = [...message.source.matchAll(/'(\w)'/g)].map(([, name]) => name);
          for (const name of names) expect(told?.failure?.message).toContain(`step '${name}'`);
        },
      ),
    );
    const scene = new Scene(steps);
    scene.finish();
    expect(end(scene)).toMatchObject(conflict(run, message));
  });

  it.each<[string, Parameters<typeof workflow>[3]]>([
    [
      'one step after the other changes it',
      { a: { run, in: { f: from('make') } }, b: { run, in: { f: from('a') } }, c: { run: 'read', in: { f: from('b') } } },
    ],
    [
      'a step reads it by its old name, after the update',
      { a: { run, in: { f: from('make') } }, b: { run: 'read', in: { f: from('make'), after: from('a') } } },
    ],
    [
      'a step reads it, and the update waits for that',
      { b: { run: 'read', in: { f: from('make') } }, a: { run, in: { f: from('make'), after: from('b') } } },
    ],
    [
      'several read what was updated before',
      { a: { run, in: { f: from('make') } }, b: { run: 'read', in: { f: from('a') } }, c: { run: 'read', in: { f: from('a') } } },
    ],
    ['other steps have nothing to do with it', { a: { run, in: { f: from('make') } }, b: { run: 'read' } }],
  ])('is none where %s', (_name, steps) => {
    const scene = new Scene(steps);
    scene.finish();
    expect(end(scene)).toMatchObject({ status: 'succeeded' });
  });

  it('is an error in shards of one scatter, and not in iterations of a loop', () => {
    const inputs = { f: from('make'), after: { default: [1, 2] } };
    const scattered = new Scene({ a: { run, scatter: ['after'], scatterMethod: 'dotproduct', in: inputs } });
    scattered.finish();
    expect(end(scattered)).toMatchObject(
      conflict(run, /'a' \[0\] and step 'a' \[1\] both change|'a' \[1\] and step 'a' \[0\] both change/),
    );
  });

  it('is an error across nested workflows', () => {
    const inner = workflow('inner', ['f'], { out: 'u/out' }, { u: { run, in: { f: 'f' } } });
    const steps = { a: { run: 'inner', in: { f: from('make') } }, b: { run: 'inner', in: { f: from('make') } } };
    const scene = new Scene(steps, {}, [inner]);
    scene.finish();
    expect(end(scene)).toMatchObject(conflict(run, /'a\/u' and step 'b\/u' both change|'b\/u' and step 'a\/u' both change/));
    const ordered = new Scene({ a: { run: 'inner', in: { f: from('make') } }, b: { run: 'inner', in: { f: from('a') } } }, {}, [inner]);
    ordered.finish();
    expect(end(ordered)).toMatchObject({ status: 'succeeded' });
  });

  it('is known to be one again when the run is retried or its log replayed', () => {
    const scene = new Scene({ a: { run, in: { f: from('make') } }, b: { run, in: { f: from('make') } } });
    scene.finish();
    scene.feed({ type: 'RunEnded', status: 'failed', failure: { code: 'INPLACE_CONFLICT', message: '' } });
    scene.feed({ type: 'RunRetried' });
    scene.finish();
    expect(end(scene)).toMatchObject({ status: 'failed', failure: { code: 'INPLACE_CONFLICT' } });
    expect(scene.ends().length).toBe(2);
    const replayed = initialState(scene.state.plan);
    for (const [index, event] of scene.events.entries()) decide(replayed, event, index + 1);
    expect(replayed.failure).toEqual(scene.state.failure);
  });
});

it('nothing is executed where the document says who changes what', () => {
  const scene = new Scene({ a: { run: 'update', in: { f: from('make') } }, b: { run: 'update', in: { f: from('make') } } });
  const [first] = scene.open.splice(0, 1);
  if (first) scene.feed(scene.answer(first));
  // The second step was refused in the turn that began the first, which is stopped.
  expect(scene.commands.filter(({ type }) => type === 'RunTask').length).toBe(2);
  expect(scene.commands.at(-1)?.type).toBe('CancelTasks');
});

it('is told as soon as the tool has begun, and not only when it has ended', () => {
  const scene = new Scene({ a: { run: 'hidden', in: { f: from('make') } }, b: { run: 'read', in: { f: from('make') } } });
  const [first] = scene.open.splice(0, 1);
  if (first) scene.feed(scene.answer(first));
  const begins = scene.open.find((one) => one.type === 'RunTask' && one.process === 'hidden');
  if (begins?.type !== 'RunTask') throw new Error('no such task');
  expect(scene.state.failure).toBeUndefined();
  const { taskId, attempt } = begins;
  scene.feed({ type: 'TaskStarted', taskId, attempt, runnerId: 'x', runtime: 'process', inPlace: [LOCATION] });
  expect(scene.state.failure).toMatchObject({ code: 'INPLACE_CONFLICT' });
  expect(scene.commands.at(-1)?.type).toBe('CancelTasks');
});

it('a directory stands for all below it, and files of its name’s beginning do not', () => {
  const directory: CwlObject = { class: 'Directory', location: 'file:///data/runs/r/t-1.1/d/' };
  const entry = file('t-1.1/d/in/it');
  const beside = file('t-1.1/d2');
  for (const [given, status] of [
    [entry, 'failed'],
    [beside, 'succeeded'],
  ] as const) {
    const steps = { a: { run: 'update', in: { f: from('make') } }, b: { run: 'read', in: { f: { default: given } } } };
    const scene = new Scene(steps, {}, [], directory);
    scene.finish();
    expect(end(scene)?.status).toBe(status);
  }
});

it('an input of the user’s is copied, and nobody’s to share', () => {
  const steps = { a: { run: 'update', in: { f: from('make') } }, b: { run: 'update', in: { f: from('make') } } };
  const scene = new Scene(steps, {}, [], { class: 'File', location: 'file:///home/me/x' });
  scene.finish();
  expect(end(scene)?.status).toBe('succeeded');
});

describe('an attempt that may have changed files', () => {
  const steps = { a: { run: 'hidden', in: { f: from('make') } } };
  const begun = (): { scene: Scene; taskId: string } => {
    const scene = new Scene(steps);
    const [first] = scene.open.splice(0, 1);
    if (first) scene.feed(scene.answer(first));
    const [second] = scene.open.splice(0, 1);
    if (second?.type !== 'RunTask') throw new Error('no second task');
    return { scene, taskId: second.taskId };
  };
  const failure = { code: 'RUNTIME_LOST', message: 'the runner is gone' };

  it('is the last one, and a retry of the run says so again', () => {
    const { scene, taskId } = begun();
    scene.feed({ type: 'TaskFailed', taskId, attempt: 1, failure, retryable: true, inPlace: [LOCATION] });
    const message = expect.stringMatching(/the runner is gone .*may have changed .*x in place, so it is not tried again/);
    expect(end(scene)).toMatchObject({ status: 'failed', failure: { code: 'RUNTIME_LOST', message } });
    scene.feed({ type: 'RunEnded', status: 'failed', failure });
    scene.feed({ type: 'RunRetried' });
    expect(scene.open).toEqual([]);
    expect(scene.ends().length).toBe(2);
    expect(end(scene)).toMatchObject({ status: 'failed', failure: { code: 'RUNTIME_LOST', message } });
  });

  it('is not, where it had not begun: the next one is no other user of the file', () => {
    const { scene, taskId } = begun();
    scene.feed({ type: 'TaskFailed', taskId, attempt: 1, failure, retryable: true });
    scene.feed({ type: 'TaskStarted', taskId, attempt: 2, runnerId: 'x', runtime: 'process', inPlace: [LOCATION] });
    scene.feed({ type: 'TaskSucceeded', taskId, attempt: 2, outputs: { out: SHARED }, inPlace: [LOCATION] });
    expect(end(scene)).toMatchObject({ status: 'succeeded' });
  });

  it('is the last one where it was stopped with the run', () => {
    const { scene, taskId } = begun();
    scene.feed({ type: 'CancelAsked', reason: 'enough' });
    scene.feed({ type: 'TaskCancelled', taskId, attempt: 1, inPlace: [LOCATION] });
    expect(end(scene)).toMatchObject({ status: 'cancelled' });
    scene.feed({ type: 'RunEnded', status: 'cancelled' });
    scene.feed({ type: 'RunRetried' });
    expect(end(scene)).toMatchObject({ status: 'failed', failure: { message: expect.stringContaining('may have changed') } });
  });
});
