/**
 * One active run of a partition that this replica owns: the only writer of its log (requests from outside excepted).
 *
 * Invariants:
 *  1. Append first, act after: an event reaches the engine, and its commands the executor, only once it is in the log.
 *  2. Events reach the engine in the order of the log, so that a replay gives the same state. An append that finds entries it
 *     has not seen (a cancel from outside) applies those first and tries again.
 *  3. Events that arrive while an append is under way go into the next one together: one round trip per batch, not per event.
 *  4. A lost lease stops the actor at once; whoever holds the lease now goes on from the log. So does a log that cannot be read or written,
 *     and the run is recovered here.
 *  5. A log that does not hold what this actor has read of it (the store lost its newest writes) is begun again from its start, and that is told.
 *     What is read while the run is sealed, or after this actor has stopped, says nothing of the kind: by then the run may have left the store.
 *  6. What is too large for a log is not offered to it, but the failure that it is (event-limits.ts).
 *     Nor what this replica has no memory for (run-memory.ts).
 *  7. Whoever offers an event hears whether it is in the log: an actor that stops has not taken what it held.
 */
import { answeredKey, commandKey, decide, initialState, type Command, type EngineEvent, type RunEnded, type RunState } from '@weft/engine';
import type { CwlObject, CwlValue, Plan } from '@weft/plan';
import type { Logger } from '@weft/platform';
import type { Lease, LogEntry, RunHeader, RunLog } from '@weft/run-store';
import type { Clock } from '../kernel/clock.js';
import { dueCommands } from './due-commands.js';
import { endWithin, heldBytes, withinLimits, type EventLimits } from './memory/event-limits.js';
import { failureOf } from './failures.js';
import { HeaderWriter } from './header-writer.js';
import { headerOf, type HeaderBase } from './run-header.js';
import { engineEvent, LogDivergedError, toLogEvent } from './log-events.js';
import type { RunMemory, RunShare } from './memory/run-memory.js';
import type { CommandExecutor, Offered, OwnedRun, RunListener } from './owned-run.js';

export interface RunActorDeps {
  log: RunLog;
  executor: CommandExecutor;
  logger: Logger;
  clock: Clock;
  memory: Pick<RunMemory, 'begin'>;
  /** Size, checksum and listing of outputs that were only passed through. Rejects with a coded error where a file is gone. */
  completeOutputs(outputs: CwlObject, run: { runId: string; projectId: string }): Promise<CwlObject>;
  /** The run has ended, was removed, or belongs to another replica now; or, where `broken`, its log could not be read or written. */
  onDone(actor: RunActor, broken: boolean): void;
}

/** Events per append: a few milliseconds of the store's time. */
const APPEND_LIMIT = 1_000;
/** Longest delay a Node timer takes (24.8 days): a longer deadline is as good as that. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Actors of this process so far. */
let actors = 0;

export class RunActor implements OwnedRun {
  /** Greater than those of all earlier actors of this process. */
  readonly serial = (actors += 1);
  readonly state: RunState;
  private lastSequence = 0;
  private lastAtMs = 0;
  private readonly listeners = new Set<RunListener>();
  private readonly outstanding = new Map<string, Command>();
  private mailbox: Offered[] = [];
  private working: Promise<void> | undefined;
  private unread = false;
  /** An append has met entries that this actor does not know. */
  private overtaken = false;
  /** Greatest sequence that it was told of, and that of the run's end. */
  private told = 0;
  private endedAt = Infinity;
  private readonly headers: HeaderWriter;
  private readonly share: RunShare;
  private readonly limits: EventLimits;
  private sealing: Promise<void> | undefined;
  private stopDeadline = (): void => undefined;
  private stopped = false;

  private constructor(
    readonly base: HeaderBase,
    readonly plan: Plan,
    readonly lease: Lease,
    private readonly deps: RunActorDeps,
  ) {
    this.state = initialState(plan);
    this.share = deps.memory.begin(base.projectId, base.planHash, plan);
    this.limits = { stepOf: (taskId) => this.state.tasks.get(taskId)?.step, admits: (bytes) => this.share.admits(bytes) };
    this.headers = new HeaderWriter(() => this.writeHeader(), deps.clock);
  }

  /** Replays the run's log and goes on with the commands whose answers are still due. */
  static recover(header: RunHeader, plan: Plan, entries: LogEntry[], lease: Lease, deps: RunActorDeps): RunActor {
    const actor = new RunActor(header, plan, lease, deps);
    for (const entry of entries) {
      actor.share.add(heldBytes(engineEvent(entry)));
      actor.apply(engineEvent(entry), entry.sequence, entry.atMs);
    }
    actor.dispatch(dueCommands(actor.state, [...actor.outstanding.values()], deps.clock.now()));
    actor.watchDeadline();
    return actor;
  }

