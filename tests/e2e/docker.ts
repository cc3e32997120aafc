/**
 * The Docker engine beside the stack: its event stream, and what is left of a run.
 *
 * Invariants: events are recorded from before the test acts, so that none is missed; only containers that bear a run's label are looked at.
 */
import { spawnSync } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';

export const docker = new Docker();
const RUN_LABEL = 'weft.run';

/** `describe` where a Docker engine answers; else a loud skip, and a failure where a skip is none (CI=true). */
export const describeWithDocker: typeof describe | typeof describe.skip = chooseDescribe();

function chooseDescribe(): typeof describe | typeof describe.skip {
  const { status } = spawnSync('docker', ['info'], { stdio: 'ignore' });
  if (status === 0 || process.env['CI'] === 'true') return describe;
  console.warn('SKIPPED: no Docker engine answers');
  return describe.skip;
}

export interface ContainerEvent {
  action: string;
  id: string;
  attributes: Record<string, string>;
}

export class ContainerEvents {
  private readonly seen: ContainerEvent[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly lines: Interface;

  private constructor(private readonly stream: Readable) {
    this.lines = createInterface({ input: stream });
    this.lines.on('line', (line) => {
      const { Action, Actor } = JSON.parse(line) as { Action: string; Actor: { ID: string; Attributes: Record<string, string> } };
      this.seen.push({ action: Action, id: Actor.ID, attributes: Actor.Attributes });
      for (const listener of this.listeners) listener();
    });
  }

  static async open(): Promise<ContainerEvents> {
    const filters = { type: ['container'], label: [RUN_LABEL] };
    return new ContainerEvents((await docker.getEvents({ filters: JSON.stringify(filters) })) as unknown as Readable);
  }

  /** The event of a run's container, past or to come. */
  of(runId: string, action: string): Promise<ContainerEvent> {
    const find = (): ContainerEvent | undefined => this.all(runId).find((event) => event.action === action);
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        this.listeners.delete(look);
        resolve(found);
      };
      this.listeners.add(look);
      look();
    });
  }

  all(runId: string): ContainerEvent[] {
    return this.seen.filter(({ attributes }) => attributes[RUN_LABEL] === runId);
  }

  close(): void {
    this.lines.close();
    this.stream.destroy();
  }
}

/** Ids of a run's containers, running or not. */
export async function containersOf(runId: string): Promise<string[]> {
  const listed = await docker.listContainers({ all: true, filters: { label: [`${RUN_LABEL}=${runId}`] } });
  return listed.map(({ Id }) => Id);
}
