import fc from 'fast-check';
import { decide, initialState, type Command, type EngineEvent, type RunOptions, type RunState } from './index.js';
import { ACCEPTED, Driver, plan, tool, workflow } from './testing.js';
import type { Plan } from '@weft/plan';

const failure = (code = 'TOOL_EXIT'): { code: string; message: string } => ({ code, message: 'it failed' });

/** Feeds events by hand; every command given out is kept. */
class Hand {
  readonly state: RunState;
  readonly given: Command[] = [];
  readonly log: EngineEvent[] = [];
  atMs = 0;

  constructor(
    readonly of: Plan,
    options: Partial<RunOptions> = {},
    inputs = {},
  ) {
    this.state = initialState(of);
    this.feed({ ...ACCEPTED, inputs, options: { ...ACCEPTED.options, ...options } });
  }

  feed(event: EngineEvent): Command[] {
    this.log.push(event);
    const { commands } = decide(this.state, event, (this.atMs += 1));
    this.given.push(...commands);
    return commands;
  }

  tasks(commands: Command[] = this.given): Extract<Command, { type: 'RunTask' }>[] {
    return commands.filter((command) => command.type === 'RunTask');
  }

  succeed({ taskId, attempt }: { taskId: string; attempt: number }, out = 'o'): Command[] {
    return this.feed({ type: 'TaskSucceeded', taskId, attempt, outputs: { out } });
  }

  fail(
    { taskId, attempt }: { taskId: string; attempt: number },
    more: Partial<Extract<EngineEvent, { type: 'TaskFailed' }>> = {},
  ): Command[] {
    return this.feed({ type: 'TaskFailed', taskId, attempt, failure: failure(), retryable: false, ...more });
  }

  /** What the shell does with EndRun. */
  seal(): Extract<Command, { type: 'EndRun' }> {
    const end = this.given.findLast((command) => command.type === 'EndRun');
    if (!end) throw new Error('the run has not ended');
    this.feed({ type: 'RunEnded', status: end.status, outputs: end.outputs, failure: end.failure });
    return end;
  }
}

const [a, b, c] = ['a', 'b', 'c'].map((id) => tool(id, ['x']));
const two = plan(
  'w',
  workflow(
    'w',
    ['x'],
    { out: 'second/out', side: 'side/out' },
    {
      first: { run: 'a', in: { x: 'x' } },
      second: { run: 'b', in: { x: 'first/out' } },
      side: { run: 'c', in: { x: 'x' } },
    },
  ),
  a!,
  b!,
  c!,
);

describe('a task that its runner prepares', () => {
  const doing = { type: 'TaskPreparing', runnerId: 'r', runtime: 'docker', doing: 'pulling it' } as const;

  it('says what is done with it until it starts, and again where it loses its start', () => {
    const hand = new Hand(two);
    const { taskId, attempt } = hand.tasks()[0]!;
    const shown = (): unknown[] => {
      const task = hand.state.tasks.get(taskId)!;
      return [task.status, task.preparing, task.runnerId];
    };
    expect(hand.feed({ ...doing, taskId, attempt })).toEqual([]);
    expect([shown(), hand.state.tally]).toEqual([['queued', 'pulling it', 'r'], expect.objectContaining({ queued: 2, running: 0 })]);
    hand.feed({ type: 'TaskStarted', taskId, attempt, runnerId: 'r', runtime: 'docker' });
    expect(shown()).toEqual(['running', undefined, 'r']);
    hand.feed({ ...doing, taskId, attempt });
    expect([shown(), hand.state.tally]).toEqual([['queued', 'pulling it', 'r'], expect.objectContaining({ queued: 2, running: 0 })]);
    // Before another has it, and when there is nothing to be done any more.
    hand.feed({ type: 'TaskPreparing', taskId, attempt, doing: 'looking at its inputs' });
    expect(shown()).toEqual(['queued', 'looking at its inputs', 'r']);
    hand.feed({ type: 'TaskPreparing', taskId, attempt, doing: '' });
    expect(shown()).toEqual(['queued', undefined, 'r']);
    hand.fail({ taskId, attempt }, { retryable: true });
    expect(shown()).toEqual(['queued', undefined, undefined]);
    hand.feed({ ...doing, taskId, attempt });
    expect(shown()).toEqual(['queued', undefined, undefined]);
  });
});

