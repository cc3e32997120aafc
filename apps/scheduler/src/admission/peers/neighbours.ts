/**
 * The other replicas of the scheduler, as far as tasks wait with them: what they tell decides which part of a pool's window is this one's.
 *
 * Invariants:
 *  1. While nothing waits nothing is told, but once that nothing waits any more.
 *  2. What is told counts for `FORGET_MS`; while tasks wait it is repeated each `REPEAT_MS`, and changes are told after at most `TELL_MS`.
 *  3. It decides about shares and order, never about whether work goes on: nobody waits for another's answer.
 */
import type { Logger } from '@weft/platform';
import { ForeignMessageError } from '@weft/run-store';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.js';
import type { ReleaseWindow } from '../release-window.js';
import { type Demand, partsOfProjects, partOfWindow } from './demand.js';

export interface DemandChannel {
  publish(message: string): Promise<void>;
  /** Where `onMessage` throws ForeignMessageError the message is told of and dropped. */
  subscribe(onMessage: (message: string) => void): Promise<void>;
}

export interface NeighboursDeps {
  channel: DemandChannel;
  /** This replica, unique among them. */
  name: string;
  weightOf(project: string): number;
  logger: Logger;
  clock: Clock;
}

/** Of one pool. */
interface Told {
  demandNow: () => Demand | undefined;
  last: string;
  atMs: number;
  partsOfProjects: ReadonlyMap<string, number>;
}

const TELL_MS = 250;
const REPEAT_MS = 1_000;
const FORGET_MS = 3_500;
const TURN_MS = 5_000;

const demandText = z.strictObject({ priority: z.number(), runs: z.array(z.tuple([z.string(), z.number().int().positive()])) });
const messageText = z.strictObject({ from: z.string(), pool: z.string(), demand: demandText.optional() });
/** Pools of other replicas with tasks that wait. */
const MOST_HEARD = 4_096;

export class Neighbours {
  /** By pool and replica. */
  private readonly heard = new Map<string, Map<string, { demand: Demand; atMs: number }>>();
  private readonly told = new Map<string, Told>();
  private onChange: (pool: string) => void = () => undefined;
  private closed = false;

  constructor(private readonly deps: NeighboursDeps) {}

  /** `onChange(pool)`: the parts may be others now. */
  async start(onChange: (pool: string) => void): Promise<void> {
    this.onChange = onChange;
    await this.deps.channel.subscribe((message) => this.hear(message));
  }

  /** How many tasks of a pool this replica may have released that have not started: its part of the window, see demand.ts. */
  sizeOf(pool: string, window: Pick<ReleaseWindow, 'size'>, demandNow: () => Demand | undefined): number {
    const others = this.others(pool);
    const mine = others.size > 0 ? demandNow() : undefined;
    const part = mine ? partOfWindow(mine, others.values(), this.deps.weightOf) : 1;
    if (part > 0) return window.size(part);
    return this.hasTurn(others) ? 1 : 0;
  }

  /** Of what a project may claim in the pool, the part that is for its runs here. */
  partOfProject(pool: string, project: string): number {
    return this.told.get(pool)?.partsOfProjects.get(project) ?? 1;
  }

  /** To be called whenever what waits may have changed. */
  tell(pool: string, demandNow: () => Demand | undefined): void {
    if (this.closed || this.told.has(pool)) return;
    const demand = demandNow();
    if (!demand) return;
    const told = { demandNow, last: '', atMs: -Infinity, partsOfProjects: new Map() };
    this.told.set(pool, told);
    this.repeat(pool, told);
  }

  /** Says that nothing waits here any more. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.told.keys()].map((pool) => this.publish(pool, undefined)));
    this.told.clear();
  }

  private repeat(pool: string, told: Told): void {
    if (this.closed) return;
    const demand = told.demandNow();
    const text = JSON.stringify(demand && [demand.priority, ...demand.runs]) ?? '';
    const nowMs = this.deps.clock.now();
    if (text !== told.last || Math.abs(nowMs - told.atMs) >= REPEAT_MS) {
      Object.assign(told, { last: text, atMs: nowMs });
      void this.publish(pool, demand);
    }
    if (!demand) return void this.told.delete(pool);
    this.deps.clock.after(TELL_MS, () => {
      // Also where others fell silent: their part is free.
      if (this.heard.has(pool)) this.changed(pool);
      this.repeat(pool, told);
    });
  }

  private changed(pool: string): void {
    const told = this.told.get(pool);
    const mine = told?.demandNow();
    if (told) told.partsOfProjects = mine ? partsOfProjects(mine, this.others(pool).values()) : new Map();
    this.onChange(pool);
  }

  private async publish(pool: string, demand: Demand | undefined): Promise<void> {
    const message = { from: this.deps.name, pool, ...(demand && { demand: { priority: demand.priority, runs: [...demand.runs] } }) };
    try {
      await this.deps.channel.publish(JSON.stringify(message));
    } catch (error) {
      this.deps.logger.debug({ err: error, pool }, 'other replicas could not be told what waits here');
    }
  }

  /** @throws ForeignMessageError where no replica says such a thing: anybody who reaches Redis may say anything on a channel */
  private hear(text: string): void {
    const read = messageText.safeParse(jsonOf(text));
    if (!read.success) throw new ForeignMessageError(z.prettifyError(read.error));
    const { from, pool, demand } = read.data;
    if (from === this.deps.name) return;
    const ofPool = this.heard.get(pool) ?? new Map<string, { demand: Demand; atMs: number }>();
    if (demand && !ofPool.has(from)) this.makeRoom();
    if (demand) ofPool.set(from, { demand: { ...demand, runs: new Map(demand.runs) }, atMs: this.deps.clock.now() });
    else ofPool.delete(from);
    if (ofPool.size > 0) this.heard.set(pool, ofPool);
    else this.heard.delete(pool);
    this.changed(pool);
  }

  /** Who is heard of takes memory until it is forgotten. @throws ForeignMessageError where there are more than there can be */
  private makeRoom(): void {
    const size = (): number => [...this.heard.values()].reduce((sum, ofPool) => sum + ofPool.size, 0);
    if (size() < MOST_HEARD) return;
    for (const pool of [...this.heard.keys()]) this.others(pool);
    if (size() >= MOST_HEARD) throw new ForeignMessageError(`tasks wait at ${MOST_HEARD} other replicas and pools already`);
  }

  private others(pool: string): Map<string, Demand> {
    const ofPool = this.heard.get(pool);
    if (!ofPool) return new Map();
    const nowMs = this.deps.clock.now();
    for (const [name, { atMs }] of ofPool) if (Math.abs(nowMs - atMs) > FORGET_MS) ofPool.delete(name);
    if (ofPool.size === 0) this.heard.delete(pool);
    return new Map([...ofPool].map(([name, { demand }]) => [name, demand]));
  }

  /** Of the replicas whose tasks give way, each is the one that has one released all the same, in turn; clocks that differ do no harm. */
  private hasTurn(others: Map<string, Demand>): boolean {
    const top = [...others.values()].reduce((most, { priority }) => Math.max(most, priority), -Infinity);
    const giveWay = [...others].flatMap(([name, { priority }]) => (priority < top ? [name] : []));
    const names = [...giveWay, this.deps.name].sort();
    return names[Math.floor(this.deps.clock.now() / TURN_MS) % names.length] === this.deps.name;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
