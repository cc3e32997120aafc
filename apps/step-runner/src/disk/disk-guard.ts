/**
 * Keeps room free for what the stack itself writes, on the disks of sandboxes, results and the stack's own directory.
 *
 * Invariants:
 *  1. While one of the disks is short of its reserve no task begins: those that want to wait, are told for what, and fail with DISK_FULL after
 *     `waitMs`, so that another runner may have them.
 *  2. A running task that fills the sandboxes' disk is ended before that is full, or as soon as it is seen: the one that holds the most, one at a
 *     time. What it held goes at once, not when its scheduler says so: that one may wait for the same disk.
 *  3. What can be left out (logs of tasks) is written only while there is twice the reserve: it makes no task wait.
 *  4. Disks are looked at while there are tasks, the more often the fuller they are; a task costs one look at its beginning and one at its end.
 */
import { RuntimeFailure, type StartEvents } from '@weft/runtimes';
import { type Disks, distinctDisks, systemDisks } from './disks.js';
import type { Place } from './place.js';
import { greediest, isNearlyFull, isShort, mayPass, mebibytes, nextLookMs, reserveOf, type Space, spaceWords } from './reserve.js';

export interface DiskGuardOptions {
  /** Where tasks write. */
  sandboxRoot: string;
  /** What else must not get full: those of other file systems, as far as they are there. */
  others: readonly string[];
  /** Bytes to be kept free on each; absent: a share of it. 0: nothing is watched. */
  reserveBytes?: number;
  /** How long a task waits for room before it is somebody else's, milliseconds. */
  waitMs: number;
  /** That it is short, and that it is no longer. */
  tell: (text: string) => void;
  disks?: Disks;
  /** Calls back after so many milliseconds; the answer calls that off. */
  after?: (ms: number, work: () => void) => () => void;
}

/** A task that runs. */
export interface Watched extends Place {
  reservedBytes: number;
  /** Ends it, and lets go what it held. */
  end(failure: RuntimeFailure): void;
}

/** Between two looks at a disk that is full by no task's doing. */
const UNHELPED_MS = 1_000;

interface Waiter {
  resolve: () => void;
  reject: (error: RuntimeFailure) => void;
  tell: (text: string) => void;
}

export class DiskGuard {
  private readonly paths: readonly string[];
  private readonly disks: Disks;
  private readonly after: NonNullable<DiskGuardOptions['after']>;
  private readonly running = new Map<string, Watched>();
  private readonly waiting = new Set<Waiter>();
  private readonly ending = new Set<string>();
  private looking = false;
  private callOff: (() => void) | undefined;
  private told: string | undefined;

  constructor(private readonly options: DiskGuardOptions) {
    const { sandboxRoot, others, disks = systemDisks, after = afterMs } = options;
    this.disks = disks;
    this.after = after;
    this.paths = options.reserveBytes === 0 ? [] : distinctDisks([sandboxRoot, ...others]);
  }

  /** Why no task may begin now: a sentence. */
  lacks(): string | undefined {
    for (const path of this.paths) {
      const space = this.disks.spaceNow(path);
      const reserve = reserveOf(space, this.options.reserveBytes);
      if (isShort(space, reserve)) return shortage(path, space, reserve);
    }
    return undefined;
  }

  /** Whether something may be written that can be left out: after it there is still room for tasks. */
  hasSpare(): boolean {
    return this.paths.every((path) => {
      const space = this.disks.spaceNow(path);
      return !isShort(space, 2 * reserveOf(space, this.options.reserveBytes));
    });
  }

  /** Resolves when tasks may begin; undefined where they may now. @throws RuntimeFailure DISK_FULL where that takes too long */
  available({ preparing, onUnwanted }: Pick<StartEvents, 'preparing' | 'onUnwanted'>): Promise<void> | undefined {
    const lack = this.lacks();
    if (lack === undefined) return undefined;
    preparing(lack);
    return new Promise<void>((resolve, reject) => {
      const giveUp = (): void => waiter.reject(new RuntimeFailure('DISK_FULL', this.lacks() ?? lack, true));
      const callOff = this.after(this.options.waitMs, giveUp);
      const done = (settle: () => void): void => {
        this.waiting.delete(waiter);
        callOff();
        settle();
      };
      const waiter: Waiter = { resolve: () => done(resolve), reject: (error) => done(() => reject(error)), tell: preparing };
      this.waiting.add(waiter);
      onUnwanted?.(() => waiter.reject(new RuntimeFailure('DISK_FULL', lack, true)));
      this.lookSoon(0);
    });
  }

