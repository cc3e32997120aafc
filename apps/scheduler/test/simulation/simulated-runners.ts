/**
 * Runners of the simulation: they admit what their cores take, let the rest wait, refuse when they are full, and get stuck.
 *
 * Invariants, as of the executor contract: Execute is idempotent by (task, attempt) while the runner knows the attempt; an attempt is known
 * until it is released, withdrawn before it began, or lost with its runner; a cancel that reaches a runner before the attempt does nothing.
 */
import { executor } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { RunnerRecord } from '@weft/registry';
import { aRunner, type VirtualProcess, type VirtualWorld } from '@weft/testing';
import type { SimulatedFiles } from './simulated-files.js';
import { callOf, exitCodeOf, OUTPUT_NAME, textOf, writesFile } from './tools.js';

const LONGEST_TASK_MS = 3_000;
const CORES = 2;

/** Who watches over runners. */
export interface RunnerMonitor {
  /** A runner begins an attempt; `text`: what it is going to give, undefined where an input is not there. */
  begins(spec: executor.TaskSpec, text: string | undefined): void;
  ends(spec: executor.TaskSpec, finished: executor.Finished): void;
  /** Whether what broke the run before is mended. */
  isMended(runId: string): boolean;
}

export interface Follower {
  queued(): void;
  started(): void;
  finished(finished: executor.Finished): void;
}

interface SimulatedAttempt {
  spec: executor.TaskSpec;
  state: 'waiting' | 'running' | executor.Finished;
  text: string;
  followers: Follower[];
}

export class SimulatedRunner {
  readonly attempts = new Map<string, SimulatedAttempt>();
  private readonly released = new Set<string>();
  private host: VirtualProcess;
  private broken = new Set<() => void>();
  private returned = new Set<() => void>();
  away = false;
  draining = false;
  /** It refuses what is new. */
  full = false;

  constructor(
    private readonly world: VirtualWorld,
    readonly id: string,
    private readonly files: SimulatedFiles,
    private readonly monitor: RunnerMonitor,
  ) {
    this.host = world.spawn(id);
  }

  get record(): RunnerRecord {
    const process = { name: 'process', version: '1', containers: false, unavailable: '' };
    const capacity = { cores: CORES, ramBytes: 2 ** 33, diskBytes: 2 ** 40, gpus: 0 };
    const runner = aRunner({ runnerId: this.id, address: this.id, runtimes: [process], capacity, draining: this.draining });
    return { ...runner, lastSeenMs: this.world.nowMs };
  }

  /** Attempts that have not ended. */
  get open(): number {
    return [...this.attempts.values()].filter(({ state }) => state === 'waiting' || state === 'running').length;
  }

  /** It cannot be reached any more. Its tasks run on (and may end unseen), or are lost with it. */
  leave(losesTasks: boolean): void {
    this.away = true;
    if (losesTasks) {
      this.attempts.clear();
      this.released.clear();
      this.host.crash();
      this.host = this.world.spawn(this.id);
    }
    for (const attempt of this.attempts.values()) attempt.followers = [];
    const broken = [...this.broken];
    this.broken.clear();
    for (const tell of broken) tell();
  }

  comeBack(): void {
    this.away = false;
    const returned = [...this.returned];
    this.returned.clear();
    for (const tell of returned) tell();
  }

  /** Everything on it stands still; it answers late. */
  stick(): void {
    this.host.pause();
  }

  goOn(): void {
    this.host.resume();
  }

  /** Starts the attempt or attaches to it. */
  execute(spec: executor.TaskSpec, follower: Follower): void {
    const key = keyOf(spec);
    if (this.released.has(key)) throw new ServiceError('FAILED_PRECONDITION', `attempt ${key} was released`);
    const known = this.attempts.get(key);
    if (!known && this.full) throw new ServiceError('RESOURCE_EXHAUSTED', `no room for ${key}`);
    const attempt = known ?? { spec, state: 'waiting', text: '', followers: [] };
    if (typeof attempt.state === 'object') return follower.finished(attempt.state);
    attempt.followers.push(follower);
    if (attempt.state === 'running') return follower.started();
    this.attempts.set(key, attempt);
    this.admit();
    // Not what it was a line before: it may have been admitted.
    if (this.attempts.get(key)?.state === 'waiting') follower.queued();
  }

