import fc from 'fast-check';
import { FairShare, OTHERS_TURN, type Share, type Taken } from './fair-share.js';

interface Run extends Share {
  weight: number;
}

const aRun = (run: string, more: Partial<Share> = {}): Share => ({ run, project: run, priority: 0, ...more });

function holding(share: FairShare<string>, runs: Share[], tasks: number): void {
  for (const run of runs) for (let n = 0; n < tasks; n++) share.hold(run, `${run.run}-${n}`, `${run.run}-${n}`);
}

function take(share: FairShare<string>, count: number): Taken<string>[] {
  const taken: Taken<string>[] = [];
  for (let n = 0; n < count; n++) {
    const next = share.next();
    if (!next) break;
    taken.push(next);
  }
  return taken;
}

/** Runs with everything that decides about their order; at most four projects, with weights 1 to 4. */
const someRuns = fc
  .array(
    fc.record({
      project: fc.integer({ min: 0, max: 3 }),
      priority: fc.integer({ min: -2, max: 2 }),
      maxParallel: fc.integer({ min: 0, max: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((runs) =>
    runs.map(({ project, priority, maxParallel }, n): Run => ({
      ...{ run: `r${n}`, project: `p${project}`, priority, weight: project + 1 },
      ...(maxParallel > 0 && { maxParallel }),
    })),
  );
/** What happens: a task comes for a run, the next one is taken, one in flight ends, is put back, or one in line is dropped. */
const someSteps = fc.array(fc.tuple(fc.constantFrom('hold', 'hold', 'hold', 'next', 'next', 'end', 'back', 'drop'), fc.nat()), {
  maxLength: 200,
});

describe('any runs, any order of events', () => {
  const CAP = 5;

  /** Does the steps on a FairShare and on lists, and compares the two after each. */
  function play(runs: Run[], steps: [string, number][], check: (model: Model, taken: Taken<string> | undefined) => void): void {
    const share = new FairShare<string>((project) => ({ weight: Number(project.slice(1)) + 1, cap: CAP }));
    const model = new Model(runs);
    steps.forEach(([step, choice], n) => {
      const run = runs[choice % runs.length] as Run;
      const flying = model.flying[choice % Math.max(1, model.flying.length)];
      if (step === 'hold') {
        share.hold(run, `t${n}`, `t${n}`);
        model.line(run.run).push(`t${n}`);
      } else if (step === 'next') {
        const taken = share.next();
        check(model, taken);
        if (taken) model.takeOff(taken);
      } else if (step === 'drop') {
        const [id] = model.line(run.run).splice(choice % Math.max(1, model.line(run.run).length), 1);
        expect(share.drop(run.run, id ?? 'nothing')).toBe(id !== undefined);
      } else if (flying) {
        model.land(flying);
        if (step === 'back') {
          share.putBack(flying);
          model.line(flying.run).unshift(flying.id);
        } else expect(share.end(flying.run, flying.id)).toBe(true);
      }
      expect(share.count()).toEqual({ held: model.held, inFlight: model.flying.length });
    });
  }

  class Model {
    readonly flying: Taken<string>[] = [];
    private readonly lines = new Map<string, string[]>();
    constructor(readonly runs: Run[]) {}

    line(run: string): string[] {
      const line = this.lines.get(run) ?? [];
      this.lines.set(run, line);
      return line;
    }
    get held(): number {
      return [...this.lines.values()].reduce((sum, line) => sum + line.length, 0);
    }
    takeOff(taken: Taken<string>): void {
      this.line(taken.run).shift();
      this.flying.push(taken);
    }
    land(taken: Taken<string>): void {
      this.flying.splice(this.flying.indexOf(taken), 1);
    }
    ofRun(run: string): number {
      return this.flying.filter((taken) => taken.run === run).length;
    }
    ofProject(project: string): number {
      return this.flying.filter((taken) => taken.project === project).length;
    }
    /** Runs that may have a task let go now. */
    ready(): Run[] {
      return this.runs.filter(({ run, project, maxParallel = Infinity }) => {
        return this.line(run).length > 0 && this.ofRun(run) < maxParallel && this.ofProject(project) < CAP;
      });
    }
  }

  it('gives a task exactly when some run may have one, and the first in line of such a run', () => {
    fc.assert(
      fc.property(someRuns, someSteps, (runs, steps) =>
        play(runs, steps, (model, taken) => {
          const ready = model.ready();
          expect(taken === undefined).toBe(ready.length === 0);
          if (!taken) return;
          expect(ready.map(({ run }) => run)).toContain(taken.run);
          expect(taken.id).toBe(model.line(taken.run)[0]);
        }),
      ),
    );
  });

  it('takes from the project with the fewest in flight per weight, and there from the run with the fewest, at the priority it chose', () => {
    fc.assert(
      fc.property(someRuns, someSteps, (runs, steps) =>
        play(runs, steps, (model, taken) => {
          const chosen = runs.find(({ run }) => run === taken?.run);
          if (!chosen) return;
          const peers = model.ready().filter(({ priority }) => priority === chosen.priority);
          const load = ({ project, weight }: Run): number => model.ofProject(project) / weight;
          expect(load(chosen)).toBe(Math.min(...peers.map(load)));
          const siblings = peers.filter(({ project }) => project === chosen.project);
          expect(model.ofRun(chosen.run)).toBe(Math.min(...siblings.map(({ run }) => model.ofRun(run))));
        }),
      ),
    );
  });
});

it('shares what is in flight between projects in proportion to their weights', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 6 }), fc.array(fc.nat(), { maxLength: 100 }), (of, rounds, ends) => {
      const share = new FairShare<string>((project) => ({ weight: of[Number(project)] as number, cap: Infinity }));
      const total = of.reduce((sum, weight) => sum + weight, 0);
      holding(
        share,
        of.map((_weight, n) => aRun(String(n))),
        rounds * total + ends.length,
      );
      const flying = take(share, rounds * total);
      const exact = of.map((weight) => rounds * weight);
      const now = (): number[] => of.map((_weight, n) => share.count(String(n)).inFlight);
      expect(now()).toEqual(exact);
      // Whoever ends, the next goes to whoever that leaves behind.
      for (const end of ends) {
        const [ended] = flying.splice(end % flying.length, 1) as [Taken<string>];
        share.end(ended.run, ended.id);
        flying.push(...take(share, 1));
        expect(now()).toEqual(exact);
      }
    }),
  );
});

