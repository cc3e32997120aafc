/**
 * Which runner takes a task: the runners of the registry, what they can hold and what is reserved on them.
 *
 * Invariants:
 *  1. The reservations on a runner never exceed its capacity.
 *  2. A request that no registered runner of its pool could ever hold is refused at once, saying what is missing;
 *     one that merely has to wait does not hold up a smaller one behind it.
 *  3. A placement is given back exactly once.
 */
import { TaskError, type TaskResources } from '@weft/tasks';
import type { RunnerRecord } from '@weft/registry';

export interface PlacementRequest {
  pool: string;
  resources: TaskResources;
  /** 'container': an image is needed; 'prefer-container': the author hinted at one; 'process': none. */
  isolation: 'container' | 'prefer-container' | 'process';
  /** The attempt began on this runner before: it goes back there, room or not, because it occupies its room already. */
  attached?: { runnerId: string; runtime: string };
  signal: AbortSignal;
}

export interface Placement {
  runner: RunnerRecord;
  runtime: string;
  release(): void;
}

interface Waiting extends PlacementRequest {
  resolve(placement: Placement): void;
  reject(error: Error): void;
}

interface Reserved {
  cores: number;
  ramBytes: number;
  gpus: number;
}

const MIB = 1024 * 1024;

/** The runner that an attempt began on is not registered any more: another attempt may run elsewhere. */
export class RunnerLostError extends TaskError {
  readonly retryable = true;
  constructor(runnerId: string) {
    super('RUNNER_LOST', `runner ${runnerId}, which had begun this task, is gone`);
  }
}

export class RunnerPool {
  private runners: RunnerRecord[] = [];
  private readonly reserved = new Map<string, Reserved>();
  private readonly waiting = new Set<Waiting>();

  /** The registry's present list. */
  update(runners: RunnerRecord[]): void {
    this.runners = runners;
    this.placeWaiting();
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Cores that placed tasks hold, over all runners. */
  get reservedCores(): number {
    return [...this.reserved.values()].reduce((sum, { cores }) => sum + cores, 0);
  }

  /** Cores of all runners of a pool that take tasks. */
  coresOf(pool: string): number {
    const open = this.runners.filter((runner) => runner.pool === pool && !runner.draining);
    return open.reduce((sum, { capacity }) => sum + capacity.cores, 0);
  }

  pools(): string[] {
    return [...new Set(this.runners.map((runner) => runner.pool))].sort();
  }

  /** Resolves when a runner has room. Rejects with TaskError NO_RUNNER where none ever will, and when the signal aborts. */
  place(request: PlacementRequest): Promise<Placement> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        if (this.waiting.delete(waiting)) reject(new TaskError('CANCELLED', 'cancelled while waiting for a runner'));
      };
      const done = (): void => request.signal.removeEventListener('abort', stop);
      const waiting: Waiting = {
        ...request,
        resolve: (placement) => {
          done();
          resolve(placement);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      if (request.signal.aborted) {
        reject(new TaskError('CANCELLED', 'cancelled while waiting for a runner'));
        return;
      }
      request.signal.addEventListener('abort', stop, { once: true });
      this.waiting.add(waiting);
      this.tryPlace(waiting);
    });
  }

  private placeWaiting(): void {
    for (const waiting of [...this.waiting]) this.tryPlace(waiting);
  }

  private tryPlace(waiting: Waiting): void {
    const ofPool = this.runners.filter((runner) => runner.pool === waiting.pool);
    if (waiting.attached) {
      this.attach(waiting, waiting.attached);
      return;
    }
    // No runner has registered yet: after a start they come one by one.
    if (ofPool.length === 0) return;
    const able = ofPool.flatMap((runner) => {
      const runtime = runtimeFor(runner, waiting.isolation);
      return runtime === undefined ? [] : [{ runner, runtime }];
    });
    const large = able.filter(({ runner }) => fits(runner, waiting.resources, undefined));
    if (large.length === 0) {
      this.waiting.delete(waiting);
      waiting.reject(new TaskError('NO_RUNNER', able.length === 0 ? noRuntime(ofPool, waiting.pool) : tooLarge(able, waiting)));
      return;
    }
    const free = large
      .filter(({ runner }) => !runner.draining && fits(runner, waiting.resources, this.reserved.get(runner.runnerId)))
      .sort((a, b) => this.freeCores(b.runner) - this.freeCores(a.runner))[0];
    if (!free) return;
    this.waiting.delete(waiting);
    waiting.resolve(this.reserve(free.runner, free.runtime, waiting.resources));
  }

  private attach(waiting: Waiting, { runnerId, runtime }: { runnerId: string; runtime: string }): void {
    this.waiting.delete(waiting);
    const runner = this.runners.find((known) => known.runnerId === runnerId);
    if (runner) waiting.resolve(this.reserve(runner, runtime, waiting.resources));
    else waiting.reject(new RunnerLostError(runnerId));
  }

  private reserve(runner: RunnerRecord, runtime: string, resources: TaskResources): Placement {
    const held = this.reserved.get(runner.runnerId) ?? { cores: 0, ramBytes: 0, gpus: 0 };
    const need = { cores: resources.cores, ramBytes: resources.ramMiB * MIB, gpus: resources.gpus };
    this.reserved.set(runner.runnerId, add(held, need, 1));
    let released = false;
    return {
      runner,
      runtime,
      release: () => {
        if (released) return;
        released = true;
        this.reserved.set(runner.runnerId, add(this.reserved.get(runner.runnerId) ?? need, need, -1));
        this.placeWaiting();
      },
    };
  }

  private freeCores(runner: RunnerRecord): number {
    return runner.capacity.cores - (this.reserved.get(runner.runnerId)?.cores ?? 0);
  }
}