  cancel(key: string, waitingOnly = false): void {
    const attempt = this.attempts.get(key);
    if (waitingOnly && attempt?.state !== 'waiting') return;
    // What is withdrawn may come back; what is cancelled may not.
    if (waitingOnly) this.attempts.delete(key);
    if (attempt) this.finish(attempt, executor.Finished.create({ outcome: executor.Outcome.CANCELLED }));
  }

  /** What the attempt made, put where it is to be found. */
  collect(key: string, publishTo: string): executor.CollectedFile {
    const attempt = this.attempts.get(key);
    if (!attempt) throw new ServiceError('NOT_FOUND', `no attempt ${key} to collect from`);
    if (typeof attempt.state !== 'object') throw new ServiceError('FAILED_PRECONDITION', `attempt ${key} has nothing to collect yet`);
    const uri = publishTo + OUTPUT_NAME;
    const [tool = ''] = attempt.spec.argv;
    if (writesFile(tool)) this.files.texts.set(uri, attempt.text);
    const { text } = attempt;
    return executor.CollectedFile.create({
      path: OUTPUT_NAME,
      kind: executor.EntryKind.FILE,
      size: text.length,
      checksum: `sha1$${text}`,
      uri,
    });
  }

  /** A task that runs is stopped; a released attempt stays released. */
  release(key: string): void {
    this.cancel(key);
    this.attempts.delete(key);
    this.released.add(key);
  }

  /** Resolves true when the runner is back, false after the grace period. */
  reachable(process: VirtualProcess, graceMs: number): Promise<boolean> {
    if (!this.away) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.returned.add(() => process.receive(() => resolve(true), `${this.id} is back`));
      process.clock.after(graceMs, () => resolve(false));
    });
  }

  whenBroken(tell: () => void): void {
    this.broken.add(tell);
  }

  private admit(): void {
    const running = [...this.attempts.values()].filter(({ state }) => state === 'running').length;
    const waiting = [...this.attempts.values()].filter(({ state }) => state === 'waiting');
    for (const attempt of waiting.slice(0, Math.max(0, CORES - running))) this.begin(attempt);
  }

  private begin(attempt: SimulatedAttempt): void {
    attempt.state = 'running';
    const { spec } = attempt;
    const call = callOf(spec, (uri) => this.files.texts.get(uri));
    attempt.text = call ? textOf(call) : '';
    this.monitor.begins(spec, call && attempt.text);
    for (const follower of attempt.followers) follower.started();
    this.host.clock.after(this.world.random.int(1, LONGEST_TASK_MS), () => {
      const failure = { code: 'INPUT_MISSING', message: 'an input is not there', retryable: false };
      if (!call) return this.finish(attempt, executor.Finished.create({ outcome: executor.Outcome.FAILED, failure }));
      const exitCode = exitCodeOf(call.tool, spec.attempt, this.monitor.isMended(spec.runId));
      this.finish(attempt, executor.Finished.create({ outcome: executor.Outcome.EXITED, exitCode }));
    });
  }

  private finish(attempt: SimulatedAttempt, finished: executor.Finished): void {
    if (typeof attempt.state === 'object') return;
    if (attempt.state === 'running') this.monitor.ends(attempt.spec, finished);
    attempt.state = finished;
    for (const follower of attempt.followers.splice(0)) follower.finished(finished);
    this.admit();
  }
}

export function keyOf({ taskId, attempt }: Pick<executor.TaskSpec, 'taskId' | 'attempt'>): string {
  return `${taskId}.${attempt}`;
}
