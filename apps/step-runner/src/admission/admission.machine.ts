/**
 * Which attempts may begin: what they reserve against what the runner has. Pure; time comes in with the events.
 *
 * Order: first come, first served, except that whoever fits goes ahead of whoever does not. So that large ones are not passed for ever, the
 * oldest one that waits, once it has waited `patienceMs`, is kept room for: from then on others are admitted only beside it, that is, where
 * what it needs, what was admitted since, and the newcomer fit together. Then nothing that began later can delay it, and it begins as soon as
 * what ran before has ended. The next oldest takes its turn after it; whoever waits has only finitely many before it, so nobody starves
 * as long as tools end.
 *
 * Invariants:
 *  1. What admitted attempts hold never exceeds the capacity, except by what was adopted (it runs already, wanted or not).
 *  2. No two attempts hold the same GPU.
 *  3. Whatever waits could be admitted if it were alone; what never could is refused, also where the capacity shrinks while it waits.
 *  4. After every event nothing waits that may be admitted.
 */
export interface Amounts {
  cores: number;
  ramBytes: number;
  diskBytes: number;
  gpus: number;
}

/** `capacity.gpus` is the number of `devices`. */
export interface AdmissionCapacity extends Omit<Amounts, 'gpus'> {
  /** Ids of GPUs. */
  devices: readonly string[];
}

interface Held {
  need: Amounts;
  devices: readonly string[];
}

interface Waiting {
  key: string;
  need: Amounts;
  sinceMs: number;
}

export interface AdmissionState {
  readonly capacity: AdmissionCapacity;
  readonly patienceMs: number;
  readonly held: ReadonlyMap<string, Held>;
  /** The sum over `held`. */
  readonly inUse: Amounts;
  /** Oldest first. */
  readonly waiting: readonly Waiting[];
  /** Whom room is kept for (always the oldest), and who was admitted beside it. */
  readonly kept: { key: string; beside: ReadonlySet<string> } | undefined;
}

export type AdmissionEvent =
  | { type: 'ask'; key: string; need: Amounts; nowMs: number }
  /** It runs already, from an earlier life of the runner. */
  | { type: 'adopt'; key: string; need: Amounts; devices: readonly string[] }
  /** It has ended, or does not want to begin any more. `diskBytes`: where the disk was looked at again. */
  | { type: 'leave'; key: string; nowMs: number; diskBytes?: number }
  /** Disks fill and empty. */
  | { type: 'disk'; diskBytes: number; nowMs: number };

export interface AdmissionDecision {
  state: AdmissionState;
  admitted: { key: string; devices: readonly string[] }[];
  refused: { key: string; reason: string }[];
}

/** Fractions of cores that add up to a whole number may miss it by a rounding error. */
const ROUNDING = 1e-6;
const NOTHING: Amounts = { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 };
const DIMENSIONS = ['cores', 'ramBytes', 'diskBytes', 'gpus'] as const;

export function initialAdmission(capacity: AdmissionCapacity, patienceMs: number): AdmissionState {
  return { capacity, patienceMs, held: new Map(), inUse: NOTHING, waiting: [], kept: undefined };
}

export function decideAdmission(state: AdmissionState, event: AdmissionEvent): AdmissionDecision {
  switch (event.type) {
    case 'ask': {
      const { key, need, nowMs } = event;
      if (state.held.has(key) || state.waiting.some((other) => other.key === key)) throw new Error(`${key} asks twice`);
      const reason = refusal(state, need);
      if (reason !== undefined) return { state, admitted: [], refused: [{ key, reason }] };
      return admitWaiting({ ...state, waiting: [...state.waiting, { key, need, sinceMs: nowMs }] }, nowMs);
    }
    case 'adopt': {
      return { state: holding(state, event.key, event), admitted: [], refused: [] };
    }
    case 'leave': {
      const left = without(state, event.key);
      if (event.diskBytes !== undefined) return resize(left, event.diskBytes, event.nowMs);
      return admitWaiting(left, event.nowMs);
    }
    case 'disk':
      return resize(state, event.diskBytes, event.nowMs);
  }
}

/** Who waits for more than there can be any more is refused, and the others get their turn. */
function resize(state: AdmissionState, diskBytes: number, nowMs: number): AdmissionDecision {
  const resized = { ...state, capacity: { ...state.capacity, diskBytes } };
  const refused = state.waiting.flatMap(({ key, need }) => {
    const reason = refusal(resized, need);
    return reason === undefined ? [] : [{ key, reason }];
  });
  const waiting = state.waiting.filter(({ key }) => !refused.some((gone) => gone.key === key));
  return { ...admitWaiting({ ...resized, waiting }, nowMs), refused };
}