function add(a: Reserved, b: Reserved, sign: 1 | -1): Reserved {
  return { cores: a.cores + sign * b.cores, ramBytes: a.ramBytes + sign * b.ramBytes, gpus: a.gpus + sign * b.gpus };
}

function fits(runner: RunnerRecord, need: TaskResources, held: Reserved | undefined): boolean {
  const { capacity } = runner;
  return (
    need.cores <= capacity.cores - (held?.cores ?? 0) &&
    need.ramMiB * MIB <= capacity.ramBytes - (held?.ramBytes ?? 0) &&
    need.gpus <= capacity.gpus - (held?.gpus ?? 0)
  );
}

function runtimeFor(runner: RunnerRecord, isolation: PlacementRequest['isolation']): string | undefined {
  const usable = runner.runtimes.filter((runtime) => runtime.unavailable === '');
  const container = usable.find((runtime) => runtime.containers)?.name;
  const host = usable.find((runtime) => !runtime.containers)?.name;
  switch (isolation) {
    case 'container':
      return container;
    case 'prefer-container':
      return container ?? host;
    case 'process':
      return host;
  }
}

function noRuntime(runners: RunnerRecord[], pool: string): string {
  const reasons = runners
    .flatMap((runner) =>
      runner.runtimes.map((runtime) => `${runtime.name}: ${runtime.unavailable === '' ? 'available' : runtime.unavailable}`),
    )
    .join('; ');
  return `no runner of pool '${pool}' has a runtime for this task (${reasons}); install Docker, or run with --no-container where the tool is on the host`;
}

function tooLarge(able: { runner: RunnerRecord }[], { resources, pool }: Waiting): string {
  const largest = (value: (runner: RunnerRecord) => number): number => Math.max(...able.map(({ runner }) => value(runner)));
  const gib = (bytes: number): string => `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
  const cores = largest((runner) => runner.capacity.cores);
  const ram = largest((runner) => runner.capacity.ramBytes);
  const gpus = largest((runner) => runner.capacity.gpus);
  const wants: string[] = [];
  if (resources.cores > cores) wants.push(`${resources.cores} cores; the largest runner of pool '${pool}' has ${cores}`);
  if (resources.ramMiB * MIB > ram)
    wants.push(`${gib(resources.ramMiB * MIB)} of memory; the largest runner of pool '${pool}' has ${gib(ram)}`);
  if (resources.gpus > gpus) wants.push(`${resources.gpus} GPUs; the largest runner of pool '${pool}' has ${gpus}`);
  return `needs ${wants.join(' and ') || `more at once than any one runner of pool '${pool}' has`}`;
}