describe('a run whose time limit has passed', () => {
  const timeLimit = { type: 'CancelAsked', reason: 'too long', timeLimit: true } as const;

  it.each(['fail-fast', 'continue'] as const)('fails with a code of its own, and can be retried (%s)', (failureMode) => {
    const hand = new Hand(two, { failureMode });
    const [first, side] = hand.tasks();
    if (failureMode === 'continue') hand.fail(first!);
    hand.feed(timeLimit);
    if (failureMode !== 'continue') hand.feed({ type: 'TaskCancelled', taskId: first!.taskId, attempt: 1 });
    hand.feed({ type: 'TaskCancelled', taskId: side!.taskId, attempt: 1 });
    expect(hand.seal()).toMatchObject({ status: 'failed', failure: { code: 'RUN_TIME_LIMIT', message: 'too long' } });
    const again = hand.tasks(hand.feed({ type: 'RunRetried' }));
    expect(again.map(({ attempt }) => attempt)).toEqual([2, 2]);
  });

  it('was cancelled where somebody asked before', () => {
    const hand = new Hand(two);
    hand.feed({ type: 'CancelAsked', reason: 'enough' });
    hand.feed(timeLimit);
    for (const { taskId } of hand.tasks()) hand.feed({ type: 'TaskCancelled', taskId, attempt: 1 });
    expect(hand.seal()).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED', message: 'enough' } });
  });
});

describe('a retried run', () => {
  it('keeps what succeeded and tries what failed or was stopped again, once each', () => {
    const hand = new Hand(two);
    const [first, side] = hand.tasks();
    hand.succeed(first!);
    const second = hand.tasks().at(-1)!;
    hand.fail(second);
    hand.feed({ type: 'TaskCancelled', taskId: side!.taskId, attempt: 1 });
    expect(hand.seal()).toMatchObject({ status: 'failed', failure: { code: 'TOOL_EXIT', step: 'second' } });

    const again = hand.tasks(hand.feed({ type: 'RunRetried' }));
    expect(again.map(({ step, attempt }) => [step, attempt])).toEqual([
      ['side', 2],
      ['second', 2],
    ]);
    expect(hand.state).toMatchObject({ phase: 'running', tally: { queued: 2, failed: 0, cancelled: 0, succeeded: 1 } });
    expect([...hand.state.live]).toEqual(
      expect.arrayContaining([
        ['second', 1],
        ['side', 1],
      ]),
    );
    for (const task of again) hand.succeed(task, `again ${task.step}`);
    expect(hand.seal()).toMatchObject({ status: 'succeeded', outputs: { out: 'again second', side: 'again side' } });
  });

  it('goes on with what became ready while the run was stopping', () => {
    const hand = new Hand(two);
    const [first, side] = hand.tasks();
    hand.fail(side!);
    hand.succeed(first!);
    expect(hand.tasks()).toHaveLength(2);
    hand.seal();
    expect(
      hand
        .tasks(hand.feed({ type: 'RunRetried' }))
        .map(({ step }) => step)
        .sort(),
    ).toEqual(['second', 'side']);
  });

  it('counts attempts anew, and forgets the runners that failed', () => {
    const hand = new Hand(plan('a', a!), { maxAttempts: 2 });
    const once = (attempt: number): Command[] =>
      hand.fail({ taskId: 'r-1', attempt }, { retryable: true, runnerId: 'one', failure: failure('RUNNER_LOST') });
    expect(hand.tasks(once(1))).toMatchObject([{ attempt: 2, avoid: ['one'] }]);
    once(2);
    expect(hand.seal().failure?.code).toBe('RUNNER_LOST');
    const [third] = hand.tasks(hand.feed({ type: 'RunRetried' }));
    expect(third).toMatchObject({ attempt: 3, delayMs: 0 });
    expect(third!.avoid).toBeUndefined();
    expect(hand.tasks(once(3))).toMatchObject([{ attempt: 4 }]);
    once(4);
    expect(hand.state.phase).toBe('ended');
  });

  it('asks for failed bindings again', () => {
    const conditional = plan('w', workflow('w', ['x'], { out: 's/out' }, { s: { run: 'a', in: { x: 'x' }, when: '$(inputs.x)' } }), a!);
    const hand = new Hand(conditional);
    const [bind] = hand.given;
    hand.feed({ type: 'BindingsFailed', node: 's', iteration: 0, firstShard: 0, failure: failure('EXPRESSION') });
    expect(hand.seal().failure?.code).toBe('EXPRESSION');
    expect(hand.feed({ type: 'RunRetried' })).toEqual([bind]);
  });

  it('fails again for what no retry can change', () => {
    const scatter = plan('w', workflow('w', ['x'], { out: 's/out' }, { s: { run: 'a', in: { x: 'x' }, scatter: ['x'] } }), a!);
    const hand = new Hand(scatter, {}, { x: 'no array' });
    expect(hand.seal().failure?.code).toBe('SCATTER');
    expect(hand.feed({ type: 'RunRetried' })).toMatchObject([{ type: 'EndRun', status: 'failed', failure: { code: 'SCATTER' } }]);
  });

  it('delivers outputs again where only their completion failed', () => {
    const hand = new Hand(plan('a', a!));
    hand.succeed({ taskId: 'r-1', attempt: 1 }, 'fine');
    hand.feed({ type: 'RunEnded', status: 'failed', failure: failure('OUTPUT_MISSING') });
    expect(hand.feed({ type: 'RunRetried' })).toEqual([{ type: 'EndRun', status: 'succeeded', outputs: { out: 'fine' } }]);
  });

  it('is refused where the run succeeded or is going on', () => {
    const hand = new Hand(plan('a', a!));
    expect(decide(hand.state, { type: 'RunRetried' }, 9).ignored).toBe('retry: the run is running');
    hand.succeed({ taskId: 'r-1', attempt: 1 });
    hand.seal();
    expect(decide(hand.state, { type: 'RunRetried' }, 9).ignored).toBe('retry: the run is succeeded');
  });

  it('is what its log says: a replay gives the same state and asks for the same', () => {
    const hand = new Hand(two);
    hand.fail(hand.tasks()[1]!);
    hand.succeed(hand.tasks()[0]!);
    hand.seal();
    hand.feed({ type: 'RunRetried' });
    const replayed = new Hand(two);
    for (const event of hand.log.slice(1)) replayed.feed(event);
    expect(replayed.given).toEqual(hand.given);
    expect(replayed.state.tally).toEqual(hand.state.tally);
  });
});

