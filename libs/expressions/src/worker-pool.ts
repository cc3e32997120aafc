/**
 * Hands JavaScript evaluations to worker threads.
 *
 * Invariants:
 *  1. Nothing is started before the first evaluation or `warmUp`.
 *  2. Evaluations that a run asks for in the same turn of the event loop travel in one message; turns.ts says whose come next.
 *  3. Another worker is started only when evaluations that may begin have waited for a busy one, and ends when nothing waits any more: a slow script
 *     holds up nobody else's, and quick ones share a thread.
 */
import { ExpressionWorker, type WorkerOptions } from './worker-client.js';
import { EvaluationDropped } from './api.js';
import type { ScriptPlace } from './protocol.js';
import { type ExpressionOwner, keyOf, type OwnedEvaluation, type Turn, Turns } from './turns.js';

/** How long evaluations wait for a busy worker before another one is started. */
const BACKLOG_MS = 50;
const BATCH_SIZE = 512;
/** Of a message that takes longer the rest is taken back after the evaluation that runs. */
const SLOW_MS = 1_000;

export interface PoolOptions extends Omit<WorkerOptions, 'url'> {
  /** Most worker threads at a time, and most of them for one project: fewer, so that there is one for another. */
  workers: number;
  perProject: number;
  locate(): Promise<URL>;
}

export type Script = Pick<OwnedEvaluation, 'code' | 'library' | 'inputsJson' | 'selfJson' | 'runtimeJson' | 'owner'>;

/** What a script did wrong, and where in it. */
export class ScriptFault extends Error {
  override readonly name = 'ScriptFault';
  constructor(
    reason: string,
    readonly place: ScriptPlace | undefined,
  ) {
    super(reason);
  }
}

interface Busy {
  turn: Turn;
  begunAtMs: number;
  /** Fires where the message takes long. */
  slow: NodeJS.Timeout;
  isSlow: boolean;
  isDropped: boolean;
}

export class WorkerPool {
  private readonly workers = new Map<ExpressionWorker, Busy | undefined>();
  private readonly turns: Turns;
  private url: URL | undefined;
  private locating = false;
  private flush: NodeJS.Immediate | undefined;
  private backlog: NodeJS.Timeout | undefined;
  private nextId = 1;
  private closed = false;

  constructor(private readonly options: PoolOptions) {
    this.turns = new Turns({ perProject: options.perProject, batchSize: BATCH_SIZE });
  }

  /** JSON text of the result; rejects with a ScriptFault, or an Error, whose message is the reason. */
  run(script: Script): Promise<string> {
    if (this.closed) return Promise.reject(new Error('the evaluator is closed'));
    return new Promise((resolve, reject) => {
      this.turns.add({
        ...{ ...script, id: this.nextId++, resolve },
        reject: (reason, place) => reject(new ScriptFault(reason, place)),
        drop: () => reject(new EvaluationDropped()),
      });
      this.flush ??= setImmediate(() => this.dispatch());
    });
  }

  /** Starts a worker where there is none. Resolves when it can evaluate; rejects with an Error whose message says why it cannot. */
  async warmUp(owner: ExpressionOwner): Promise<void> {
    if (this.workers.size > 0) return;
    await this.run({ code: '(null)', library: [], inputsJson: '{}', selfJson: 'null', runtimeJson: '{}', owner });
  }

  /** Rejects what is running or waiting and ends the threads. */
  async close(): Promise<void> {
    this.closed = true;
    this.rejectWaiting('the evaluator was closed');
    clearTimeout(this.backlog);
    const closing = [...this.workers.keys()].map((worker) => worker.close('the evaluator was closed'));
    this.workers.clear();
    await Promise.all(closing);
  }

  /** What waits rejects at once; a message that is being worked on ends with its script, or, where that is slow, with its thread. */
  drop(owner: ExpressionOwner): void {
    for (const evaluation of this.turns.remove(owner)) evaluation.drop();
    for (const [worker, busy] of this.workers) {
      if (busy === undefined || keyOf(busy.turn.owner) !== keyOf(owner)) continue;
      busy.isDropped = true;
      if (busy.isSlow) this.end(worker, busy);
      else worker.endSoon();
    }
  }