it('lets a small run pass a wide one that came before it', () => {
  const share = new FairShare<string>();
  holding(share, [aRun('wide')], 1000);
  take(share, 50);
  holding(share, [aRun('small')], 3);
  expect(take(share, 4).map(({ run }) => run)).toEqual(['small', 'small', 'small', 'wide']);
});

it('lets equals take turns', () => {
  const share = new FairShare<string>();
  const runs = ['a', 'b', 'c'].map((run) => aRun(run, { project: 'one' }));
  holding(share, runs, 4);
  const order = take(share, 12).map(({ run, id }) => (share.end(run, id), run));
  expect(order.slice(0, 6)).toEqual([...order.slice(0, 3), ...order.slice(0, 3)]);
  expect(new Set(order.slice(0, 3)).size).toBe(3);
});

describe('priorities', () => {
  it('decide first', () => {
    const share = new FairShare<string>();
    holding(share, [aRun('low', { priority: -1 }), aRun('high', { priority: 7 }), aRun('middle')], 2);
    expect(take(share, 6).map(({ run }) => run)).toEqual(['high', 'high', 'middle', 'middle', 'low', 'low']);
  });

  it('starve nobody: with work without end above, each lower one gets its turn', () => {
    const priorities = fc.uniqueArray(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(priorities, (levels) => {
        const share = new FairShare<string>();
        const others = levels.length - 1;
        const releases = OTHERS_TURN * others * 3;
        holding(
          share,
          levels.map((priority) => aRun(String(priority), { priority })),
          releases,
        );
        const counts = new Map<number, number>();
        for (const { run } of take(share, releases)) counts.set(Number(run), (counts.get(Number(run)) ?? 0) + 1);
        const top = Math.max(...levels);
        for (const level of levels) expect(counts.get(level)).toBe(level === top ? releases - 3 * others : 3);
      }),
    );
  });
});

describe('what was not let go here', () => {
  it('counts: of a task that another has released, against the limits of its run', () => {
    const share = new FairShare<string>();
    const run = aRun('r', { maxParallel: 2 });
    share.adopt(run, 'begun');
    holding(share, [run], 3);
    expect(take(share, 3).map(({ id }) => id)).toEqual(['r-0']);
    share.end('r', 'begun');
    expect(take(share, 3).map(({ id }) => id)).toEqual(['r-1']);
  });

  it('leaves the line: a task that was held is begun elsewhere', () => {
    const share = new FairShare<string>();
    holding(share, [aRun('r')], 2);
    share.adopt(aRun('r'), 'r-0');
    expect(take(share, 2).map(({ id }) => id)).toEqual(['r-1']);
    expect(share.count()).toEqual({ held: 0, inFlight: 2 });
  });
});

it('asked for firsts only, lets nothing go of a run that has something in flight', () => {
  const share = new FairShare<string>();
  holding(share, [aRun('a')], 2);
  expect([share.next(true)?.id, share.next(true)?.id]).toEqual(['a-0', undefined]);
});

it('a project that is blocked waits, and others pass', () => {
  const share = new FairShare<string>();
  holding(share, [aRun('a'), aRun('b')], 1);
  share.block('a');
  expect(take(share, 2).map(({ run }) => run)).toEqual(['b']);
  share.unblock('b');
  expect(take(share, 2)).toEqual([]);
  share.unblock('a');
  expect(take(share, 2).map(({ run }) => run)).toEqual(['a']);
});

it('forgets a run with what it has in line and in flight', () => {
  const share = new FairShare<string>();
  holding(share, [aRun('a'), aRun('b', { project: 'a' })], 2);
  take(share, 2);
  expect(share.forget('a')).toEqual(['a-0']);
  expect(share.count()).toEqual({ held: 1, inFlight: 1 });
  expect(share.end('a', 'a-0')).toBe(false);
});

it('says why tasks are in line: for room, or for a limit of their run or project', () => {
  const share = new FairShare<string>(() => ({ weight: 1, cap: 2 }));
  holding(share, [aRun('free'), aRun('narrow', { maxParallel: 1 })], 3);
  expect(share.heldFor()).toEqual({ room: 6, limit: 0 });
  take(share, 2);
  expect(share.heldFor()).toEqual({ room: 2, limit: 2 });
  take(share, 1);
  expect(share.heldFor()).toEqual({ room: 0, limit: 3 });
});
