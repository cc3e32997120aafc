import fc from 'fast-check';
import type { CwlObject, CwlValue, Plan, Process } from '@weft/plan';
import { liveLocations, mayLoseFiles, type Command, type EngineEvent } from './index.js';
import { ACCEPTED, Driver, plan, tool, workflow } from './testing.js';

const file = (location: string): CwlObject => ({ class: 'File', location });
const INPUT = file('input');

function locationsIn(value: CwlValue | undefined, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) locationsIn(item, found);
  else if (typeof value === 'object' && value !== null) {
    if (typeof value['location'] === 'string') found.add(value['location']);
    for (const key of Object.keys(value)) locationsIn(value[key], found);
  }
  return found;
}

/** What a command hands to whoever carries it out. */
function needs(command: Command): Set<string> {
  if (command.type === 'EvaluateBindings') return locationsIn(command.shards.map(({ values }) => values));
  if (command.type === 'RunTask' || command.type === 'EvaluateExpressionTool') return locationsIn(command.inputs);
  return command.type === 'EndRun' ? locationsIn(command.outputs) : new Set();
}

/** Tools: `one` makes a file, `many` makes three, `pass` hands on what it got. */
function outputsOf(process: string, taskId: string, attempt: number, inputs: CwlObject): CwlObject {
  if (process === 'pass') return { out: inputs['x'] ?? null };
  if (process === 'one') return { out: { ...file(`${taskId}.${attempt}/a`), secondaryFiles: [file(`${taskId}.${attempt}/b`)] } };
  return { out: [1, 2, 3].map((n) => file(`${taskId}.${attempt}/${n}`)) };
}

class Observed {
  /** Locations that were live after each event. */
  private readonly lives: { live: Set<string>; counts: boolean }[] = [];
  private readonly madeAt = new Map<string, number>();
  private readonly driver: Driver;
  private commands = 0;

  constructor(of: Plan, options: Partial<typeof ACCEPTED.options> = {}) {
    this.driver = new Driver(of, { x: INPUT }, {}, options);
    this.look();
  }

  /** Answers the commands in any order; `fails` says of which tasks the first attempt does. */
  run(pick: () => number, fails: (n: number) => boolean): void {
    const { driver } = this;
    for (let n = 0; ; n++) {
      if (driver.open.length === 0) {
        if (this.succeeded) return;
        this.feed({ type: 'RunRetried' });
        if (driver.open.length === 0 && !this.succeeded) throw new Error('stuck');
        continue;
      }
      const [command] = driver.open.splice(pick() % driver.open.length, 1);
      if (command) this.feed(this.answer(command, fails(n)));
    }
  }

  private answer(command: Command, fail: boolean): EngineEvent {
    if (command.type !== 'RunTask') return this.driver.answer(command);
    const { taskId, attempt, process, inputs } = command;
    if (this.driver.state.phase !== 'running') return { type: 'TaskCancelled', taskId, attempt };
    if (fail && attempt === 1)
      return { type: 'TaskFailed', taskId, attempt, failure: { code: 'TOOL_EXIT', message: 'exit 1' }, retryable: false };
    const outputs = outputsOf(process, taskId, attempt, inputs);
    for (const location of locationsIn(outputs)) if (!this.madeAt.has(location)) this.madeAt.set(location, this.lives.length);
    return { type: 'TaskSucceeded', taskId, attempt, outputs };
  }

  private feed(event: EngineEvent): void {
    this.driver.feed(event);
    this.look();
  }

  private look(): void {
    this.lives.push({ live: liveLocations(this.driver.state).locations, counts: mayLoseFiles(this.driver.state) });
    for (const command of this.driver.commands.slice(this.commands)) for (const location of needs(command)) this.wasAlwaysLive(location);
    this.commands = this.driver.commands.length;
  }

  private wasAlwaysLive(location: string): void {
    // Files of a moment are not looked at before the event that brought them was taken in.
    for (let at = this.madeAt.get(location) ?? this.lives.length; at < this.lives.length; at++) {
      const { live, counts } = this.lives[at] ?? { live: new Set(), counts: false };
      if (counts && !live.has(location))
        throw new Error(`${location} was removed after event ${at}, and is needed after ${this.lives.length - 1}`);
    }
  }

  private get succeeded(): boolean {
    return this.driver.state.final === 'succeeded';
  }

  /** What is live at the end, the run's inputs excepted. */
  get left(): string[] {
    return [...liveLocations(this.driver.state).locations].filter((location) => location !== 'input').sort();
  }

