/**
 * Whose task is next: tasks that wait, in lines by run, and the order in which they are let go. Pure: no I/O, no clock.
 *
 * The order: the greatest priority; there the project with the fewest tasks in flight per weight; there the run with the fewest tasks in
 * flight; there the task that came first. Equals take turns: who was served longest ago comes first.
 *
 * Invariants:
 *  1. Work-conserving: where any run may have a task let go, `next` gives one.
 *  2. A run never has more than `maxParallel` tasks in flight, a project (here) never more than its cap.
 *  3. Nobody starves: every sixteenth task is one of a lower priority where there is any, and lower priorities take turns at that.
 *  4. A task is in line or in flight, never both, and at most once.
 */
import type { Demand } from './peers/demand.js';
import {
  fewestInFlight,
  firstOf,
  isReady,
  type Lane,
  leastServed,
  type Level,
  type Line,
  type Project,
  type Share,
} from './fair-share.lines.js';
import { OrderedHeap } from './ordered-heap.js';

export type { Share } from './fair-share.lines.js';

/** Of all tasks let go while lower priorities wait, one in this many is theirs. */
export const OTHERS_TURN = 16;

export type HeldFor = 'room' | 'limit';

export interface Taken<T> {
  run: string;
  project: string;
  id: string;
  task: T;
}

export class FairShare<T> {
  private readonly projects = new Map<string, Project<T>>();
  private readonly lines = new Map<string, Line<T>>();
  /** By priority, the greatest first. */
  private levels: Level<T>[] = [];
  private turn = 0;
  private sinceOthers = 0;

  /** @param terms what a project may claim: its weight (> 0), and how many tasks in flight it may have */
  constructor(private readonly terms: (project: string) => { weight: number; cap: number } = () => ({ weight: 1, cap: Infinity })) {}

  /** Puts a task at the end of its run's line; one that is in line already keeps its place, with the task given now. */
  hold(share: Share, id: string, task: T): void {
    const line = this.lineOf(share);
    if (line.inFlight.has(id)) return;
    if (!line.held.has(id)) line.order.push(id);
    line.held.set(id, task);
    this.place(line);
  }

  /** Puts a task that was taken back at the head of its line. */
  putBack({ run, id, task }: Taken<T>): void {
    const line = this.lines.get(run);
    if (!line || !this.land(line, id)) return;
    if (line.head > 0) line.order[--line.head] = id;
    else line.order.unshift(id);
    line.held.set(id, task);
    this.place(line);
  }

  /** The next task; it is in flight from now on. With `firstsOnly`, only one of a run that has nothing in flight. */
  next(firstsOnly = false): Taken<T> | undefined {
    const level = this.nextLevel();
    const lane = level?.lanes.first;
    const line = lane?.runs.first;
    if (!level || !lane || !line || (firstsOnly && line.inFlight.size > 0)) return undefined;
    this.takeTurn(level);
    const id = firstOf(line);
    const task = line.held.get(id) as T;
    line.held.delete(id);
    level.served = lane.served = line.served = ++this.turn;
    this.fly(line, id);
    this.place(line);
    return { run: line.share.run, project: lane.project.name, id, task };
  }

  /** A task is in flight that was not let go here: it counts from now on, and is in line no more. */
  adopt(share: Share, id: string): void {
    const line = this.lineOf(share);
    if (line.inFlight.has(id)) return;
    line.held.delete(id);
    this.fly(line, id);
    this.place(line);
  }

  /** A task is in flight no more. False: it was not. */
  end(run: string, id: string): boolean {
    const line = this.lines.get(run);
    if (!line || !this.land(line, id)) return false;
    this.place(line);
    return true;
  }

  /** Takes a task out of its line. False: it is not in it. */
  drop(run: string, id: string): boolean {
    const line = this.lines.get(run);
    if (!line?.held.delete(id)) return false;
    this.place(line);
    return true;
  }

  /** Forgets a run with all it has in line and in flight; gives the ids of the latter. */
  forget(run: string): string[] {
    const line = this.lines.get(run);
    if (!line) return [];
    const { lane } = line;
    const { project } = lane;
    this.lines.delete(run);
    lane.runs.set(line, false);
    project.inFlight -= line.inFlight.size;
    project.runs -= 1;
    if (project.runs === 0) this.projects.delete(project.name);
    this.placeLanes(project);
    return [...line.inFlight];
  }

  /** Lets nothing of the project go until it is unblocked. */
  block(name: string): void {
    const project = this.projects.get(name);
    if (!project) return;
    project.blocked = true;
    this.placeLanes(project);
  }

  /** Of one project, or of all. */
  unblock(name?: string): void {
    for (const project of this.projects.values()) {
      if (!project.blocked || (name !== undefined && project.name !== name)) continue;
      project.blocked = false;
      this.placeLanes(project);
    }
  }

