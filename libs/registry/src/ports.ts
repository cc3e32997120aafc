/**
 * The service registry: which runners there are, where, and what they can do.
 *
 * Invariants: a registration lapses `ttlMs` after its last renewal by the registry's clock; a lapsed runner is not listed.
 */
export interface RunnerRecord {
  runnerId: string;
  /** host:port or unix:path */
  address: string;
  pool: string;
  version: string;
  runtimes: { name: string; version: string; containers: boolean; unavailable: string }[];
  capacity: { cores: number; ramBytes: number; diskBytes: number; gpus: number };
  labels: Record<string, string>;
  sandboxRoot: string;
  draining: boolean;
  lastSeenMs: number;
}

export interface RunnerRegistry {
  register(runner: Omit<RunnerRecord, 'lastSeenMs'>, ttlMs: number): Promise<void>;
  deregister(runnerId: string): Promise<void>;
  list(pool?: string): Promise<RunnerRecord[]>;
  /** Calls back when a runner was registered for the first time, changed or was deregistered. Returns how to stop. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
}