  /** With what it is at work on: it does not say when it would be done. */
  private end(worker: ExpressionWorker, busy: Busy): void {
    for (const evaluation of busy.turn.evaluations) evaluation.drop();
    clearTimeout(busy.slow);
    this.turns.end(busy.turn);
    this.workers.delete(worker);
    void worker.close('its run is stopped');
    this.dispatch();
  }

  private dispatch(): void {
    this.flush = undefined;
    while (!this.closed && this.turns.mayBegin) {
      if (!this.url) return this.locate();
      const worker = this.free() ?? (this.workers.size === 0 ? this.start(this.url) : undefined);
      if (!worker) return this.watchBacklog();
      const turn = this.turns.take();
      if (!turn) return;
      this.send(worker, turn);
    }
  }

  private send(worker: ExpressionWorker, turn: Turn): void {
    const tooLong = (): void => {
      busy.isSlow = true;
      this.turns.wasSlow(turn.owner);
      if (busy.isDropped) this.end(worker, busy);
      else worker.endSoon();
    };
    const slow = setTimeout(tooLong, SLOW_MS).unref();
    const busy: Busy = { turn, begunAtMs: performance.now(), slow, isSlow: false, isDropped: false };
    this.workers.set(worker, busy);
    worker.send(turn.evaluations);
  }

  private free(): ExpressionWorker | undefined {
    for (const [worker, busy] of this.workers) if (!busy) return worker;
    return undefined;
  }

  private start(url: URL): ExpressionWorker {
    const worker = new ExpressionWorker(
      { ...this.options, url },
      {
        idle: (rest) => this.done(worker, rest),
        gone: (rest, burnt) => this.replace(worker, rest, burnt),
      },
    );
    this.workers.set(worker, undefined);
    return worker;
  }

  private done(worker: ExpressionWorker, rest: ReadonlySet<number>): void {
    this.endTurn(worker, rest);
    this.workers.set(worker, undefined);
    this.dispatch();
    if (this.workers.get(worker) !== undefined || this.workers.size <= this.options.perProject) return;
    this.workers.delete(worker);
    void worker.close('it is not needed any more');
  }

  private replace(worker: ExpressionWorker, rest: ReadonlySet<number>, burnt: boolean): void {
    this.endTurn(worker, rest, burnt);
    this.workers.delete(worker);
    this.dispatch();
  }

  private endTurn(worker: ExpressionWorker, rest: ReadonlySet<number>, burnt = false): void {
    const busy = this.workers.get(worker);
    if (!busy) return;
    const { turn, begunAtMs, slow } = busy;
    clearTimeout(slow);
    this.turns.end(turn);
    if (burnt || performance.now() - begunAtMs > this.options.limits.interruptAfterMs) this.turns.hasBurnt(turn.owner);
    const left = turn.evaluations.filter(({ id }) => rest.has(id));
    if (busy.isDropped) for (const evaluation of left) evaluation.drop();
    else if (left.length > 0) this.turns.putBack(left);
  }

  private watchBacklog(): void {
    if (this.backlog !== undefined || this.workers.size >= this.options.workers) return;
    this.backlog = setTimeout(() => {
      this.backlog = undefined;
      if (this.turns.mayBegin && this.free() === undefined && this.url && !this.closed) this.start(this.url);
      this.dispatch();
    }, BACKLOG_MS);
  }

  private locate(): void {
    if (this.locating) return;
    this.locating = true;
    this.options
      .locate()
      .then((url) => {
        this.url = url;
        this.dispatch();
      })
      .catch((error: unknown) =>
        this.rejectWaiting(`JavaScript cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => (this.locating = false));
  }

  private rejectWaiting(reason: string): void {
    for (const evaluation of this.turns.takeAll()) evaluation.reject(reason);
  }
}