describe("failure mode 'continue'", () => {
  it('goes on with what does not need the failed step, and fails at the end', () => {
    const hand = new Hand(two, { failureMode: 'continue' });
    const [first, side] = hand.tasks();
    expect(hand.fail(first!)).toEqual([]);
    expect(hand.state.phase).toBe('running');
    hand.succeed(side!);
    expect(hand.seal()).toMatchObject({ status: 'failed', failure: { step: 'first' } });
    expect(hand.state.tally).toMatchObject({ succeeded: 1, failed: 1, queued: 0 });
    const again = hand.tasks(hand.feed({ type: 'RunRetried' }));
    expect(again.map(({ step }) => step)).toEqual(['first']);
    hand.succeed(again[0]!);
    hand.succeed(hand.tasks().at(-1)!, 'done');
    expect(hand.seal()).toMatchObject({ status: 'succeeded', outputs: { out: 'done', side: 'o' } });
  });

  it('runs every shard of a scatter, whatever fails', () => {
    const wide = plan('w', workflow('w', ['x'], { out: 's/out' }, { s: { run: 'a', in: { x: 'x' }, scatter: ['x'] } }), a!);
    const hand = new Hand(wide, { failureMode: 'continue' }, { x: [1, 2, 3] });
    const [one, second, third] = hand.tasks();
    hand.fail(one!, { failure: failure('FIRST') });
    hand.fail(third!, { failure: failure('SECOND') });
    hand.succeed(second!);
    expect(hand.seal().failure?.code).toBe('FIRST');
  });
});

