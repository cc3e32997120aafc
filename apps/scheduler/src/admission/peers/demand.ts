/**
 * What waits in a pool at each of several replicas, and which part of the pool's window is whose. Pure.
 *
 * The rule: who has nothing as urgent as another has gets no part. Those with the most urgent
 * share by the weights of the projects that wait, and a project's part by where its runs wait.
 */
export interface Demand {
  /** The greatest of tasks that could be let go. */
  priority: number;
  /** By project: runs that have such tasks at that priority. */
  runs: ReadonlyMap<string, number>;
}

/** The part of the window that is the replica's whose demand is `mine`, 0 to 1. */
export function partOfWindow(mine: Demand, others: Iterable<Demand>, weightOf: (project: string) => number): number {
  const most = mostUrgent(mine, others);
  if (!most) return 0;
  let [part, sum] = [0, 0];
  for (const [project, runs] of most) {
    sum += weightOf(project);
    part += (weightOf(project) * (mine.runs.get(project) ?? 0)) / runs;
  }
  return part / sum;
}

/** Of what each project may claim, the part that its runs at this replica have. */
export function partsOfProjects(mine: Demand, others: Iterable<Demand>): Map<string, number> {
  const most = mostUrgent(mine, others) ?? mine.runs;
  return new Map([...mine.runs].map(([project, here]) => [project, here / (most.get(project) ?? here)]));
}

/** Runs by project over all replicas with the most urgent; undefined: `mine` is not among them. */
function mostUrgent(mine: Demand, others: Iterable<Demand>): Map<string, number> | undefined {
  const runs = new Map(mine.runs);
  for (const other of others) {
    if (other.priority > mine.priority) return undefined;
    if (other.priority < mine.priority) continue;
    for (const [project, count] of other.runs) runs.set(project, (runs.get(project) ?? 0) + count);
  }
  return runs;
}
