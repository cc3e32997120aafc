/**
 * What projects may claim: from the environment for all, from a file for those it names. A run without a project belongs to the project ''.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

export interface ProjectLimits {
  /** Tasks in flight at the same time, over all replicas; Infinity = no limit. */
  maxTasks: number;
  /** Runs that have not ended; Infinity = no limit. */
  maxRuns: number;
  /** Of the tasks of several projects that wait, each gets a share in proportion to its weight. */
  weight: number;
}

export interface Limits {
  /** Runs of all projects that have not ended. */
  maxRuns: number;
  of(project: string): ProjectLimits;
  /** Whether any project's tasks are limited. */
  readonly limitTasks: boolean;
  /** Reads the file again. False: it says what it said before. @throws Error as `loadLimits`; what it said before stays in use */
  reload(): boolean;
}

const atLeastOne = z.number().int().positive();
const limitsFile = z.strictObject({
  projects: z.record(
    z.string(),
    z.strictObject({
      max_tasks: atLeastOne.optional(),
      max_runs: atLeastOne.optional(),
      weight: z.number().positive().max(1000).optional(),
    }),
  ),
});

export interface LimitsOptions {
  maxActiveRuns?: number;
  projectMaxRuns?: number;
  projectMaxTasks?: number;
  /** YAML or JSON: `projects: {<project>: {max_tasks, max_runs, weight}}`; what is not named there is as for all. */
  file?: string;
}

/** @throws Error naming the file and what is wrong with it */
export function loadLimits(options: LimitsOptions): Limits {
  const { maxActiveRuns = Infinity, projectMaxRuns = Infinity, projectMaxTasks = Infinity, file } = options;
  const read = (): ReadonlyMap<string, NamedLimits> => new Map(file === undefined ? [] : Object.entries(readLimits(file)));
  let named = read();
  return {
    maxRuns: maxActiveRuns,
    get limitTasks() {
      return projectMaxTasks !== Infinity || [...named.values()].some(({ max_tasks }) => max_tasks !== undefined);
    },
    of: (project) => {
      const own = named.get(project);
      return {
        maxTasks: own?.max_tasks ?? projectMaxTasks,
        maxRuns: own?.max_runs ?? projectMaxRuns,
        weight: own?.weight ?? 1,
      };
    },
    reload: () => {
      const now = read();
      const isSame = JSON.stringify([...now]) === JSON.stringify([...named]);
      named = now;
      return !isSame;
    },
  };
}

type NamedLimits = z.output<typeof limitsFile>['projects'][string];

function readLimits(path: string): z.output<typeof limitsFile>['projects'] {
  const read = limitsFile.safeParse(parse(readFileSync(path, 'utf8')));
  if (!read.success) throw new Error(`${path}: ${z.prettifyError(read.error)}`);
  return read.data.projects;
}
