/**
 * Whose evaluations go to the next free worker. Pure: knows no threads and no time.
 *
 * Invariants:
 *  1. What travels in one message is of one run: a slow script holds up nobody else's.
 *  2. Projects take turns, and within a project its runs: whoever was served last stands last.
 *  3. A project holds at most `perProject` workers, however much it asks for. There are more in all (worker-pool.ts), so that another's begins.
 *  4. A run that was slow once travels one evaluation at a time, so that turns come round; runs that have burnt a whole time limit hold one worker
 *     at a time, all of them together.
 */
import type { PendingEvaluation } from './batch.js';

/** On whose behalf something is evaluated. */
export interface ExpressionOwner {
  project: string;
  run: string;
}

export interface OwnedEvaluation extends PendingEvaluation {
  owner: ExpressionOwner;
  /** Nobody has a use for it any more. */
  drop(): void;
}

export interface Turn {
  readonly owner: ExpressionOwner;
  readonly evaluations: OwnedEvaluation[];
  readonly burning: boolean;
}

export interface TurnsOptions {
  perProject: number;
  /** Evaluations in one message. */
  batchSize: number;
}

/** Runs that are remembered as slow or burning: the newest. */
const REMEMBERED = 1_000;

export class Turns {
  /** By project, then by run; who was served last stands last. */
  private readonly projects = new Map<string, Map<string, OwnedEvaluation[]>>();
  private readonly held = new Map<string, number>();
  private burning = 0;
  private readonly slow = new Set<string>();
  private readonly burnt = new Set<string>();

  constructor(private readonly options: TurnsOptions) {}

  get waiting(): boolean {
    return this.projects.size > 0;
  }

  /** Whether any that wait may begin now, given a worker. */
  get mayBegin(): boolean {
    return [...this.projects].some(([project, runs]) => this.nextRun(project, runs) !== undefined);
  }

  add(evaluation: OwnedEvaluation): void {
    this.line(evaluation.owner).push(evaluation);
  }

  /** What a worker did not get to: ahead of what its run has asked for since. */
  putBack(evaluations: readonly OwnedEvaluation[]): void {
    for (const evaluation of [...evaluations].reverse()) this.line(evaluation.owner).unshift(evaluation);
  }

  /** Takes what is to go to a worker next; to be given to `end` when the worker is done with it. */
  take(): Turn | undefined {
    for (const [project, runs] of this.projects) {
      const run = this.nextRun(project, runs);
      if (run === undefined) continue;
      const line = runs.get(run) as OwnedEvaluation[];
      const key = keyOf({ project, run });
      const evaluations = line.splice(0, this.slow.has(key) ? 1 : this.options.batchSize);
      runs.delete(run);
      if (line.length > 0) runs.set(run, line);
      this.projects.delete(project);
      if (runs.size > 0) this.projects.set(project, runs);
      this.held.set(project, this.heldBy(project) + 1);
      const burning = this.burnt.has(key);
      if (burning) this.burning += 1;
      return { owner: { project, run }, evaluations, burning };
    }
    return undefined;
  }

  end({ owner: { project }, burning }: Turn): void {
    const held = this.heldBy(project) - 1;
    if (held > 0) this.held.set(project, held);
    else this.held.delete(project);
    if (burning) this.burning -= 1;
  }

  /** One of its evaluations took long. */
  wasSlow(owner: ExpressionOwner): void {
    remember(this.slow, keyOf(owner));
  }

  /** One of its evaluations took all the time there is. */
  hasBurnt(owner: ExpressionOwner): void {
    this.wasSlow(owner);
    remember(this.burnt, keyOf(owner));
  }

  /** What waits on somebody's behalf, taken out. */
  remove({ project, run }: ExpressionOwner): OwnedEvaluation[] {
    const runs = this.projects.get(project);
    const line = runs?.get(run) ?? [];
    runs?.delete(run);
    if (runs?.size === 0) this.projects.delete(project);
    return line;
  }

  takeAll(): OwnedEvaluation[] {
    const all = [...this.projects.values()].flatMap((runs) => [...runs.values()].flat());
    this.projects.clear();
    return all;
  }

  private nextRun(project: string, runs: ReadonlyMap<string, unknown>): string | undefined {
    if (this.heldBy(project) >= this.options.perProject) return undefined;
    for (const run of runs.keys()) if (this.burning === 0 || !this.burnt.has(keyOf({ project, run }))) return run;
    return undefined;
  }

  private heldBy(project: string): number {
    return this.held.get(project) ?? 0;
  }

  private line({ project, run }: ExpressionOwner): OwnedEvaluation[] {
    const runs = this.projects.get(project) ?? new Map<string, OwnedEvaluation[]>();
    this.projects.set(project, runs);
    const line = runs.get(run) ?? [];
    runs.set(run, line);
    return line;
  }
}

export const keyOf = ({ project, run }: ExpressionOwner): string => JSON.stringify([project, run]);

function remember(set: Set<string>, key: string): void {
  set.delete(key);
  set.add(key);
  for (const oldest of set) {
    if (set.size <= REMEMBERED) return;
    set.delete(oldest);
  }
}
