/**
 * Carries the schedule's disturbances out, one after the other, each at its moment.
 *
 * Invariant: a disturbance that cannot be carried out (what it is for is down already) is recorded as such and counts as one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosClient } from './client.js';
import type { Containers } from './containers.js';
import type { Progress } from './progress.js';
import { describeAct, type Act, type Disturbance } from './schedule.js';
import { slowDiskWords } from './slow-disk.js';
import type { World } from './world.js';

export interface Done {
  n: number;
  what: string;
  /** Log entries at that moment, planned and real; they differ where nothing was appended for a while. */
  plannedEntry: number;
  entry: number;
  /** Milliseconds since the storm began. */
  atMs: number;
  /** Why it was not, or what it was done to. */
  remark: string;
}

/** Where nothing moves (everything is down, or stuck), the next disturbance comes nevertheless. */
const STILL_MS = 4_000;

export class Storm {
  readonly done: Done[] = [];
  private began = Date.now();
  private readonly drained = new Map<string, Promise<void>>();
  private readonly over = new AbortController();
  private slow: Promise<void> | undefined;

  constructor(
    private readonly world: World,
    private readonly containers: Containers | undefined,
    private readonly client: ChaosClient,
    private readonly progress: Progress,
    private readonly say: (line: string) => void,
  ) {}

  async rage(schedule: Iterator<Disturbance, void>, signal: AbortSignal): Promise<void> {
    this.began = Date.now();
    let planned = this.progress.entries;
    while (!signal.aborted) {
      const next = schedule.next();
      if (next.done) return;
      const { n, afterEntries, act } = next.value;
      // From where the logs are, not from where they should have been: a stretch without progress is not made up for by haste.
      planned = Math.max(planned, this.progress.entries) + afterEntries;
      const target = planned;
      await this.progress.until(() => this.progress.entries >= target, STILL_MS, signal);
      if (signal.aborted) return;
      const entry = this.progress.entries;
      const atMs = Date.now() - this.began;
      const remark = await this.carryOut(act);
      this.done.push({ n, what: describeAct(act), plannedEntry: target, entry, atMs, remark });
      this.say(`${(atMs / 1000).toFixed(1).padStart(6)} s  entry ${entry}  #${n} ${describeAct(act)}${remark && ` (${remark})`}`);
    }
  }

  /** Whatever stands still, or gets no tasks, goes on. */
  async calm(): Promise<void> {
    this.over.abort();
    await this.slow;
    for (const service of Object.values(this.world.services)) service.goOn();
    await this.containers?.goOnAll();
    await Promise.all(this.drained.values());
  }

  private async carryOut(act: Act): Promise<string> {
    switch (act.kind) {
      case 'kill':
      case 'terminate': {
        const missed = act.services.filter((name, i) => {
          const service = this.world.services[name];
          const restartMs = act.restartMs[i] ?? 0;
          return !(act.kind === 'kill' ? service.kill(restartMs) : service.terminate(restartMs));
        });
        return missed.length > 0 ? `not ${missed.join(', ')}: down already` : '';
      }
      case 'slow-disk':
        return this.slowDisk(act);
      case 'drain':
        return this.drain(act);
      case 'pause':
      case 'cut-off': {
        const missed = act.services.filter((name) => !this.world.services[name].pause(act.forMs));
        return missed.length > 0 ? `not ${missed.join(', ')}: down or paused already` : '';
      }
      case 'kill-container':
        return this.onContainer(act.pick, (containers, id) => containers.kill(id));
      case 'remove-container':
        return this.onContainer(act.pick, (containers, id) => containers.remove(id));
      case 'pause-container':
        return this.onContainer(act.pick, (containers, id) => containers.pause(id, act.forMs));
    }
  }

  /** Other disturbances go on meanwhile, and may kill it too: it comes back as slow as it was. */
  private slowDisk({ forMs, restartMs: [first = 0, last = 0] }: Extract<Act, { kind: 'slow-disk' }>): string {
    const { redis } = this.world.services;
    if (this.slow !== undefined) return 'slow already';
    redis.before = slowDiskWords();
    const killed = redis.kill(first);
    this.slow = delay(forMs, undefined, { signal: this.over.signal })
      .catch(() => undefined)
      .then(() => {
        redis.before = [];
        // Paused, it dies as well.
        redis.kill(last);
        this.slow = undefined;
      });
    return killed ? '' : 'down already';
  }

  /** Asked as anybody asks, while other disturbances go on. */
  private drain({ runner, gateway, forMs }: Extract<Act, { kind: 'drain' }>): string {
    const runnerId = this.world.runnerIds[runner] as string;
    if (this.drained.has(runnerId)) return 'drained already';
    this.drained.set(
      runnerId,
      this.withoutNewTasks(runnerId, gateway, forMs).finally(() => this.drained.delete(runnerId)),
    );
    return '';
  }

  private async withoutNewTasks(runnerId: string, gateway: number, forMs: number): Promise<void> {
    if (!(await this.client.drain(runnerId, true, gateway))) return;
    await delay(forMs, undefined, { signal: this.over.signal }).catch(() => undefined);
    await this.client.drain(runnerId, false, gateway);
  }

  private async onContainer(pick: number, what: (containers: Containers, id: string) => Promise<boolean>): Promise<string> {
    if (this.containers === undefined) return 'no Docker engine';
    const found = await this.containers.running(pick);
    if (found === undefined) return 'no container ran';
    const hit = await what(this.containers, found.id);
    return `${found.id.slice(0, 12)} ${found.task}${hit ? '' : ', which was gone already'}`;
  }
}
