/**
 * The containers of the system under test, as the Docker engine knows them: those that bear one of our runners' labels.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import Docker from 'dockerode';

const RUNNER_LABEL = 'weft.runner';
/** How long a disturbance of a container waits for one to come. */
const COMING_MS = 4_000;

export class Containers {
  private readonly docker = new Docker();
  private readonly starts = new Set<(id: string) => void>();
  private readonly paused = new Set<string>();
  private stream: Readable | undefined;

  constructor(private readonly runnerIds: readonly string[]) {}

  async listen(): Promise<void> {
    const filters = JSON.stringify({ type: ['container'], event: ['start'], label: [RUNNER_LABEL] });
    this.stream = (await this.docker.getEvents({ filters })) as unknown as Readable;
    createInterface({ input: this.stream }).on('line', (line) => {
      const { Actor } = JSON.parse(line) as { Actor: { ID: string; Attributes: Record<string, string> } };
      if (!this.runnerIds.includes(Actor.Attributes[RUNNER_LABEL] ?? '')) return;
      for (const listener of [...this.starts]) listener(Actor.ID);
    });
  }

  close(): void {
    this.stream?.destroy();
  }

  /** Running or not, with what they are called. */
  async all(): Promise<{ id: string; state: string; task: string }[]> {
    const lists = await Promise.all(
      this.runnerIds.map((id) => this.docker.listContainers({ all: true, filters: { label: [`${RUNNER_LABEL}=${id}`] } })),
    );
    return lists.flat().map(({ Id, State, Labels }) => ({ id: Id, state: State, task: Labels['weft.key'] ?? Labels['weft.task'] ?? '' }));
  }

  /** One that runs, the first that starts where none does; undefined where none comes. */
  async running(pick: number): Promise<{ id: string; task: string } | undefined> {
    const running = (await this.all()).filter(({ state }) => state === 'running').sort((a, b) => (a.id < b.id ? -1 : 1));
    return running[Math.floor(pick * running.length)] ?? this.nextStart();
  }

  kill(id: string): Promise<boolean> {
    return there(this.docker.getContainer(id).kill({ signal: 'SIGKILL' }));
  }

  remove(id: string): Promise<boolean> {
    return there(this.docker.getContainer(id).remove({ force: true }));
  }

  async pause(id: string, forMs: number): Promise<boolean> {
    if (!(await there(this.docker.getContainer(id).pause()))) return false;
    this.paused.add(id);
    setTimeout(() => void this.goOn(id), forMs);
    return true;
  }

  async goOnAll(): Promise<void> {
    await Promise.all([...this.paused].map((id) => this.goOn(id)));
  }

  private async goOn(id: string): Promise<void> {
    if (this.paused.delete(id)) await there(this.docker.getContainer(id).unpause());
  }

  private nextStart(): Promise<{ id: string; task: string } | undefined> {
    return new Promise((resolve) => {
      const settle = (id?: string): void => {
        this.starts.delete(settle);
        clearTimeout(limit);
        resolve(id === undefined ? undefined : { id, task: '' });
      };
      const limit = setTimeout(settle, COMING_MS);
      this.starts.add(settle);
    });
  }
}

/** False where the container is gone or not in that state any more: it was quicker. */
async function there(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404 || statusCode === 409 || statusCode === 500) return false;
    throw error;
  }
}