  isHeld(run: string, id: string): boolean {
    return this.lines.get(run)?.held.has(id) ?? false;
  }

  isInFlight(run: string, id: string): boolean {
    return this.lines.get(run)?.inFlight.has(id) ?? false;
  }

  /** Asks again what projects may claim. */
  refreshTerms(): void {
    for (const project of this.projects.values()) {
      Object.assign(project, this.terms(project.name));
      this.placeLanes(project);
    }
  }

  /** What could be let go now at the greatest priority that has anything; undefined: nothing could. */
  demand(): Demand | undefined {
    const level = this.levels.find(isReady);
    if (!level) return undefined;
    const runs = new Map<string, number>();
    for (const { name, lanes } of this.projects.values()) {
      const lane = lanes.get(level.priority);
      if (lane && lane.place >= 0) runs.set(name, lane.runs.size);
    }
    return { priority: level.priority, runs };
  }

  /** Why tasks are in line: for room in the pool, or for a limit of their run or project. */
  heldFor(): Record<HeldFor, number> {
    const sum = { room: 0, limit: 0 };
    for (const { held, lane, place } of this.lines.values()) sum[place >= 0 && lane.place >= 0 ? 'room' : 'limit'] += held.size;
    return sum;
  }

  /** Tasks in line and in flight, of all runs or of one project. */
  count(project?: string): { held: number; inFlight: number } {
    const sum = { held: 0, inFlight: 0 };
    for (const line of this.lines.values()) {
      if (project !== undefined && line.share.project !== project) continue;
      sum.held += line.held.size;
      sum.inFlight += line.inFlight.size;
    }
    return sum;
  }

  /** The greatest priority; every so often the other one that was served longest ago. */
  private nextLevel(): Level<T> | undefined {
    const top = this.levels.find(isReady);
    if (!top || this.sinceOthers + 1 < OTHERS_TURN) return top;
    let longest: Level<T> | undefined;
    for (const level of this.levels) {
      if (level !== top && isReady(level) && (!longest || level.served < longest.served)) longest = level;
    }
    return longest ?? top;
  }

  private takeTurn(level: Level<T>): void {
    const top = this.levels.find(isReady);
    const othersWait = level !== top || this.levels.some((other) => other !== top && isReady(other));
    this.sinceOthers = level === top && othersWait ? this.sinceOthers + 1 : 0;
  }

  private fly(line: Line<T>, id: string): void {
    line.inFlight.add(id);
    line.lane.project.inFlight += 1;
  }

  private land(line: Line<T>, id: string): boolean {
    if (!line.inFlight.delete(id)) return false;
    line.lane.project.inFlight -= 1;
    return true;
  }

  /** Ranks a line, and its project wherever it has lines. */
  private place(line: Line<T>): void {
    const room = line.inFlight.size < (line.share.maxParallel ?? Infinity);
    line.lane.runs.set(line, room && line.held.size > 0);
    this.placeLanes(line.lane.project);
  }

  private placeLanes(project: Project<T>): void {
    const room = !project.blocked && project.inFlight < project.cap;
    for (const lane of project.lanes.values()) lane.level.lanes.set(lane, room && lane.runs.size > 0);
  }

  private lineOf(share: Share): Line<T> {
    const known = this.lines.get(share.run);
    if (known) return known;
    const project = this.projectOf(share.project);
    const lane = this.laneOf(project, share.priority);
    const line: Line<T> = { share, lane, held: new Map(), inFlight: new Set(), order: [], head: 0, served: ++this.turn, place: -1 };
    this.lines.set(share.run, line);
    project.runs += 1;
    return line;
  }

  private projectOf(name: string): Project<T> {
    const known = this.projects.get(name);
    if (known) return known;
    const project: Project<T> = { name, ...this.terms(name), lanes: new Map(), inFlight: 0, blocked: false, runs: 0 };
    this.projects.set(name, project);
    return project;
  }

  private laneOf(project: Project<T>, priority: number): Lane<T> {
    const known = project.lanes.get(priority);
    if (known) return known;
    const level = this.levelOf(priority);
    const lane: Lane<T> = { project, level, runs: new OrderedHeap<Line<T>>(fewestInFlight), served: ++this.turn, place: -1 };
    project.lanes.set(priority, lane);
    return lane;
  }

  private levelOf(priority: number): Level<T> {
    const known = this.levels.find((level) => level.priority === priority);
    if (known) return known;
    const level: Level<T> = { priority, lanes: new OrderedHeap<Lane<T>>(leastServed), served: this.turn };
    this.levels = [...this.levels, level].sort((a, b) => b.priority - a.priority);
    return level;
  }
}