  private watchDeadline(): void {
    const { options, acceptedAtMs, retriedAtMs } = this.state;
    if (options.deadlineMs === undefined || this.state.phase !== 'running') return;
    const reason = `the run took longer than its time limit of ${options.deadlineMs / 1000} s; what was under way was stopped`;
    const passed = (): void => void this.offer({ type: 'CancelAsked', reason, timeLimit: true });
    const leftMs = Math.max(0, (retriedAtMs ?? acceptedAtMs) + options.deadlineMs - this.deps.clock.now());
    this.stopDeadline = this.deps.clock.after(Math.min(MAX_TIMER_MS, leftMs), passed);
  }

  get runId(): string {
    return this.base.runId;
  }

  /** True once the event is in the log; false where this actor stopped first, and it is not known whether it is there. */
  offer(event: EngineEvent): Promise<boolean> {
    if (this.stopped) return Promise.resolve(false);
    return new Promise((settle) => {
      const fitting = withinLimits(event, this.limits);
      this.share.add(heldBytes(fitting));
      this.mailbox.push({ event: fitting, settle });
      this.wake();
    });
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** Of the last entry that the state holds. */
  get sequence(): number {
    return this.lastSequence;
  }

  get position(): { sequence: number; atMs: number } {
    return { sequence: this.lastSequence, atMs: this.lastAtMs };
  }

  /** Hears of every entry from now on. Returns how to stop. */
  listen(listener: RunListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Whether the attempt is still to be made. */
  wants(taskId: string, attempt: number): boolean {
    const task = this.state.tasks.get(taskId);
    return !this.stopped && this.state.phase === 'running' && task?.attempt === attempt && task.status === 'queued';
  }

  /** Something may have been appended by others. */
  nudge(sequence: number): void {
    this.told = Math.max(this.told, sequence);
    if (sequence <= this.lastSequence || this.stopped) return;
    this.unread = true;
    this.wake();
  }

  /** Whether the run has gone on behind the end that this actor has given it. */
  get isOutlived(): boolean {
    return this.told > this.endedAt;
  }

  header(): RunHeader {
    return headerOf(this.base, this.state, this.lastAtMs);
  }

  /** Stops, and resolves when nothing of it is under way any more: whoever takes the run then finds all that it wrote. */
  async retire(): Promise<void> {
    this.stop();
    await this.working;
    await Promise.all([this.sealing, this.headers.idle()]);
  }

  stop(broken = false): void {
    // Also what an append that was under way has put back.
    for (const { settle } of this.mailbox.splice(0)) settle(false);
    if (this.stopped) return;
    this.stopped = true;
    this.share.end();
    this.headers.stop();
    this.stopDeadline();
    this.deps.executor.stopped(this);
    for (const listener of [...this.listeners]) listener.stopped();
    this.deps.onDone(this, broken);
  }

  private wake(): void {
    this.working ??= Promise.resolve()
      .then(() => this.work())
      .catch((error: unknown) => {
        // Whoever stopped it did so for a reason of their own, and the run is gone on with from its log.
        if (!this.stopped)
          this.deps.logger.error({ err: error, runId: this.runId }, 'the log cannot be read or written; the run goes on once it can');
        this.stop(true);
      })
      .finally(() => {
        this.working = undefined;
        if (!this.stopped && (this.mailbox.length > 0 || this.unread)) this.wake();
      });
  }

  private async work(): Promise<void> {
    while (!this.stopped && (this.mailbox.length > 0 || this.unread)) {
      if (this.unread) await this.catchUp();
      if (this.mailbox.length > 0) await this.appendBatch();
    }
  }

  private async catchUp(): Promise<void> {
    // Of what this actor appends it is told too, often before the append is answered.
    const needed = this.overtaken || this.told > this.lastSequence;
    this.unread = this.overtaken = false;
    if (needed) this.dispatch(await this.readOn());
  }

  /**
   * Applies what others have appended. Throws LogDivergedError where the log does not hold the last entry that was known when it was asked for.
   * The run may be sealed, or read on, while the read is under way: what it brings may be known by then.
   */
  private async readOn(): Promise<Command[]> {
    const { lastSequence: sequence, lastAtMs: atMs } = this;
    const [last, ...entries] = await this.deps.log.read(this.runId, sequence - 1);
    if (this.stopped || (last === undefined && this.state.phase === 'ended')) return [];
    if (last?.sequence !== sequence || last.atMs !== atMs) throw new LogDivergedError(this.runId, sequence);
    return entries.flatMap((entry) => this.applyOnce(engineEvent(entry), entry.sequence, entry.atMs));
  }

  private async appendBatch(): Promise<void> {
    const batch = this.mailbox.splice(0, APPEND_LIMIT);
    const events = batch.map(({ event }) => toLogEvent(event));
    const result = await this.deps.log.append(this.lease, this.runId, this.position, events).catch((error: unknown) => {
      this.mailbox = batch.concat(this.mailbox);
      throw error;
    });
    if (!result.ok) {
      this.mailbox = batch.concat(this.mailbox);
      // A run that is under way leaves the store by a loss alone.
      const lost = result.reason === 'diverged' || (result.reason === 'gone' && this.state.phase !== 'ended');
      if (lost) throw new LogDivergedError(this.runId, this.lastSequence);
      // Behind the end, which is known, nothing is taken any more.
      if (result.reason === 'conflict' && !this.stopped && this.state.endedAtMs === undefined) {
        this.unread = this.overtaken = true;
        return;
      }
      this.deps.logger.warn({ runId: this.runId, reason: result.reason }, 'append refused: the run is not ours any more');
      this.stop();
      return;
    }
    const commands: Command[] = [];
    batch.forEach(({ event, settle }, i) => {
      for (const command of this.applyOnce(event, result.sequence - batch.length + 1 + i, result.atMs)) commands.push(command);
      settle(true);
    });
    this.dispatch(commands);
  }

  /** Nothing where the state holds the entry already: the sealing and the mailbox each read and append. */
  private applyOnce(event: EngineEvent, sequence: number, atMs: number): Command[] {
    return sequence > this.lastSequence ? this.apply(event, sequence, atMs) : [];
  }

  private apply(event: EngineEvent, sequence: number, atMs: number): Command[] {
    this.lastSequence = sequence;
    this.lastAtMs = atMs;
    const decision = decide(this.state, event, atMs);
    for (const listener of this.listeners) listener.applied({ sequence, atMs, type: event.type, changedTasks: decision.changedTasks });
    if (decision.ignored !== undefined) {
      this.deps.logger.info({ runId: this.runId, ignored: decision.ignored }, 'event without effect');
      return decision.commands;
    }
    const answered = answeredKey(event);
    if (answered !== undefined) this.outstanding.delete(answered);
    this.deps.executor.applied(this, event);
    for (const command of decision.commands) {
      const key = commandKey(command);
      if (key !== undefined) this.outstanding.set(key, command);
    }
    return decision.commands;
  }

  private dispatch(commands: Command[]): void {
    // What this actor applied after it was stopped is acted on by whoever has the run next: by its end, too.
    if (this.stopped) return;
    const end = commands.find((command) => command.type === 'EndRun');
    if (end?.type === 'EndRun') {
      this.sealing = this.seal(end).catch((error: unknown) => {
        this.deps.logger.error({ err: error, runId: this.runId }, 'run could not be sealed; it will be when it is recovered');
        this.stop(true);
      });
      return;
    }
    if (commands.length > 0) this.deps.executor.execute(this, commands);
    this.headers.changed();
  }

  private async writeHeader(): Promise<void> {
    if (this.state.phase === 'ended') return;
    try {
      await this.deps.log.updateHeader(this.lease, this.header());
    } catch (error) {
      this.deps.logger.warn({ err: error, runId: this.runId }, 'header not updated');
    }
  }

  private async seal(end: Extract<Command, { type: 'EndRun' }>): Promise<void> {
    await this.headers.idle();
    const [event] = await Promise.all([this.ending(end), this.deps.executor.ending(this)]);
    for (;;) {
      const { status: state, failure, outputs = state === end.status ? end.outputs : undefined } = event;
      const header = { ...this.header(), state, failure, finishedAtMs: this.deps.clock.now() };
      const result = await this.deps.log.seal(this.lease, header, this.position, toLogEvent(event), outputs);
      if (!result.ok && result.reason === 'diverged') throw new LogDivergedError(this.runId, this.lastSequence);
      if (result.ok) {
        this.endedAt = result.sequence;
        this.applyOnce(event, result.sequence, result.atMs);
      }
      if (result.ok || result.reason !== 'conflict') break;
      // A late cancel or answer: it changes nothing any more, but it comes before the end.
      await this.readOn();
      // Somebody has sealed it already (a seal whose answer was lost, another owner), or whoever has it next does.
      if (this.state.endedAtMs !== undefined || this.stopped) break;
    }
    this.stop();
  }

  private async ending({ status, outputs, failure }: Extract<Command, { type: 'EndRun' }>): Promise<RunEnded> {
    if (outputs === undefined) return { type: 'RunEnded', status, failure };
    try {
      const completed = status === 'failed' ? await this.completePartly(outputs) : await this.complete(outputs);
      // What follows from the log is not written to it: the outputs of a wide scatter are long.
      const ended = endWithin({ type: 'RunEnded', status, failure, ...(completed !== outputs && { outputs: completed }) }, completed);
      // What it failed of stays what it failed of.
      return status === 'failed' && ended.failure !== failure ? { type: 'RunEnded', status, failure, outputs: {} } : ended;
    } catch (error) {
      return { type: 'RunEnded', status: 'failed', failure: failureOf(error, '') };
    }
  }

  private complete(outputs: CwlObject): Promise<CwlObject> {
    return this.deps.completeOutputs(outputs, { runId: this.runId, projectId: this.base.projectId });
  }

  /** The run has failed already: an output that cannot be completed is one more that it does not have. */
  private async completePartly(outputs: CwlObject): Promise<CwlObject> {
    const completed = await Promise.all(
      Object.entries(outputs).map(async ([name, value = null]): Promise<[string, CwlValue]> => {
        const one = await this.complete({ [name]: value }).catch(() => ({ [name]: null }));
        return [name, one[name] ?? null];
      }),
    );
    return completed.every(([name, value]) => value === outputs[name]) ? outputs : Object.fromEntries(completed);
  }
}
