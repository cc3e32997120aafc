/** Project slots in memory. Several over one FakeSlotsData are several replicas over one Redis. */
import type { ProjectSlots, RunOwner } from '../src/admission/slots/project-slots.js';

interface Project {
  held: Set<string>;
  refused: boolean;
}

export class FakeSlotsData {
  readonly projects = new Map<string, Project>();
  readonly tokens = new Map<string, number>();
  readonly watchers = new Set<(project?: string) => void>();
  /** The most slots that were held at the same time, by project. */
  readonly peaks = new Map<string, number>();

  project(name: string): Project {
    const known = this.projects.get(name) ?? { held: new Set<string>(), refused: false };
    this.projects.set(name, known);
    return known;
  }

  get heldCount(): number {
    return [...this.projects.values()].reduce((sum, { held }) => sum + held.size, 0);
  }
}

export function createFakeProjectSlots(data: FakeSlotsData): ProjectSlots {
  const mine = ({ runId, token }: RunOwner): boolean => {
    if ((data.tokens.get(runId) ?? 0) > token) return false;
    data.tokens.set(runId, token);
    return true;
  };
  const ofRun = ({ project, runId }: RunOwner): string[] => [...data.project(project).held].filter((id) => id.startsWith(`${runId}-`));
  const giveBack = (name: string, taskIds: string[]): void => {
    const project = data.project(name);
    const freed = taskIds.filter((id) => project.held.delete(id)).length > 0;
    if (!freed || !project.refused) return;
    project.refused = false;
    for (const watcher of data.watchers) watcher(name);
  };
  const watching = new Set<(project?: string) => void>();
  return {
    acquire: async (owner, limit, taskIds) => {
      if (!mine(owner)) return 'fenced';
      const project = data.project(owner.project);
      for (const [at, taskId] of taskIds.entries()) {
        if (project.held.has(taskId)) continue;
        if (project.held.size >= limit) {
          project.refused = true;
          return at;
        }
        project.held.add(taskId);
        data.peaks.set(owner.project, Math.max(project.held.size, data.peaks.get(owner.project) ?? 0));
      }
      return taskIds.length;
    },
    release: async (owner, taskIds) => {
      if (mine(owner)) giveBack(owner.project, taskIds);
    },
    claim: async (owner) => (mine(owner) ? ofRun(owner) : []),
    end: async (owner) => {
      if (mine(owner)) giveBack(owner.project, ofRun(owner));
    },
    watch: async (onFree) => {
      watching.add(onFree);
      data.watchers.add(onFree);
    },
    close: async () => watching.forEach((watcher) => data.watchers.delete(watcher)),
  };
}
