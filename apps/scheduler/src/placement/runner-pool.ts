/**
 * Which runner takes a task: the runners of the registry, what they can hold and what is reserved on them.
 *
 * Invariants:
 *  1. What this scheduler has reserved on a runner never exceeds its capacity, but for one task that has waited longer than `patienceMs`:
 *     nothing else is placed there until that fits.
 *  2. A request that no registered runner of its pool could ever hold is refused at once, saying what is missing;
 *     one that merely has to wait does not hold up a smaller one behind it (until it is impatient).
 *  3. A placement is given back exactly once.
 *  4. What others hold is never taken for less than the last heartbeats prove (runner-book.ts); own placements are always counted whole.
 *  5. A task that waits at its runner (ahead of its room, or because of what others hold) goes elsewhere as soon as there is room, before any
 *     that came later; and none waits at a runner that drains.
 */
import type { RunnerAmounts, RunnerRecord } from '@weft/registry';
import { TaskError, type TaskResources } from '@weft/tasks';
import { advance, type Book, giveBack, heard, hold, newBook, type Share } from './runner-book.js';
import {
  absenceOf,
  amountsOf,
  chooseRunner,
  type Choice,
  hasRoom,
  isAlike,
  NOTHING,
  refusalOf,
  type RunnerView,
  type Wish,
  wishOf,
} from './runner-choice.js';

export interface PlacementRequest {
  pool: string;
  resources: TaskResources;
  /** 'container': an image is needed; 'prefer-container': the author hinted at one; 'process': none. */
  isolation: Wish['isolation'];
  /** Runners on which earlier attempts failed. */
  avoid?: readonly string[];
  /** The attempt began on this runner before: it goes back there, room or not, because it occupies its room already. */
  attached?: { runnerId: string; runtime: string };
  /** Told what it waits for where that is a runtime that is away, once for each that is said of it. */
  onAway?: (why: string) => void;
  signal: AbortSignal;
}

export interface Placement {
  runner: RunnerRecord;
  runtime: string;
  /** Aborts when the runner has been off the registry's list for longer than `returnGraceMs`. */
  lost: AbortSignal;
  /** There was no room yet: the task is to wait at its runner for a moment. */
  ahead: boolean;
  /**
   * The runner lets the task wait: as soon as another one has room, `take` gets a place there, which is the caller's then; or, where the
   * runner drains, nothing: the task is to be placed again. Returns what calls that off.
   */
  waiting(take: (better: Placement | undefined) => void): () => void;
  release(): void;
}

export interface RunnerPoolOptions {
  /** Milliseconds; only differences count. */
  now?: () => number;
  /** How long smaller tasks may pass one that waits. */
  patienceMs?: number;
  /** How long a runner may be off the list before what runs there is given up. */
  returnGraceMs?: number;
}

interface Waiting extends PlacementRequest {
  need: RunnerAmounts;
  sinceMs: number;
  told?: string;
  resolve(placement: Placement): void;
  reject(error: Error): void;
}

interface Queued {
  request: PlacementRequest;
  need: RunnerAmounts;
  runnerId: string;
  take: (better: Placement | undefined) => void;
}

/** What is remembered of one runner that is away; it sweeps the rest itself when it starts again. */
const MAX_UNHEARD = 1_000;
export const PATIENCE_MS = 30_000;
export const RETURN_GRACE_MS = 60_000;

/** The runner that an attempt began on is not registered any more: another attempt may run elsewhere. */
export class RunnerLostError extends TaskError {
  readonly retryable = true;
  constructor(runnerId: string) {
    super('RUNNER_LOST', `runner ${runnerId}, which had begun this task, is gone`);
  }
}

/** As it will be when those of its runtimes are back that are away. */
function withAllThere(runner: RunnerRecord): RunnerRecord {
  const runtimes = runner.runtimes.map((runtime) => (runtime.expected === true ? { ...runtime, unavailable: '' } : runtime));
  return { ...runner, runtimes };
}

export class RunnerPool {
  private runners: RunnerRecord[] = [];
  private readonly books = new Map<string, Book>();
  private readonly waiting = new Set<Waiting>();
  private readonly queued = new Set<Queued>();
  private readonly unheard = new Map<string, { seenMs: number | undefined; acts: (() => void)[] }>();
  private readonly now: () => number;
  private readonly patienceMs: number;
  private readonly returnGraceMs: number;

