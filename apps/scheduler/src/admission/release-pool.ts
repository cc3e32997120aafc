/** The tasks of one pool, as their releaser keeps them. */
import type { Clock } from '../kernel/clock.js';
import type { OwnedRun } from '../runs/owned-run.js';
import type { RunTask } from './attempts.js';
import { FairShare } from './fair-share.js';
import type { Neighbours } from './peers/neighbours.js';
import { createReleaseWindow, type ReleaseWindow } from './release-window.js';

export interface ProjectTerms {
  /** Of the tasks of several projects that wait, each gets a share in proportion. */
  weight: number;
  /** Tasks in flight at the same time over all replicas, at most; Infinity = no limit. */
  cap: number;
}

export interface Wanted {
  actor: OwnedRun;
  command: RunTask;
}

export interface Pool {
  name: string;
  share: FairShare<Wanted>;
  window: ReleaseWindow;
  /** Ids of tasks that were released and have not started. */
  unstarted: Set<string>;
  pumping: boolean;
}

export interface PoolDeps {
  /** Tasks that the runners of a pool could begin at once. */
  startable(pool: string): number;
  terms(project: string): ProjectTerms;
  /** The other replicas; absent: this one is alone. */
  neighbours?: Neighbours;
  clock: Clock;
}

export function createPool(name: string, { startable, terms, neighbours, clock }: PoolDeps): Pool {
  const window = createReleaseWindow(
    () => startable(name),
    () => clock.now(),
  );
  const share = new FairShare<Wanted>((project) => {
    const { weight, cap } = terms(project);
    return { weight: weight * (neighbours?.partOfProject(name, project) ?? 1), cap };
  });
  return { name, share, window, unstarted: new Set(), pumping: false };
}