/** Why an attempt could not be admitted even if it were alone; undefined where it could. */
export function refusal({ capacity }: Pick<AdmissionState, 'capacity'>, need: Amounts): string | undefined {
  const total = totalOf(capacity);
  const short = DIMENSIONS.filter((name) => !fitsIn(need, NOTHING, total, name));
  if (short.length === 0) return undefined;
  return `needs ${short.map((name) => `${inWords(name, need[name])}; this runner has ${inWords(name, total[name])}`).join(' and ')}`;
}

function holding(state: AdmissionState, key: string, { need, devices }: Held): AdmissionState {
  const held = new Map(state.held).set(key, { need, devices });
  return { ...state, held, inUse: combined(state.inUse, need, 1) };
}

function without(state: AdmissionState, gone: string): AdmissionState {
  const share = state.held.get(gone);
  if (share === undefined) return { ...state, waiting: state.waiting.filter(({ key }) => key !== gone) };
  const held = new Map(state.held);
  held.delete(gone);
  // Sums of fractions leave rounding errors behind.
  return { ...state, held, inUse: held.size === 0 ? NOTHING : combined(state.inUse, share.need, -1) };
}

function admitWaiting(from: AdmissionState, nowMs: number): AdmissionDecision {
  const admitted: AdmissionDecision['admitted'] = [];
  const total = totalOf(from.capacity);
  let state = from;
  for (;;) {
    state = { ...state, kept: keptFor(state, nowMs) };
    const next = state.waiting.find((candidate) => mayBegin(state, candidate, total));
    if (next === undefined) return { state, admitted, refused: [] };
    const devices = next.need.gpus > 0 ? freeDevices(state).slice(0, next.need.gpus) : [];
    admitted.push({ key: next.key, devices });
    const { kept } = state;
    state = {
      ...holding(state, next.key, { need: next.need, devices }),
      waiting: state.waiting.filter((other) => other !== next),
      kept: kept && { ...kept, beside: new Set([...kept.beside, next.key]) },
    };
  }
}

function keptFor({ waiting, kept, patienceMs }: AdmissionState, nowMs: number): AdmissionState['kept'] {
  const [oldest] = waiting;
  if (oldest === undefined) return undefined;
  if (kept?.key === oldest.key) return kept;
  return nowMs - oldest.sinceMs >= patienceMs ? { key: oldest.key, beside: new Set() } : undefined;
}

function mayBegin(state: AdmissionState, { key, need }: Waiting, total: Amounts): boolean {
  if (!fits(need, state.inUse, total)) return false;
  const { kept } = state;
  if (kept === undefined || kept.key === key) return true;
  const oldest = state.waiting[0]?.need ?? NOTHING;
  const beside = [...kept.beside].map((other) => state.held.get(other)?.need ?? NOTHING);
  return fits(need, sum([oldest, ...beside]), total);
}

function freeDevices({ capacity, held }: AdmissionState): string[] {
  const taken = new Set([...held.values()].flatMap(({ devices }) => devices));
  return capacity.devices.filter((device) => !taken.has(device));
}

function totalOf({ devices, ...rest }: AdmissionCapacity): Amounts {
  return { ...rest, gpus: devices.length };
}

function fits(need: Amounts, held: Amounts, total: Amounts): boolean {
  return DIMENSIONS.every((name) => fitsIn(need, held, total, name));
}

/** What it does not need cannot be short. */
function fitsIn(need: Amounts, held: Amounts, total: Amounts, name: keyof Amounts): boolean {
  return need[name] === 0 || held[name] + need[name] <= total[name] + ROUNDING;
}

function sum(all: readonly Amounts[]): Amounts {
  return all.reduce((total, one) => combined(total, one, 1), NOTHING);
}

function combined(a: Amounts, b: Amounts, sign: 1 | -1): Amounts {
  return {
    cores: a.cores + sign * b.cores,
    ramBytes: a.ramBytes + sign * b.ramBytes,
    diskBytes: a.diskBytes + sign * b.diskBytes,
    gpus: a.gpus + sign * b.gpus,
  };
}

function inWords(name: keyof Amounts, amount: number): string {
  const gib = `${Math.round((amount / 1024 ** 3) * 100) / 100} GiB`;
  return { cores: `${amount} cores`, ramBytes: `${gib} of memory`, diskBytes: `${gib} of disk`, gpus: `${amount} GPUs` }[name];
}
