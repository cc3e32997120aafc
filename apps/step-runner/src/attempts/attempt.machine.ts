/**
 * The life of one attempt, as a pure table.
 *
 * Invariants:
 *  1. `finished` happens once; after it nothing starts or stops the tool.
 *  2. The sandbox is removed exactly once, after the tool has ended and release was asked for.
 *  3. What was lost with its runtime is prepared again; to whoever has asked for its end in between it is over.
 *  4. Asking twice to cancel or to release is tolerated in every phase; every other surprise is an illegal transition, that is: a bug.
 */

export type Phase = 'waiting' | 'preparing' | 'running' | 'releasing' | 'finished' | 'released';

export interface AttemptState {
  phase: Phase;
  /** The tool is to be stopped as soon as there is one. */
  stopAsked: boolean;
}

/** `lost`: the runtime went away under it, and nothing is known of what ran. */
export type AttemptSignal = 'admitted' | 'started' | 'lost' | 'finished' | 'cancel' | 'release';

/** `abandon`: waiting, or what is being prepared; `stop`: the running tool; `remove`: the sandbox. */
export type AttemptEffect = 'abandon' | 'stop' | 'remove';

export type Decision = { state: AttemptState; effects: AttemptEffect[] } | { illegal: string };

export const initialAttempt: AttemptState = { phase: 'waiting', stopAsked: false };

interface Rule {
  to: Phase;
  effects?: AttemptEffect[];
  asksToStop?: true;
  /** `stop` follows only where it was asked for before. */
  stopIfAsked?: true;
}

const RULES: Record<Phase, Partial<Record<AttemptSignal, Rule>>> = {
  waiting: {
    admitted: { to: 'preparing' },
    finished: { to: 'finished' },
    cancel: { to: 'waiting', asksToStop: true, effects: ['abandon'] },
    release: { to: 'releasing', asksToStop: true, effects: ['abandon'] },
  },
  preparing: {
    started: { to: 'running', stopIfAsked: true },
    lost: { to: 'preparing' },
    finished: { to: 'finished' },
    cancel: { to: 'preparing', asksToStop: true, effects: ['abandon'] },
    release: { to: 'releasing', asksToStop: true, effects: ['abandon'] },
  },
  running: {
    lost: { to: 'preparing' },
    finished: { to: 'finished' },
    cancel: { to: 'running', asksToStop: true, effects: ['stop'] },
    release: { to: 'releasing', asksToStop: true, effects: ['stop'] },
  },
  releasing: {
    started: { to: 'releasing', effects: ['stop'] },
    lost: { to: 'releasing' },
    finished: { to: 'released', effects: ['remove'] },
    cancel: { to: 'releasing' },
    release: { to: 'releasing' },
  },
  finished: {
    cancel: { to: 'finished' },
    release: { to: 'released', effects: ['remove'] },
  },
  released: {
    cancel: { to: 'released' },
    release: { to: 'released' },
  },
};

export function decideAttempt(state: AttemptState, signal: AttemptSignal): Decision {
  const rule = RULES[state.phase][signal];
  if (rule === undefined) return { illegal: `${signal} while ${state.phase}` };
  const effects = [...(rule.effects ?? [])];
  if (rule.stopIfAsked === true && state.stopAsked) effects.push('stop');
  return { state: { phase: rule.to, stopAsked: state.stopAsked || rule.asksToStop === true }, effects };
}
