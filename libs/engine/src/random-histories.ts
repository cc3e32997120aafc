/**
 * For tests: workflows of every shape that the engine knows, and what may happen to a run of one, as chosen by numbers.
 * A history is made while it goes on: answers depend on what was asked for.
 */
import type { CwlObject, CwlValue, Link, Plan, Process, Workflow, WorkflowStep } from '@weft/plan';
import { type Command, CURRENT_RULES, decide, type EngineEvent, initialState, type RunState } from './index.js';
import { ACCEPTED, plan, tool, workflow } from './testing.js';

/** Numbers from 0 to below `count`. */
export class Choices {
  constructor(private readonly next: () => number) {}

  int(count: number): number {
    return this.next() % count;
  }

  chance(percent: number): boolean {
    return this.int(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }
}

export interface History {
  plan: Plan;
  events: EngineEvent[];
  /** What each event gave out. */
  commands: Command[][];
  /** Those that had an effect. */
  taken: EngineEvent[];
  state: RunState;
}

const MOST_EVENTS = 120;
const INPUTS = ['i', 'l', 'f'];
const file = (name: string): CwlObject => ({ class: 'File', location: `file:///data/runs/r/${name}` });

export function randomPlan(by: Choices): Plan {
  const tools: Process[] = [tool('t', ['x', 'y']), { ...tool('e', ['x', 'y']), class: 'ExpressionTool', expression: '$(1)' } as Process];
  const operation: Process = { ...tool('op', ['x', 'y']), class: 'Operation' } as Process;
  const changing = tool('ip', ['x', 'y'], ['out'], {
    requirements: [
      { class: 'InplaceUpdateRequirement', inplaceUpdate: true },
      { class: 'InitialWorkDirRequirement', listing: [{ entry: '$(inputs.x)', writable: true }] },
    ],
  });
  const processes = randomWorkflow(by, 'main', 2);
  return plan('main', ...processes, ...tools, operation, by.chance(30) ? changing : tool('ip', ['x', 'y']));
}

/** The workflow and those inside it. */
function randomWorkflow(by: Choices, id: string, depth: number): Workflow[] {
  const inner: Workflow[] = [];
  const steps: Record<
    string,
    Omit<WorkflowStep, 'name' | 'in' | 'requirements' | 'hints'> & { in: Record<string, Partial<WorkflowStep['in'][number]>> }
  > = {};
  const count = by.int(5);
  for (let n = 0; n < count; n += 1) {
    let run = by.pick(['t', 't', 't', 'e', 'ip', 'op']);
    if (depth > 0 && by.chance(30)) {
      for (const one of randomWorkflow(by, `${id}-${n}`, depth - 1)) inner.push(one);
      run = `${id}-${n}`;
    }
    steps[`s${n}`] = randomStep(by, n, run);
  }
  const from = count > 0 && by.chance(80) ? `s${by.int(count)}/out` : 'i';
  return [workflow(id, INPUTS, { out: from }, steps), ...inner];
}

function randomStep(by: Choices, n: number, run: string) {
  const names = ['t', 'e', 'ip', 'op'].includes(run) ? ['x', 'y'] : INPUTS;
  const [first = '', second = ''] = names;
  const own: Link = { sources: [{ step: `s${n}`, port: 'out' }], list: false, linkMerge: 'merge_nested' };
  const list: Link = { sources: [{ step: null, port: 'l' }], list: false, linkMerge: 'merge_nested' };
  const inputs = Object.fromEntries(names.map((name) => [name, randomInput(by, n)]));
  const step = { run, in: inputs, out: ['out'], scatter: [] as string[] };
  switch (by.int(6)) {
    case 0:
      inputs[first] = { ...inputs[first], link: list };
      return { ...step, scatter: [first] };
    case 1:
      for (const name of [first, second]) inputs[name] = { ...inputs[name], link: list };
      return {
        ...step,
        scatter: [first, second],
        scatterMethod: by.pick(['dotproduct', 'flat_crossproduct', 'nested_crossproduct'] as const),
      };
    case 2:
      return {
        ...step,
        loop: [{ name: first, ...(by.chance(70) && { link: own }) }],
        ...{ when: '$(inputs.x)', outputMethod: by.pick(['last_iteration', 'all_iterations'] as const) },
      };
    case 3:
      return { ...step, when: '$(inputs.y)' };
    default:
      return step;
  }
}

function randomInput(by: Choices, n: number): Partial<WorkflowStep['in'][number]> {
  const list = by.chance(20);
  const source = (): Link['sources'][number] => {
    const before = by.int(n + 1);
    return before === n ? { step: null, port: by.pick(INPUTS) } : { step: `s${before}`, port: 'out' };
  };
  const link: Link = {
    sources: Array.from({ length: list ? 1 + by.int(3) : 1 }, source),
    ...{ list, linkMerge: by.pick(['merge_nested', 'merge_flattened'] as const) },
    ...(by.chance(15) && { pickValue: by.pick(['first_non_null', 'the_only_non_null', 'all_non_null'] as const) }),
  };
  return {
    ...(by.chance(90) && { link }),
    ...(by.chance(15) && { default: by.pick<CwlValue>([1, [1, 2]]) }),
    ...(by.chance(10) && { valueFrom: '$(self)' }),
  };
}

/** A run from its acceptance until nothing is due any more, or long enough. */
export function randomHistory(by: Choices, of = randomPlan(by)): History {
  const history: History = { plan: of, events: [], commands: [], taken: [], state: initialState(of) };
  const due: Command[] = [];
  let end: Extract<Command, { type: 'EndRun' }> | undefined;
  const feed = (event: EngineEvent): void => {
    history.events.push(event);
    const { commands, ignored } = decide(history.state, event, history.events.length);
    if (ignored === undefined) history.taken.push(event);
    history.commands.push(commands);
    for (const command of commands) {
      if (command.type === 'EndRun') end = command;
      else if (command.type !== 'CancelTasks') due.push(command);
    }
  };
  feed(acceptance(by));
  while (history.events.length < MOST_EVENTS) {
    const [command] = by.chance(3) ? [] : due.splice(by.int(Math.max(1, due.length)), 1);
    if (command) {
      feed(answerTo(by, command));
      // Of an attempt that goes on, the answer is still due.
      if (goesOn(history.events.at(-1))) due.push(command);
    } else if (end && due.length === 0) {
      const { status, failure, outputs } = end;
      end = undefined;
      feed({ type: 'RunEnded', status, ...(failure && { failure }), ...(outputs && by.chance(20) && { outputs }) });
      if (status === 'succeeded' || by.chance(20)) break;
      feed({ type: 'RunRetried' });
    } else if (due.length === 0) {
      break;
    } else if (by.chance(50)) {
      feed({ type: 'CancelAsked', reason: 'enough', ...(by.chance(30) && { timeLimit: true }) });
    } else {
      // Once more: whoever brought it did not hear that it was taken. The end, and what follows it, is written by who knows.
      const known = history.events.slice(1).filter(({ type }) => type !== 'RunEnded' && type !== 'RunRetried');
      if (known.length > 0) feed(by.pick(known));
    }
  }
  return history;
}

function goesOn(event: EngineEvent | undefined): boolean {
  return event?.type === 'TaskStarted' || event?.type === 'TaskPreparing';
}

function acceptance(by: Choices): EngineEvent {
  const ahead = by.pick([2, 5, 1024]);
  return {
    ...ACCEPTED,
    inputs: {
      i: by.pick<CwlValue>([1, null, file('a')]),
      l: by.pick<CwlValue>([[], [1, 2, 3], [file('a'), file('b')], null, [0, 1, 2, 3, 4, 5, 6]]),
      f: by.pick<CwlValue>([file('a'), null]),
    },
    options: {
      ...{ noContainer: false, maxAttempts: by.pick([1, 3]) },
      ...(by.chance(50) && { failureMode: 'continue' as const }),
      ...(by.chance(30) && { oomRetryFactor: 2 }),
    },
    rules: {
      ...CURRENT_RULES,
      ...{ version: by.pick([1, 2]), shardsAhead: ahead, refillAt: Math.floor(ahead / 2) },
      ...{ bindingChunk: by.pick([1, 2, 128]), maxShards: by.pick([40, 1_000_000]) },
    },
  };
}

function answerTo(by: Choices, command: Command): EngineEvent {
  if (command.type === 'EvaluateBindings') {
    const { node, iteration, shards } = command;
    const failure = { code: 'X', message: 'm' };
    if (by.chance(10)) return { type: 'BindingsFailed', node, iteration, firstShard: shards[0]?.index ?? 0, failure };
    return {
      type: 'BindingsEvaluated',
      node,
      iteration,
      shards: shards.map(({ index, values }) => ({ index, inputs: values, run: by.chance(70) })),
    };
  }
  if (command.type !== 'RunTask' && command.type !== 'EvaluateExpressionTool') throw new Error(`${command.type} has no answer`);
  const attempt = { taskId: command.taskId, attempt: command.attempt };
  const inPlace = by.chance(7) && { inPlace: ['file:///data/runs/r/a'] };
  switch (by.int(12)) {
    case 0:
      return { type: 'TaskStarted', ...attempt, runnerId: 'a', runtime: 'p', ...inPlace };
    case 1:
      return { type: 'TaskPreparing', ...attempt, doing: by.pick(['', 'staging']), ...(by.chance(50) && { runnerId: 'a' }) };
    case 2:
      return { type: 'TaskCancelled', ...attempt, ...inPlace };
    case 3:
    case 4: {
      const failure = { code: by.pick(['X', 'OUT_OF_MEMORY']), message: 'm', exitCode: 1 };
      return {
        type: 'TaskFailed',
        ...attempt,
        failure,
        retryable: by.chance(50),
        ...(by.chance(60) && { runnerId: by.pick(['a', 'b']) }),
        ...inPlace,
      };
    }
    default: {
      const out = by.pick<CwlValue>([1, null, [1, 2], file('a'), command.taskId, [file('b')]]);
      return { type: 'TaskSucceeded', ...attempt, outputs: { out }, exitCode: 0, ...inPlace };
    }
  }
}
