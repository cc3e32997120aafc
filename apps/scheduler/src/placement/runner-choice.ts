/**
 * Which runner is the best for a task, given what is known to be held on each. Pure.
 *
 * `own` is what this scheduler has placed, exactly; `foreign` what others hold, as of the last heartbeat. The runner itself admits tasks, so a
 * guess about others can only cost time, never over-commit: where no runner seems to have room, one that only others fill is still chosen,
 * because the task waits in that runner's queue then, and is taken in the moment something ends.
 *
 * For the same reason a few small tasks are placed ahead of a runner's room where tasks have ended lately: the next one begins in the moment
 * one ends, and no core idles for the round trip in between. Where nothing ends soon, nobody is ahead: what waits here goes wherever there is
 * room first.
 */
import type { RunnerAmounts, RunnerRecord } from '@weft/registry';
import type { TaskResources } from '@weft/tasks';

export interface RunnerView {
  runner: RunnerRecord;
  own: RunnerAmounts;
  foreign: RunnerAmounts;
  /** Tasks of ours that are there ahead of its room. */
  ahead: number;
  /** Tasks of ours that ended there lately. */
  ended: number;
}

export interface Wish {
  need: RunnerAmounts;
  isolation: 'container' | 'prefer-container' | 'process';
  /** Runners on which earlier attempts failed; tried only where no other can take the task, or where it has waited too long. */
  avoid: readonly string[];
  /** It has waited so long that it goes first: a runner is kept for it, although that has no room yet. */
  aged: boolean;
}

/** What a task asks for, wherever it is in its wait. */
export interface Wanted extends Pick<Wish, 'need' | 'isolation'> {
  pool: string;
  avoid?: readonly string[];
  attached?: object;
}

export interface Choice {
  view: RunnerView;
  runtime: string;
  /** There is no room yet. */
  ahead?: boolean;
}

/** 'never': no runner of these could ever hold it. */
export type Chosen = Choice | 'wait' | 'never';

const MIB = 1024 * 1024;
export const NOTHING: RunnerAmounts = { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 };
const DIMENSIONS = ['cores', 'ramBytes', 'diskBytes', 'gpus'] as const;
/** Tasks that may be ahead of a runner's room, for each of its cores: one begins while the next is on its way. */
const AHEAD_PER_CORE = 2;
/** Fractions of cores that add up to a whole number may miss it by a rounding error. */
const ROUNDING = 1e-6;

export function amountsOf({ cores, ramMiB, diskMiB, gpus }: TaskResources): RunnerAmounts {
  return { cores, ramBytes: ramMiB * MIB, diskBytes: diskMiB * MIB, gpus };
}

export function combine(a: RunnerAmounts, b: RunnerAmounts, of: (a: number, b: number) => number): RunnerAmounts {
  return {
    cores: of(a.cores, b.cores),
    ramBytes: of(a.ramBytes, b.ramBytes),
    diskBytes: of(a.diskBytes, b.diskBytes),
    gpus: of(a.gpus, b.gpus),
  };
}

const plus = (a: RunnerAmounts, b: RunnerAmounts): RunnerAmounts => combine(a, b, (x, y) => x + y);

/** What it does not need cannot be short. */
export function fits(need: RunnerAmounts, held: RunnerAmounts, capacity: RunnerAmounts): boolean {
  return DIMENSIONS.every((name) => need[name] === 0 || held[name] + need[name] <= capacity[name] + ROUNDING);
}

export function wishOf({ need, isolation, avoid = [] }: Wanted, aged: boolean): Wish {
  return { need, isolation, avoid, aged };
}

/** Whatever an older one did not get, a later one that is alike does not get either. */
export function isAlike(a: Wanted, b: Wanted): boolean {
  const plain = !a.attached && !b.attached && !a.avoid && !b.avoid;
  return plain && a.pool === b.pool && a.isolation === b.isolation && fits(b.need, NOTHING, a.need) && fits(a.need, NOTHING, b.need);
}

/** @param views of one pool */
export function chooseRunner(views: readonly RunnerView[], wish: Wish): Chosen {
  const { need } = wish;
  const able = views.flatMap((view) => {
    const runtime = runtimeFor(view.runner, wish.isolation);
    return runtime === undefined || !fits(need, NOTHING, view.runner.capacity)
      ? []
      : [{ view, runtime: runtime.name, usable: runtime.usable }];
  });
  if (able.length === 0) return 'never';
  const open = able.filter(({ view, usable }) => usable && !view.runner.draining);
  const others = open.filter(({ view }) => !wish.avoid.includes(view.runner.runnerId));
  const candidates = others.length === 0 || wish.aged ? [...others, ...open.filter((choice) => !others.includes(choice))] : others;
  const free = candidates.filter(({ view }) => hasRoom(view, need));
  if (free.length > 0) return roomiest(preferred(free, others));
  const queueing = candidates.filter(({ view }) => fits(need, view.own, view.runner.capacity));
  if (queueing.length > 0) return roomiest(preferred(queueing, others));
  // At most one task goes beyond what a runner has: until it got in, nothing else of ours does.
  const kept = wish.aged ? candidates.filter(({ view }) => fits(view.own, NOTHING, view.runner.capacity)) : [];
  if (kept.length > 0) return roomiest(preferred(kept, others));
  const soon = preferred(
    candidates.filter(({ view }) => mayGoAhead(view, need)),
    others,
  );
  if (soon.length === 0) return 'wait';
  return { ...soon.reduce((best, choice) => (turnover(choice) > turnover(best) ? choice : best)), ahead: true };
}