describe('attempts', () => {
  it('get more memory after they were killed for it, where the run says so', () => {
    const oom = { failure: failure('OUT_OF_MEMORY') };
    const hand = new Hand(plan('a', a!), { oomRetryFactor: 2, maxAttempts: 3 });
    expect(hand.tasks(hand.fail({ taskId: 'r-1', attempt: 1 }, oom))).toMatchObject([{ attempt: 2, ramFactor: 2, delayMs: 0 }]);
    expect(hand.tasks(hand.fail({ taskId: 'r-1', attempt: 2 }, oom))).toMatchObject([{ attempt: 3, ramFactor: 4 }]);
    hand.fail({ taskId: 'r-1', attempt: 3 }, oom);
    expect(hand.seal().failure?.code).toBe('OUT_OF_MEMORY');
    const plain = new Hand(plan('a', a!), { maxAttempts: 3 });
    plain.fail({ taskId: 'r-1', attempt: 1 }, oom);
    expect(plain.state.phase).toBe('ended');
  });

  it('wait longer each time, never past half a minute, and not all alike', () => {
    const delays = (index: number): number[] => {
      const hand = new Hand(
        plan('w', workflow('w', ['x'], { out: 's/out' }, { s: { run: 'a', in: { x: 'x' }, scatter: ['x'] } }), a!),
        { maxAttempts: 12 },
        { x: Array.from({ length: 20 }, (_, i) => i) },
      );
      const { taskId } = hand.tasks()[index]!;
      return Array.from({ length: 11 }, (_, i) => hand.tasks(hand.fail({ taskId, attempt: i + 1 }, { retryable: true }))[0]!.delayMs);
    };
    for (const [i, delay] of delays(0).entries()) {
      const whole = Math.min(30_000, 500 * 2 ** i);
      expect(delay).toBeGreaterThanOrEqual(whole / 2);
      expect(delay).toBeLessThanOrEqual(whole);
    }
    expect(new Set(Array.from({ length: 20 }, (_, i) => delays(i)[0])).size).toBeGreaterThan(10);
  });
});

describe('any history of failures and retries', () => {
  const steps = plan(
    'w',
    workflow(
      'w',
      ['x'],
      { out: 'join/out' },
      {
        scattered: { run: 'a', in: { x: 'x' }, scatter: ['x'] },
        checked: { run: 'b', in: { x: 'scattered/out' }, when: '$(true)' },
        join: { run: 'c', in: { x: ['scattered/out', 'checked/out'] } },
      },
    ),
    a!,
    b!,
    c!,
  );
  const inputs = { x: [1, 2, 3, 4] };

  it('ends with the outputs of an undisturbed run once everything has succeeded', () => {
    const undisturbed = new Driver(steps, inputs).finish();
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { maxLength: 60 }),
        fc.constantFrom('fail-fast' as const, 'continue' as const),
        (choices, failureMode) => {
          const driver = new Driver(steps, inputs);
          driver.state.options.failureMode = failureMode;
          const seal = (): void => {
            const end = driver.ends().at(-1)!;
            driver.feed({ type: 'RunEnded', status: end.status, outputs: end.outputs, failure: end.failure });
          };
          for (const choice of choices) {
            if (driver.state.phase === 'ended') {
              if (driver.state.final === 'succeeded') break;
              seal();
              driver.feed({ type: 'RunRetried' });
            }
            const [command] = driver.open.splice(choice % driver.open.length, 1);
            if (!command) continue;
            if (choice === 9 && command.type === 'RunTask')
              driver.feed({ type: 'TaskFailed', taskId: command.taskId, attempt: command.attempt, failure: failure(), retryable: false });
            else if (choice === 8 && command.type === 'EvaluateBindings')
              driver.feed({ type: 'BindingsFailed', node: command.node, iteration: command.iteration, firstShard: 0, failure: failure() });
            else driver.feed(driver.answer(command));
          }
          driver.finish();
          while (driver.state.final !== 'succeeded') {
            seal();
            driver.feed({ type: 'RunRetried' });
            driver.finish();
          }
          expect(driver.state.outputs).toEqual(undisturbed);
          expect(driver.state.inFlight).toBe(0);
          expect(driver.state.parked).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
