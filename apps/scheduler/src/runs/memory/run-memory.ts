/**
 * How much of this replica's memory its runs may hold: their documents, inputs and what their tasks have made, which all lie in it until a run ends.
 * Whoever sends large runs, or lets tools give large outputs, would else end the scheduler, and end it again whenever it came back to them.
 *
 * Invariants:
 *  1. A project that holds no more than its share (the capacity by the projects that have runs) is never refused for what others hold.
 *  2. Nobody else brings the sum above the capacity with anything that is not SMALL, nor above twice that with anything.
 *  3. No run holds more than the capacity.
 *  4. What is in a log is taken, whatever it is: limits are asked before it is written, and a run that comes from another replica is not refused.
 *  5. A plan that several runs of a project have is counted once: they share it.
 */
import { heapBytes, type Plan } from '@weft/plan';

/** What may be added where there is no room, so that a run that makes nothing large goes on. */
const SMALL = 64 * 1024;

/** When a client that is refused for memory should come again. */
export const NO_ROOM_MS = 5_000;

interface OfProject {
  held: number;
  runs: number;
  /** Runs by plan. */
  plans: Map<string, number>;
}

/** What one run holds. */
export interface RunShare {
  admits(bytes: number): boolean;
  add(bytes: number): void;
  /** The run is not here any more. */
  end(): void;
}

export class RunMemory {
  private readonly projects = new Map<string, OfProject>();
  private readonly sizes = new WeakMap<Plan, number>();
  private total = 0;

  /** @param capacity bytes */
  constructor(readonly capacity: number) {}

  get held(): number {
    return this.total;
  }

  /** Whether a run that is not here yet may come, with a plan and inputs of so many bytes; 'never': not even where there is no other. */
  hasRoom(project: string, plan: { hash: string; plan: Plan }, inputs: number): boolean | 'never' {
    const of = this.projects.get(project);
    const planBytes = this.sizeOf(plan.plan);
    if (planBytes + inputs > this.capacity) return 'never';
    return this.admits(of?.held ?? 0, of !== undefined, inputs + (of?.plans.has(plan.hash) ? 0 : planBytes));
  }

  /** Whether a run that has ended may go on, whatever it brings. */
  mayReturn(project: string): boolean {
    const of = this.projects.get(project);
    return this.admits(of?.held ?? 0, of !== undefined, SMALL + 1);
  }

  sizeOf(plan: Plan): number {
    const known = this.sizes.get(plan) ?? heapBytes(plan);
    this.sizes.set(plan, known);
    return known;
  }

  /** A run of the project is here. */
  begin(project: string, planHash: string, plan: Plan): RunShare {
    const of = this.projects.get(project) ?? { held: 0, runs: 0, plans: new Map<string, number>() };
    this.projects.set(project, of);
    of.runs += 1;
    const sharing = of.plans.get(planHash) ?? 0;
    of.plans.set(planHash, sharing + 1);
    const planBytes = this.sizeOf(plan);
    const count = (bytes: number): void => {
      of.held += bytes;
      this.total += bytes;
    };
    if (sharing === 0) count(planBytes);
    let [own, ended] = [0, false];
    return {
      admits: (bytes) => planBytes + own + bytes <= this.capacity && this.admits(of.held, true, bytes),
      add: (bytes) => {
        if (ended) return;
        own += bytes;
        count(bytes);
      },
      end: () => {
        if (ended) return;
        ended = true;
        const left = (of.plans.get(planHash) ?? 1) - 1;
        if (left > 0) of.plans.set(planHash, left);
        else of.plans.delete(planHash);
        count(-own - (left > 0 ? 0 : planBytes));
        of.runs -= 1;
        if (of.runs === 0) this.projects.delete(project);
      },
    };
  }

  private admits(heldByProject: number, isHere: boolean, bytes: number): boolean {
    const projects = this.projects.size + (isHere ? 0 : 1);
    if (heldByProject + bytes <= this.capacity / projects) return true;
    return this.total + bytes <= (bytes <= SMALL ? 2 : 1) * this.capacity;
  }
}
