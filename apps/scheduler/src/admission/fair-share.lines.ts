/**
 * What `FairShare` keeps its tasks in: a line per run, the lines of a project at one priority in a lane, the lanes of a priority in a level;
 * and how they rank.
 */
import type { HeapMember, OrderedHeap } from './ordered-heap.js';

export interface Share {
  run: string;
  project: string;
  priority: number;
  /** Tasks of the run in flight at the same time, at most; absent = no limit. */
  maxParallel?: number;
}

export interface Project<T> {
  readonly name: string;
  weight: number;
  cap: number;
  readonly lanes: Map<number, Lane<T>>;
  inFlight: number;
  blocked: boolean;
  runs: number;
}

/** The runs of one project at one priority. */
export interface Lane<T> extends HeapMember {
  readonly project: Project<T>;
  readonly level: Level<T>;
  readonly runs: OrderedHeap<Line<T>>;
  served: number;
}

export interface Level<T> {
  readonly priority: number;
  readonly lanes: OrderedHeap<Lane<T>>;
  served: number;
}

export interface Line<T> extends HeapMember {
  readonly share: Share;
  readonly lane: Lane<T>;
  /** Ids in line with their tasks; `order` may name ids that have left it. */
  readonly held: Map<string, T>;
  readonly inFlight: Set<string>;
  order: string[];
  head: number;
  served: number;
}

export function isReady(level: { lanes: { size: number } }): boolean {
  return level.lanes.size > 0;
}

export function firstOf<T>(line: Line<T>): string {
  for (;;) {
    const id = line.order[line.head++] as string;
    if (line.head > 1024 && line.head * 2 > line.order.length) {
      line.order = line.order.slice(line.head);
      line.head = 0;
    }
    if (line.held.has(id)) return id;
  }
}

type Ranked = Pick<Line<unknown>, 'inFlight' | 'served'>;

export function fewestInFlight(a: Ranked, b: Ranked): boolean {
  return a.inFlight.size === b.inFlight.size ? a.served < b.served : a.inFlight.size < b.inFlight.size;
}

type LaneRank = { project: Pick<Project<unknown>, 'inFlight' | 'weight'>; served: number };

export function leastServed(a: LaneRank, b: LaneRank): boolean {
  const [mine, theirs] = [a.project.inFlight / a.project.weight, b.project.inFlight / b.project.weight];
  return mine === theirs ? a.served < b.served : mine < theirs;
}
