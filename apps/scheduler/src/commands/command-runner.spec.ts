import type { Command } from '@weft/engine';
import type { ExpressionTool } from '@weft/plan';
import { EvaluationDropped, type ExpressionEvaluator, type OwnedEvaluator } from '@weft/expressions';
import { createLogger } from '@weft/platform';
import { createFakeTaskQueue, DeferredGate, Faults, FakeTaskQueueData, Inbox, misbehaving } from '@weft/testing';
import { createFakeProjectSlots, FakeSlotsData } from '../../test/fake-project-slots.js';
import { TaskReleaser } from '../admission/task-releaser.js';
import { SlotKeeper } from '../admission/slots/slot-keeper.js';
import { CommandRunner } from './command-runner.js';
import type { OwnedRun } from '../runs/owned-run.js';
import { TaskStopper } from '../jobs/task-stopper.js';
import { openReach } from '../../test/open-reach.js';
import { anOwnedRun, aTaskRecord, stateWith } from '../../test/an-owned-run.js';

type RunTask = Extract<Command, { type: 'RunTask' }>;

const command: RunTask = {
  ...{ type: 'RunTask', taskId: 't-1', attempt: 2, step: 's', index: '', process: 't' },
  ...{ inputs: {}, inherited: { requirements: [], hints: [] }, decidedAtMs: 0, delayMs: 500 },
};

const tool: ExpressionTool = {
  ...{ class: 'ExpressionTool', id: 't', declaredVersion: 'v1.2', expression: '$(1)' },
  ...{ inputs: [], outputs: [], requirements: [], hints: [] },
};

/** What the command runner needs of an actor; `wanted` says whether the attempt is still to be made. */
function anActor(wanted: () => boolean, runId = 'r-1'): { actor: OwnedRun; offered: Inbox<string> } {
  const offered = new Inbox<string>();
  const actor = anOwnedRun({
    runId,
    plan: { planVersion: 1, cwlVersion: 'v1.2', root: 't', processes: { t: tool } },
    state: stateWith([aTaskRecord({ attempt: 2 })]),
    wants: wanted,
    offer: async (event) => {
      offered.push(event.type);
      return true;
    },
  });
  return { actor, offered };
}

function commandRunner(
  faults = new Faults(),
  evaluate?: ExpressionEvaluator['evaluate'],
  drop: OwnedEvaluator['drop'] = () => undefined,
): {
  runner: CommandRunner;
  queue: ReturnType<typeof createFakeTaskQueue>;
  late: (() => void)[];
} {
  const queue = createFakeTaskQueue(new FakeTaskQueueData());
  const late: (() => void)[] = [];
  const clock = { now: () => 0, after: (_delayMs: number, work: () => void) => (late.push(work), (): void => undefined) };
  const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
  const logger = createLogger('test', 'silent');
  const releaser = new TaskReleaser({
    ...{ queue: misbehaving(queue, faults), logger, clock },
    stopper: new TaskStopper({ queue, canceller: { cancel: () => false }, cancels: { send: async () => undefined }, logger, clock }),
    ...{ startable: () => 4, terms: () => ({ weight: 1, cap: Infinity }) },
    slots: new SlotKeeper({ slots: createFakeProjectSlots(new FakeSlotsData()), limitOf: () => Infinity, logger, clock }),
  });
  const reach = openReach({ stat: never, readText: never, list: never });
  const runner = new CommandRunner({ releaser, evaluator: { evaluate: evaluate ?? never, drop }, reach, logger, clock });
  return { runner, queue, late };
}

describe('commands that wait', () => {
  it('are acted on when their time has come', async () => {
    const { runner, queue, late } = commandRunner();
    runner.execute(anActor(() => true).actor, [command]);
    late.shift()?.();
    expect(await queue.depth('default')).toMatchObject({ waiting: 1 });
  });

  it('are forgotten where the run has ended, or moved, meanwhile', async () => {
    const { runner, queue, late } = commandRunner();
    runner.execute(anActor(() => false).actor, [command]);
    late.shift()?.();
    expect(await queue.depth('default')).toMatchObject({ waiting: 0 });
  });
});