  /** From now on, until the answer is called. */
  watch(task: Watched): () => void {
    this.running.set(task.key, task);
    this.lookSoon();
    return () => {
      this.running.delete(task.key);
      this.ending.delete(task.key);
    };
  }

  /**
   * Why a task that has ended by itself is taken for one that has met a full disk. One that left what it was to leave has, where what that holds
   * is what lacks: its answer could not be stored.
   */
  async atEnd(task: Omit<Watched, 'end'>, exitCode: number): Promise<RuntimeFailure | undefined> {
    const { sandboxRoot, reserveBytes } = this.options;
    if (this.paths.length === 0) return undefined;
    const space = this.disks.spaceNow(sandboxRoot);
    const reserve = reserveOf(space, reserveBytes);
    if (!isNearlyFull(space, reserve)) return undefined;
    const [holding = { key: task.key, heldBytes: 0 }] = await this.disks.held([task]);
    if (exitCode === 0 && space.freeBytes + holding.heldBytes < reserve / 2) return undefined;
    if (exitCode === 0 && greediest([holding]) === undefined) return undefined;
    const how = exitCode === 0 ? 'the tool ended well, but' : `the tool ended with exit code ${exitCode};`;
    const what = `what it made takes ${mebibytes(holding.heldBytes)}`;
    return new RuntimeFailure(
      'DISK_FULL',
      `${how} ${what}, and ${shortage(sandboxRoot, space, reserve)}`,
      mayPass(holding, task.reservedBytes),
    );
  }

  close(): void {
    this.callOff?.();
    this.callOff = undefined;
  }

  private lookSoon(ms = 1): void {
    if (this.looking || this.paths.length === 0) return;
    this.callOff?.();
    this.callOff = this.after(ms, () => void this.look());
  }

  private async look(): Promise<void> {
    this.callOff = undefined;
    if (this.looking) return;
    this.looking = true;
    const next = await this.lookAll().catch(() => undefined);
    this.looking = false;
    if (this.running.size > 0 || this.waiting.size > 0) this.lookSoon(next ?? 1_000);
  }

  /** Milliseconds until the next look. */
  private async lookAll(): Promise<number> {
    const seen = await Promise.all(
      this.paths.map(async (path) => {
        const space = await this.disks.space(path);
        return { path, space, reserve: reserveOf(space, this.options.reserveBytes) };
      }),
    );
    const [sandboxes] = seen;
    const full = sandboxes !== undefined && isNearlyFull(sandboxes.space, sandboxes.reserve);
    const helped = full && (await this.endGreediest(sandboxes.reserve));
    const short = seen.find(({ space, reserve }) => isShort(space, reserve));
    this.tell(short && shortage(short.path, short.space, short.reserve));
    if (short === undefined) for (const waiter of [...this.waiting]) waiter.resolve();
    // Measuring what all hold takes the disk's time, too.
    return full && !helped
      ? UNHELPED_MS
      : seen.reduce((least, { space, reserve }) => Math.min(least, nextLookMs(space, reserve)), UNHELPED_MS);
  }

  /** False where none would help. */
  private async endGreediest(reserve: number): Promise<boolean> {
    if (this.ending.size > 0 || this.running.size === 0) return true;
    const { sandboxRoot } = this.options;
    const holdings = await this.disks.held([...this.running.values()]);
    const chosen = greediest(holdings.filter(({ key }) => this.running.has(key)));
    const task = chosen && this.running.get(chosen.key);
    const space = this.disks.spaceNow(sandboxRoot);
    // One that was ended meanwhile may have been enough.
    if (chosen === undefined || task === undefined || !isNearlyFull(space, reserve)) return false;
    this.ending.add(chosen.key);
    const why = `the task was ended: what it made takes ${mebibytes(chosen.heldBytes)}, more than that of any other, and ${shortage(sandboxRoot, space, reserve)}`;
    this.options.tell(`${chosen.key}: ${why}`);
    task.end(new RuntimeFailure('DISK_FULL', why, mayPass(chosen, task.reservedBytes)));
    return true;
  }

  private tell(lack: string | undefined): void {
    if ((lack === undefined) === (this.told === undefined)) return;
    this.told = lack;
    this.options.tell(lack ?? 'the disks have room again: tasks begin');
    if (lack !== undefined) for (const waiter of this.waiting) waiter.tell(lack);
  }
}

function shortage(path: string, space: Space, reserve: number): string {
  return `${spaceWords(path, space)}; weft keeps ${mebibytes(reserve)} of it free (WEFT_DISK_RESERVE_MIB): make room there`;
}

function afterMs(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms).unref();
  return () => clearTimeout(timer);
}
