/**
 * What a seed decides: which workflows are submitted, by which way, and what is done to the system meanwhile. Pure.
 *
 * Invariants:
 *  1. The n-th submission and the n-th disturbance depend on the seed and n alone.
 *  2. Moments are counted in entries of the runs' logs, not in seconds: a slower machine is disturbed at the same points of its work.
 */
import { type Random, randomStream } from './random.js';

export const SERVICES = ['redis', 'scheduler-1', 'scheduler-2', 'runner-1', 'runner-2', 'gateway-1', 'gateway-2'] as const;
export type ServiceName = (typeof SERVICES)[number];
export const PROJECTS = ['chaos', 'narrow'] as const;

/** `restartMs`: after its death; `forMs`: until it goes on. Milliseconds. */
export type Act =
  | { kind: 'kill' | 'terminate'; services: ServiceName[]; restartMs: number[] }
  /** `cut-off`: for longer than anybody waits for a runner. */
  | { kind: 'pause' | 'cut-off'; services: ServiceName[]; forMs: number }
  /** Redis dies, comes back where every flush takes its time, and dies again while it waits for one. */
  | { kind: 'slow-disk'; restartMs: number[]; forMs: number }
  /** `runner`: which of them, by place. */
  | { kind: 'drain'; runner: number; gateway: number; forMs: number }
  | { kind: 'kill-container' | 'remove-container'; pick: number }
  | { kind: 'pause-container'; pick: number; forMs: number };

export interface Disturbance {
  n: number;
  /** Log entries, over all runs, between the disturbance before and this one. */
  afterEntries: number;
  act: Act;
}

export interface Submission {
  n: number;
  kind: string;
  /** Chooses among inputs. */
  variant: number;
  /** Client's way in. */
  dialect: 'rest' | 'grpc';
  /** Index of the gateway that is asked first. */
  gateway: number;
  /** The client asks this many times at once, with the same key. */
  copies: number;
  noCache: boolean;
  /** The run is cancelled when its log has so many entries. */
  cancelAfter?: number;
  /** Of the second the operator lets fewer tasks run than it could have. */
  project: (typeof PROJECTS)[number];
  priority: number;
  /** Tasks on runners at the same time; 0 = no limit. */
  maxParallelTasks: number;
  /** Where it was cancelled it is retried. */
  resume: boolean;
  /** What happens to a file of its outputs before the same is submitted again; absent: it is not. */
  again?: { file: 'stays' | 'deleted' | 'replaced'; pick: number };
}

const KINDS: Readonly<Record<Exclude<Act['kind'], 'slow-disk'> | 'pair' | 'everything', number>> = {
  kill: 34,
  terminate: 12,
  pause: 24,
  'cut-off': 5,
  drain: 8,
  pair: 8,
  everything: 4,
  'kill-container': 8,
  'remove-container': 4,
  'pause-container': 6,
};
const VICTIMS: Readonly<Record<ServiceName, number>> = {
  redis: 2,
  'scheduler-1': 3,
  'scheduler-2': 3,
  'runner-1': 3,
  'runner-2': 3,
  'gateway-1': 2,
  'gateway-2': 2,
};
const PAIRS: readonly ServiceName[][] = [
  ['scheduler-1', 'scheduler-2'],
  ['runner-1', 'runner-2'],
  ['gateway-1', 'gateway-2'],
  ['redis', 'scheduler-1'],
  ['scheduler-2', 'runner-2'],
];
/** Leases of the stack under test last 3 s, registrations of runners 6 s: some pauses are shorter than both, some longer. */
const PAUSES: readonly [number, number][] = [
  [50, 400],
  [500, 2_000],
  [3_500, 5_000],
  [6_500, 8_000],
];
/** Its registration and its grace (world.ts) last 9.5 s together. */
const CUT_OFF_MS = [10_000, 13_000] as const;
const DRAINED_MS = [200, 5_000] as const;
const RESTARTS: readonly [number, number][] = [
  [0, 100],
  [200, 1_000],
  [2_000, 5_000],
];

/** How often a disturbance is a slow disk instead. */
export const SLOW_DISK = { never: 0, sometimes: 0.04, mostly: 0.6 } as const;
export type SlowDisk = keyof typeof SLOW_DISK;
const SLOW_MS = [3_000, 9_000] as const;
/** Longer than any test: what ends it is the calm. */
const TO_THE_END_MS = 2 ** 30;
const SLOW_RESTARTS_MS = [0, 500] as const;

/** What `./weft test` runs: its seed comes upon every kind of disturbance within the minute. */
export const SHORT = { minutes: 1, seed: 179, pace: 25, slowDisk: 'never' } as const;

