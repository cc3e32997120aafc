/**
 * Whether the container engine is there.
 *
 *   unasked + answer → here          unasked + no answer → never
 *   never   + answer → here          never + it is expected (it has containers of ours) → away
 *   here    + no answer to a ping → away
 *   away    + answer → here          away for longer than `waitMs` → overdue, and asked on
 *
 * Invariants:
 *  1. An engine that was here is pinged all the time, so that one that hangs is found as well as one that died; a connection that breaks is a
 *     reason to ping at once, never a proof.
 *  2. Each time that it goes, `gone` aborts: nobody waits for an answer from an engine that is not there.
 *  3. Whoever waits for its return is let go when it is overdue; an engine that never answered is waited for by nobody.
 *  4. After `close` nobody hears anything any more: what waits then is for the next life of the runner.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeFailure, type StartEvents } from '../ports.js';

/** Between two pings of an engine that is there. */
const WATCH_MS = 5_000;
/** Between two pings of one that is away; each pause is twice the one before. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

export interface PresenceOptions {
  /** Where it is, for messages. */
  endpoint: string;
  /** Resolves when it has answered; rejects where it has not within its limit. */
  ping: () => Promise<void>;
  /** How long one that was here is waited for, milliseconds. */
  waitMs: number;
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  nowMs?: () => number;
}

type State = 'unasked' | 'never' | 'here' | 'away';

export class Presence {
  private state: State = 'unasked';
  private since = 0;
  private why = '';
  private epoch = newEpoch();
  private readonly closed = newEpoch();
  private looking: Promise<boolean> | undefined;
  private watching = false;
  private readonly returns = new Set<() => void>();
  private readonly departures = new Set<() => void>();
  private readonly waiters = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  private readonly pause: NonNullable<PresenceOptions['pause']>;
  private readonly nowMs: () => number;

  constructor(private readonly options: PresenceOptions) {
    this.pause = options.pause ?? ((ms, signal) => delay(ms, undefined, { signal, ref: false }));
    this.nowMs = options.nowMs ?? Date.now;
  }

  get gone(): AbortSignal {
    return this.epoch.signal;
  }

  get isHere(): boolean {
    return this.state === 'here';
  }

  get isAway(): boolean {
    return this.state === 'away';
  }

  /** It was here, and is waited for. */
  get isExpected(): boolean {
    return this.state === 'away' && !this.overdue;
  }

  /** Why it cannot be used; undefined where it can, or where nobody has asked yet. */
  get complaint(): string | undefined {
    const { endpoint } = this.options;
    if (this.state === 'never') return `the Docker engine at ${endpoint} does not answer (${this.why})`;
    if (this.state === 'away') return `the Docker engine at ${endpoint}: not answering since ${clockTime(this.since)} (${this.why})`;
    return undefined;
  }

  /** Acts each time that it is back. */
  onReturn(act: () => void): void {
    this.returns.add(act);
  }

  /** Acts each time that it goes. Returns how to stop. */
  onDeparture(act: () => void): () => void {
    this.departures.add(act);
    return () => this.departures.delete(act);
  }

  answered(): void {
    if (this.state === 'here' || this.closed.signal.aborted) return;
    const back = this.state === 'away';
    this.state = 'here';
    if (back) this.epoch = newEpoch();
    for (const waiter of this.waiters) waiter.resolve();
    this.waiters.clear();
    if (back) for (const act of this.returns) act();
    this.watch();
  }

  /** Something says that it is not there. */
  suspect(error: unknown): void {
    if (this.state === 'unasked' || this.state === 'never') {
      this.state = 'never';
      this.why = wordsOf(error);
    } else if (this.state === 'here') void this.look();
  }

  /** It has something of ours, although it has not answered in this life. */
  expect(): void {
    if (this.state !== 'never') return;
    this.state = 'never';
    this.leave(this.why);
    this.watch();
  }

  /** Asks it. Many who ask at once share one ping. */
  look(): Promise<boolean> {
    this.looking ??= this.ping().finally(() => (this.looking = undefined));
    return this.looking;
  }

  /** Asks it after this moment: a ping that is under way may have been answered before. */
  async lookAgain(): Promise<boolean> {
    await this.looking;
    return this.look();
  }

  /** Resolves when it is here, at once where nothing is known against it. @throws RuntimeFailure RUNTIME_UNAVAILABLE */
  async here(on?: Pick<StartEvents, 'preparing' | 'onUnwanted'>): Promise<void> {
    if (this.state === 'never') await this.look();
    if (!this.isAway && this.complaint === undefined) return;
    if (!this.isExpected) throw this.failure();
    on?.preparing(`waiting for ${this.complaint}`);
    await new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      if (!this.closed.signal.aborted) this.waiters.add(waiter);
      on?.onUnwanted?.(() => {
        this.waiters.delete(waiter);
        reject(new RuntimeFailure('RUNTIME_UNAVAILABLE', 'nobody waits for the Docker engine any more', true));
      });
    });
  }

  failure(): RuntimeFailure {
    const waited = this.overdue ? `; it was waited for ${Math.round(this.options.waitMs / 1000)} s` : '';
    return new RuntimeFailure('RUNTIME_UNAVAILABLE', `${this.complaint ?? 'the Docker engine does not answer'}${waited}`, true);
  }

  get closing(): AbortSignal {
    return this.closed.signal;
  }

  close(): void {
    this.waiters.clear();
    this.closed.abort();
  }

  private get overdue(): boolean {
    return this.state === 'away' && this.nowMs() - this.since >= this.options.waitMs;
  }

  private async ping(): Promise<boolean> {
    try {
      await this.options.ping();
      this.answered();
      return true;
    } catch (error) {
      if (this.state === 'here') this.leave(wordsOf(error));
      else this.why = wordsOf(error);
      if (this.state === 'unasked') this.state = 'never';
      return false;
    }
  }

  private leave(why: string): void {
    this.state = 'away';
    this.since = this.nowMs();
    this.why = why;
    this.epoch.abort();
    for (const act of [...this.departures]) act();
  }

  private watch(): void {
    if (this.watching) return;
    this.watching = true;
    void this.keepWatch();
  }

  private async keepWatch(): Promise<void> {
    const { signal } = this.closed;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted;) {
      const wasHere = this.state === 'here';
      await this.pause(wasHere ? WATCH_MS : pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.look();
      pauseMs = wasHere ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      if (this.overdue) this.letWaitersGo();
    }
  }

  private letWaitersGo(): void {
    const failure = this.failure();
    for (const waiter of this.waiters) waiter.reject(failure);
    this.waiters.clear();
  }
}

function newEpoch(): AbortController {
  const epoch = new AbortController();
  // As many as there are requests.
  setMaxListeners(0, epoch.signal);
  return epoch;
}

function wordsOf(error: unknown): string {
  const words = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return /\bEACCES\b/.test(words) ? `${words}: this user may not open it; add the user to the group docker` : words;
}

function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