it('takes a task out only after it was put in', async () => {
  const faults = new Faults();
  const { runner, queue } = commandRunner(faults);
  const { actor, offered } = anActor(() => true);
  const add: DeferredGate = faults.hold('add');
  runner.execute(actor, [{ ...command, delayMs: 0 }]);
  await add.reached;
  runner.execute(actor, [{ type: 'CancelTasks', tasks: [{ taskId: 't-1', attempt: 2 }] }]);
  expect(faults.calls.map(({ operation }) => operation)).toEqual(['add']);
  add.open();
  expect(await offered.atLeast(1)).toEqual(['TaskCancelled']);
  expect(await queue.depth('default')).toMatchObject({ waiting: 0 });
});

it('what one run evaluates without end keeps no other run waiting', async () => {
  const asked: string[] = [];
  const { runner } = commandRunner(new Faults(), (_expression, _context, { owner }) => {
    asked.push(owner?.run ?? '');
    return owner?.run === 'r-endless' ? new Promise(() => undefined) : Promise.resolve({});
  });
  const tool = {
    ...{ type: 'EvaluateExpressionTool' as const, attempt: 1, step: 's', process: 't' },
    inputs: {},
    inherited: command.inherited,
  };
  const endless = Array.from({ length: 1000 }, (_, i) => ({ ...tool, taskId: `e-${i}` }));
  runner.execute(anActor(() => true, 'r-endless').actor, endless);
  const { actor, offered } = anActor(() => true, 'r-other');
  runner.execute(actor, [{ ...tool, taskId: 'o-1' }]);
  expect(await offered.atLeast(1)).toEqual(['TaskSucceeded']);
  expect(asked.filter((run) => run === 'r-endless').length).toBe(64);
});

describe('a run that is stopped', () => {
  const tool = { type: 'EvaluateExpressionTool' as const, attempt: 1, step: 's', process: 't', inputs: {}, inherited: command.inherited };
  const bindings = {
    ...{ type: 'EvaluateBindings' as const, node: 's', workflow: 'w', step: 's', iteration: 0, loop: false },
    ...{ shards: [{ index: 0, values: {} }], effective: command.inherited },
  };
  const workflow = {
    class: 'Workflow',
    declaredVersion: 'v1.2',
    steps: [{ name: 's', scatter: [], in: [{ name: 'a', valueFrom: '$(1)' }], when: undefined }],
  };
  const stopping = { CancelAsked: 'cancelling', TaskFailed: 'failing' } as const;

  it.each(Object.entries(stopping))('by %s waits for no expression', async (type, phase) => {
    const waiting: ((error: Error) => void)[] = [];
    const dropped: string[] = [];
    const { runner } = commandRunner(
      new Faults(),
      () => new Promise((_, reject) => waiting.push(reject)),
      ({ run }) => {
        dropped.push(run);
        for (const reject of waiting.splice(0)) reject(new EvaluationDropped());
      },
    );
    const { actor, offered } = anActor(() => true);
    Object.assign(actor.plan.processes, { w: workflow });
    const state = actor.state as { phase: string };
    state.phase = 'running';
    const tools = Array.from({ length: 100 }, (_, i) => ({ ...tool, taskId: `e-${i}` }));
    runner.execute(actor, [bindings as never, ...tools]);
    await Promise.resolve();
    runner.applied(actor, { type: 'TaskStarted' } as never);
    expect(dropped).toEqual([]);
    state.phase = phase;
    runner.applied(actor, { type } as never);
    expect([...(await offered.atLeast(101))].sort()).toEqual(['BindingsFailed', ...Array.from({ length: 100 }, () => 'TaskCancelled')]);
    expect(new Set(dropped)).toEqual(new Set(['r-1']));
    // What comes due after it has stopped does not begin.
    runner.execute(actor, [{ ...tool, taskId: 'late' }, bindings as never]);
    expect((await offered.atLeast(103)).slice(101).sort()).toEqual(['BindingsFailed', 'TaskCancelled']);
    expect(waiting).toEqual([]);
  });
});