/** @param pace log entries between two disturbances, on average */
export function* disturbances(seed: number, pace: number, slowDisk: SlowDisk = 'never'): Generator<Disturbance, never> {
  for (let n = 0; ; n += 1) {
    const random = randomStream(seed, `disturbance ${n}`);
    const drawn = { n, afterEntries: random.between(1, 2 * pace), act: act(random) };
    // A stream of its own: with a slow disk or without, a seed's other disturbances are the same.
    yield { ...drawn, act: slowly(randomStream(seed, `slow disk ${n}`), SLOW_DISK[slowDisk]) ?? drawn.act };
  }
}

/** Redis dies so many times on a disk whose every flush takes its time, and nothing else happens. */
export function* redisKills(seed: number, pace: number, kills: number): Generator<Disturbance, void> {
  for (let n = 0; n < kills; n += 1) {
    const random = randomStream(seed, `kill ${n}`);
    const restartMs = [random.between(...SLOW_RESTARTS_MS)];
    const again: Act = { kind: 'kill', services: ['redis'], restartMs };
    yield { n, afterEntries: random.between(1, 2 * pace), act: n === 0 ? { kind: 'slow-disk', restartMs, forMs: TO_THE_END_MS } : again };
  }
}

function slowly(random: Random, probability: number): Act | undefined {
  if (!random.chance(probability)) return undefined;
  const restartMs = [random.between(...SLOW_RESTARTS_MS), random.between(...SLOW_RESTARTS_MS)];
  return { kind: 'slow-disk', restartMs, forMs: random.between(...SLOW_MS) };
}

function act(random: Random): Act {
  const kind = random.weighted(KINDS);
  const range = (ranges: readonly [number, number][]): number => random.between(...random.pick(ranges));
  const restarts = (services: readonly ServiceName[]): number[] => services.map(() => range(RESTARTS));
  switch (kind) {
    case 'kill':
    case 'terminate': {
      const services = [random.weighted(VICTIMS)];
      return { kind, services, restartMs: restarts(services) };
    }
    case 'pair': {
      const services = random.pick(PAIRS);
      return { kind: random.chance(0.8) ? 'kill' : 'terminate', services: [...services], restartMs: restarts(services) };
    }
    case 'everything':
      return { kind: 'kill', services: [...SERVICES], restartMs: restarts(SERVICES) };
    case 'pause':
      return { kind, services: [random.weighted(VICTIMS)], forMs: range(PAUSES) };
    case 'cut-off':
      return { kind, services: [random.pick(['runner-1', 'runner-2'] as const)], forMs: random.between(...CUT_OFF_MS) };
    case 'drain':
      return { kind, runner: random.between(0, 1), gateway: random.between(0, 1), forMs: random.between(...DRAINED_MS) };
    case 'pause-container':
      return { kind, pick: random.next(), forMs: range(PAUSES) };
    case 'kill-container':
    case 'remove-container':
      return { kind, pick: random.next() };
  }
}

/** @param kinds names of the workflows, with how often each is wanted */
export function* submissions(seed: number, kinds: Readonly<Record<string, number>>, variants: number): Generator<Submission, never> {
  for (let n = 0; ; n += 1) {
    const random = randomStream(seed, `submission ${n}`);
    const submission: Submission = {
      n,
      kind: random.weighted(kinds),
      variant: random.between(0, variants - 1),
      dialect: random.pick(['rest', 'grpc'] as const),
      gateway: random.between(0, 1),
      copies: random.chance(0.25) ? 2 : 1,
      noCache: random.chance(0.7),
      project: random.chance(0.2) ? 'narrow' : 'chaos',
      priority: random.chance(0.3) ? random.between(-100, 100) : 0,
      maxParallelTasks: random.chance(0.2) ? random.between(1, 3) : 0,
      resume: random.chance(0.5),
    };
    const cancelAfter = random.between(1, 25);
    if (random.chance(0.15)) submission.cancelAfter = cancelAfter;
    const again = { file: random.pick(['stays', 'deleted', 'replaced'] as const), pick: random.next() };
    if (random.chance(0.2)) submission.again = again;
    yield submission;
  }
}

/** One line for people. */
export function describeAct(act: Act): string {
  switch (act.kind) {
    case 'kill':
    case 'terminate':
      return `${act.kind} ${act.services.map((service, i) => `${service} (back after ${act.restartMs[i]} ms)`).join(', ')}`;
    case 'pause':
    case 'cut-off':
      return `${act.kind} ${act.services.join(', ')} for ${act.forMs} ms`;
    case 'slow-disk':
      if (act.forMs === TO_THE_END_MS) return `kill redis (back after ${act.restartMs[0]} ms with a slow disk, to the end)`;
      return `kill redis (back after ${act.restartMs[0]} ms with a slow disk), again after ${act.forMs} ms (back after ${act.restartMs[1]} ms)`;
    case 'drain':
      return `drain runner-${act.runner + 1} for ${act.forMs} ms`;
    case 'pause-container':
      return `pause a container for ${act.forMs} ms`;
    case 'kill-container':
      return 'kill a container';
    case 'remove-container':
      return 'remove a container';
  }
}