/** Only what needs no more than goes with one core: it can begin as soon as anything ends. */
function mayGoAhead({ runner: { capacity }, own, ahead, ended }: RunnerView, need: RunnerAmounts): boolean {
  const cores = Math.max(1, Math.floor(capacity.cores));
  const small = DIMENSIONS.every((name) => need[name] * cores <= capacity[name] + ROUNDING);
  // Not where a large task is to get in next, see above.
  return small && ahead < Math.min(ended, AHEAD_PER_CORE * cores) && fits(own, NOTHING, capacity);
}

function turnover({ view }: Choice): number {
  return view.ended - view.ahead;
}

/** Room now, as far as is known. */
export function hasRoom({ own, foreign, runner }: RunnerView, need: RunnerAmounts): boolean {
  return fits(need, plus(own, foreign), runner.capacity);
}

function preferred(choices: Choice[], others: Choice[]): Choice[] {
  const first = choices.filter((choice) => others.includes(choice));
  return first.length > 0 ? first : choices;
}

/** The most cores free; then the most memory. */
function roomiest(choices: Choice[]): Choice {
  const left = ({ view }: Choice, name: 'cores' | 'ramBytes'): number => view.runner.capacity[name] - view.own[name] - view.foreign[name];
  return choices.reduce((best, choice) => {
    const difference = left(choice, 'cores') - left(best, 'cores') || left(choice, 'ramBytes') - left(best, 'ramBytes');
    return difference > 0 ? choice : best;
  });
}

/** The runtime that a task would run in there; not `usable`: it is away, and tasks wait for it rather than run in another. */
export function runtimeFor(runner: RunnerRecord, isolation: Wish['isolation']): { name: string; usable: boolean } | undefined {
  const offered = (containers: boolean): { name: string; usable: boolean } | undefined => {
    const all = runner.runtimes.filter((runtime) => runtime.containers === containers);
    const usable = all.find(({ unavailable }) => unavailable === '');
    const found = usable ?? all.find(({ expected }) => expected === true);
    return found && { name: found.name, usable: usable !== undefined };
  };
  const [container, host] = [offered(true), offered(false)];
  switch (isolation) {
    case 'container':
      return container;
    case 'prefer-container':
      return container ?? host;
    case 'process':
      return host;
  }
}

/**
 * What keeps a task waiting where every runner that could take it has its runtime away, in words for its author; undefined where it is something
 * else.
 */
export function absenceOf(runners: readonly RunnerRecord[], { need, isolation }: Pick<Wish, 'need' | 'isolation'>): string | undefined {
  const able = runners.filter((runner) => runtimeFor(runner, isolation) !== undefined && fits(need, NOTHING, runner.capacity));
  if (able.some((runner) => runtimeFor(runner, isolation)?.usable === true)) return undefined;
  const away = able.flatMap((runner) => runner.runtimes.filter(({ name }) => name === runtimeFor(runner, isolation)?.name));
  return away[0]?.unavailable;
}

/** Why no runner of the pool could ever take it, in words for its author. */
export function refusalOf(runners: readonly RunnerRecord[], { need, isolation }: Pick<Wish, 'need' | 'isolation'>, pool: string): string {
  const able = runners.filter((runner) => runtimeFor(runner, isolation) !== undefined);
  return able.length === 0 ? noRuntime(runners, pool) : tooLarge(able, need, pool);
}

function noRuntime(runners: readonly RunnerRecord[], pool: string): string {
  const reasons = runners
    .flatMap((runner) =>
      runner.runtimes.map((runtime) => `${runtime.name}: ${runtime.unavailable === '' ? 'available' : runtime.unavailable}`),
    )
    .join('; ');
  return `no runner of pool '${pool}' has a runtime for this task (${reasons}); install Docker, or run with --no-container where the tool is on the host`;
}

function tooLarge(able: readonly RunnerRecord[], need: RunnerAmounts, pool: string): string {
  const largest = (name: keyof RunnerAmounts): number => able.reduce((most, { capacity }) => Math.max(most, capacity[name]), -Infinity);
  const gib = (bytes: number): string => `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
  const plain = (count: number): string => String(count);
  const parts: [keyof RunnerAmounts, string, (amount: number) => string][] = [
    ['cores', ' cores', plain],
    ['ramBytes', ' of memory', gib],
    ['diskBytes', ' of disk', gib],
    ['gpus', ' GPUs', plain],
  ];
  const wants = parts
    .filter(([name]) => need[name] > largest(name))
    .map(([name, unit, show]) => `${show(need[name])}${unit}; the largest runner of pool '${pool}' has ${show(largest(name))}`);
  return `needs ${wants.join(' and ') || `more at once than any one runner of pool '${pool}' has`}`;
}