  get outputs(): string[] {
    return [...locationsIn(this.driver.state.outputs)].filter((location) => location !== 'input').sort();
  }

  get kept(): number {
    return Math.max(...this.lives.map(({ live }) => live.size));
  }
}

const TOOLS = [tool('one', ['x']), tool('many', ['x']), tool('pass', ['x'])];

interface StepChoice {
  run: 'one' | 'many' | 'pass' | 'inner';
  from: number;
  scatter: boolean;
  evaluated: boolean;
}

/** Steps that each take an earlier step's output, or the input; the last `outputs` of them are outputs of the workflow. */
function chosen(id: string, steps: StepChoice[], outputs: number): Process {
  const names = steps.map((_, i) => `s${i}`);
  const drafts = steps.map(({ run, from, scatter, evaluated }, i) => {
    const source = from % (i + 1) === 0 ? 'x' : `s${(from % (i + 1)) - 1}/out`;
    const made = from % (i + 1) === 0 ? undefined : steps[(from % (i + 1)) - 1];
    const list = made?.run === 'many' && !made.scatter;
    return [
      names[i],
      { run, in: { x: evaluated ? { link: undefined, ...linkOf(source) } : source }, ...(scatter && list ? { scatter: ['x'] } : {}) },
    ];
  });
  return workflow(id, ['x'], Object.fromEntries(names.slice(-outputs).map((name) => [name, `${name}/out`])), Object.fromEntries(drafts));
}

function linkOf(source: string): object {
  const [step, port] = source.split('/');
  const sources = [port === undefined ? { step: null, port: source } : { step, port }];
  return { link: { sources, list: false, linkMerge: 'merge_nested' }, valueFrom: '$(self)' };
}

const stepChoice = (runs: StepChoice['run'][]): fc.Arbitrary<StepChoice> =>
  fc.record({ run: fc.constantFrom(...runs), from: fc.nat(20), scatter: fc.boolean(), evaluated: fc.boolean() });
const workflows = fc
  .record({
    inner: fc.array(stepChoice(['one', 'many', 'pass']), { minLength: 1, maxLength: 4 }),
    outer: fc.array(stepChoice(['one', 'many', 'pass', 'inner']), { minLength: 1, maxLength: 8 }),
    outputs: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ inner, outer, outputs }) => {
    const nested = chosen('inner', inner, 1);
    if (nested.class === 'Workflow') {
      const [only] = nested.outputs;
      nested.outputs = only ? [{ ...only, name: 'out' }] : [];
    }
    return plan('outer', chosen('outer', outer, outputs), nested, ...TOOLS);
  });

describe('live locations', () => {
  it('hold whatever a later command or the outputs need, in any order of answers, with failures and retries', () => {
    fc.assert(
      fc.property(
        workflows,
        fc.infiniteStream(fc.nat()),
        fc.array(fc.nat(15), { maxLength: 3 }),
        fc.constantFrom('fail-fast' as const, 'continue' as const),
        (of, choices, failing, failureMode) => {
          const observed = new Observed(of, { failureMode });
          observed.run(
            () => choices.next().value ?? 0,
            (n) => failing.includes(n),
          );
          // In the end nothing but the outputs is left.
          expect(observed.left).toEqual(observed.outputs);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of a chain are those of the step that runs, however long it is', () => {
    const steps = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`s${i}`, { run: 'one', in: { x: i === 0 ? 'x' : `s${i - 1}/out` } }]),
    );
    const observed = new Observed(plan('w', workflow('w', ['x'], { o: 's39/out' }, steps), ...TOOLS));
    observed.run(
      () => 0,
      () => false,
    );
    expect(observed.kept).toBeLessThanOrEqual(3);
    expect(observed.left).toEqual(['r-40.1/a', 'r-40.1/b']);
  });

  it('are no ground for removing anything once a run has failed, or where it keeps its intermediates', () => {
    const of = plan(
      'w',
      workflow('w', ['x'], { o: 'b/out' }, { a: { run: 'one', in: { x: 'x' } }, b: { run: 'one', in: { x: 'a/out' } } }),
      ...TOOLS,
    );
    const driver = new Driver(of, { x: INPUT });
    expect(mayLoseFiles(driver.state)).toBe(true);
    driver.feed({ type: 'TaskFailed', taskId: 'r-1', attempt: 1, failure: { code: 'TOOL_EXIT', message: '' }, retryable: false });
    expect(mayLoseFiles(driver.state)).toBe(false);
    expect(mayLoseFiles(new Driver(of, { x: INPUT }, {}, { keepIntermediates: true }).state)).toBe(false);
  });
});