  constructor({ now = () => performance.now(), patienceMs = PATIENCE_MS, returnGraceMs = RETURN_GRACE_MS }: RunnerPoolOptions = {}) {
    this.now = now;
    this.patienceMs = patienceMs;
    this.returnGraceMs = returnGraceMs;
  }

  /** The registry's present list; to be brought again and again, because what has lapsed does not say so. */
  update(runners: RunnerRecord[]): void {
    this.runners = runners;
    const listed = new Set<string>();
    for (const runner of runners) {
      listed.add(runner.runnerId);
      const book = this.bookOf(runner.runnerId);
      heard(book, runner);
      advance(book, runner.capacity);
    }
    for (const [runnerId, book] of this.books) if (!listed.has(runnerId)) this.missed(runnerId, book);
    this.placeWaiting();
    for (const runner of runners) this.tellHeard(runner);
  }

  /** Acts once, when a heartbeat of the runner comes that is not known here yet. */
  whenHeard(runnerId: string, act: () => void): void {
    const seenMs = this.books.get(runnerId)?.seenMs;
    const entry = this.unheard.get(runnerId) ?? { seenMs, acts: [] };
    if (entry.acts.length < MAX_UNHEARD) entry.acts.push(act);
    this.unheard.set(runnerId, entry);
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Cores that placed tasks hold, over all runners. */
  get reservedCores(): number {
    return [...this.books.values()].reduce((sum, { own }) => sum + own.cores, 0);
  }

  readonly runnersOf = (pool: string): RunnerRecord[] => this.runners.filter((runner) => runner.pool === pool);

  /** Cores of all runners of a pool that take tasks. */
  coresOf(pool: string): number {
    const open = this.runnersOf(pool).filter((runner) => !runner.draining);
    return open.reduce((sum, { capacity }) => sum + capacity.cores, 0);
  }

  pools(): string[] {
    return [...new Set(this.runners.map((runner) => runner.pool))].sort();
  }

  /** Resolves when a runner is chosen. Rejects with TaskError NO_RUNNER where none ever will be, and when the signal aborts. */
  place(request: PlacementRequest): Promise<Placement> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        if (this.waiting.delete(waiting)) reject(new TaskError('CANCELLED', 'cancelled while waiting for a runner'));
      };
      const done = (): void => request.signal.removeEventListener('abort', stop);
      const waiting: Waiting = {
        ...request,
        need: amountsOf(request.resources),
        sinceMs: this.now(),
        resolve: (placement) => {
          done();
          resolve(placement);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      if (request.signal.aborted) {
        reject(new TaskError('CANCELLED', 'cancelled while waiting for a runner'));
        return;
      }
      request.signal.addEventListener('abort', stop, { once: true });
      this.waiting.add(waiting);
      this.tryPlace(waiting);
    });
  }

  /** The runner that a task would most likely get, whether or not there is room now; undefined where none is registered that could take it. */
  likely(request: Pick<PlacementRequest, 'pool' | 'resources' | 'isolation' | 'avoid'>): Pick<Placement, 'runner' | 'runtime'> | undefined {
    const views = this.viewsOf(request.pool);
    const wish = wishOf({ ...request, need: amountsOf(request.resources) }, false);
    const now = chooseRunner(views, wish);
    const chosen =
      now === 'wait'
        ? chooseRunner(
            views.map((view) => ({ ...view, runner: withAllThere(view.runner), own: NOTHING, foreign: NOTHING })),
            wish,
          )
        : now;
    return typeof chosen === 'string' ? undefined : { runner: chosen.view.runner, runtime: chosen.runtime };
  }

  private placeWaiting(): void {
    // Whoever gets a place may give another one back at once: then it is placed from in there, and what has gone since is passed over here.
    for (const queued of [...this.queued]) if (this.queued.has(queued)) this.tryMove(queued);
    // Of a scatter all want the same: where the oldest of them finds no room, the others need not look.
    let inVain: Waiting | undefined;
    for (const waiting of [...this.waiting]) {
      if (!this.waiting.has(waiting) || (inVain && isAlike(inVain, waiting))) continue;
      this.tryPlace(waiting);
      if (this.waiting.has(waiting)) inVain = waiting;
    }
  }

  private tryPlace(waiting: Waiting): void {
    if (waiting.attached) {
      this.attach(waiting, waiting.attached);
      return;
    }
    const views = this.viewsOf(waiting.pool);
    // No runner has registered yet: after a start they come one by one.
    if (views.length === 0) return;
    const chosen = chooseRunner(views, wishOf(waiting, this.now() - waiting.sinceMs >= this.patienceMs));
    if (chosen === 'wait') return this.tellAway(waiting, views);
    this.waiting.delete(waiting);
    if (chosen === 'never') {
      const runners = views.map(({ runner }) => runner);
      waiting.reject(new TaskError('NO_RUNNER', refusalOf(runners, waiting, waiting.pool)));
    } else waiting.resolve(this.reserve(chosen, waiting));
  }

  private tellAway(waiting: Waiting, views: readonly RunnerView[]): void {
    const why =
      waiting.onAway &&
      absenceOf(
        views.map(({ runner }) => runner),
        waiting,
      );
    if (why === undefined || why === waiting.told) return;
    waiting.told = why;
    waiting.onAway?.(why);
  }

  private tryMove(queued: Queued): void {
    const { request, need, runnerId } = queued;
    const views = this.viewsOf(request.pool);
    const others = views.filter(({ runner }) => runner.runnerId !== runnerId);
    const chosen = chooseRunner(others, wishOf({ ...request, need }, false));
    const room = typeof chosen !== 'string' && hasRoom(chosen.view, need);
    if (!room && !views.some(({ runner }) => runner.runnerId === runnerId && runner.draining)) return;
    this.queued.delete(queued);
    queued.take(room ? this.reserve(chosen, { ...request, need }) : undefined);
  }

  private attach(waiting: Waiting, { runnerId, runtime }: { runnerId: string; runtime: string }): void {
    const runner = this.runners.find((known) => known.runnerId === runnerId);
    if (!runner && this.now() - waiting.sinceMs < this.returnGraceMs) return;
    this.waiting.delete(waiting);
    if (!runner) waiting.reject(new RunnerLostError(runnerId));
    else waiting.resolve(this.reserve({ view: this.viewOf(runner), runtime }, waiting));
  }

  private reserve({ view: { runner }, runtime, ahead = false }: Choice, request: PlacementRequest & { need: RunnerAmounts }): Placement {
    const book = this.bookOf(runner.runnerId);
    const { need } = request;
    const share: Share = { need };
    if (ahead) book.ahead.add(share);
    else hold(book, share);
    let entry: Queued | undefined;
    let released = false;
    const callOff = (): void => {
      if (entry) this.queued.delete(entry);
      entry = undefined;
    };
    return {
      runner,
      runtime,
      ahead,
      lost: book.lost.signal,
      waiting: (take) => {
        if (!released && !entry && !request.attached) {
          entry = { request, need, runnerId: runner.runnerId, take };
          this.queued.add(entry);
          this.tryMove(entry);
        }
        return callOff;
      },
      release: () => {
        if (released) return;
        released = true;
        callOff();
        giveBack(book, share);
        const known = this.runners.find(({ runnerId }) => runnerId === runner.runnerId);
        advance(book, (known ?? runner).capacity);
        this.placeWaiting();
      },
    };
  }

  private tellHeard({ runnerId, lastSeenMs }: RunnerRecord): void {
    const entry = this.unheard.get(runnerId);
    if (!entry || entry.seenMs === lastSeenMs) return;
    this.unheard.delete(runnerId);
    for (const act of entry.acts) act();
  }

  private missed(runnerId: string, book: Book): void {
    book.absentSinceMs ??= this.now();
    if (this.now() - book.absentSinceMs < this.returnGraceMs) return;
    this.books.delete(runnerId);
    book.lost.abort();
  }

  private viewsOf(pool: string): RunnerView[] {
    return this.runnersOf(pool).map((runner) => this.viewOf(runner));
  }

  private viewOf(runner: RunnerRecord): RunnerView {
    const { own, foreign, ahead, ended } = this.bookOf(runner.runnerId);
    return { runner, own, foreign, ahead: ahead.size, ended: ended.value };
  }

  private bookOf(runnerId: string): Book {
    const known = this.books.get(runnerId);
    if (known) return known;
    const book = newBook(this.now);
    this.books.set(runnerId, book);
    return book;
  }
}
