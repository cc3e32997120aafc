/**
 * The service registry: which runners there are, where, and what they can do.
 *
 * Invariants:
 *  1. A registration lapses `ttlMs` after its last renewal by the registry's clock; a lapsed runner is not listed.
 *  2. An operator's wish to drain a runner is kept apart from its registration: neither renewing, restarting nor lapsing takes it back.
 */
export interface RunnerAmounts {
  cores: number;
  ramBytes: number;
  diskBytes: number;
  gpus: number;
}

/** What changes all the time and is no news to watchers. */
export interface RunnerLoad {
  /** What its tasks hold of the capacity. */
  inUse: RunnerAmounts;
  /** Attempts that hold something, and attempts that wait for room. */
  tasksAdmitted: number;
  tasksWaiting: number;
}

/** No task holds anything. */
export const IDLE: RunnerLoad = { inUse: { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 }, tasksAdmitted: 0, tasksWaiting: 0 };

export interface RunnerRecord {
  runnerId: string;
  /** host:port or unix:path */
  address: string;
  pool: string;
  version: string;
  /** `expected`: it cannot be used now, but could be, and is waited for. */
  runtimes: { name: string; version: string; containers: boolean; unavailable: string; expected?: boolean }[];
  capacity: RunnerAmounts;
  /** As of `lastSeenMs`. */
  load: RunnerLoad;
  labels: Record<string, string>;
  sandboxRoot: string;
  /** Between task and attempt in the name of a sandbox; absent: a dot. */
  attemptSeparator?: string;
  /** It says so itself, or an operator does. */
  draining: boolean;
  lastSeenMs: number;
}

export interface RunnerRegistry {
  register(runner: Omit<RunnerRecord, 'lastSeenMs'>, ttlMs: number): Promise<void>;
  deregister(runnerId: string): Promise<void>;
  list(pool?: string): Promise<RunnerRecord[]>;
  /** An operator's wish for a runner, registered or not. Resolves with whether that is new. */
  drain(runnerId: string, draining: boolean): Promise<boolean>;
  /** Whom operators drain, registered or not. */
  drained(): Promise<string[]>;
  /** Calls back when a runner was registered for the first time, changed (its load and free disk aside), or was deregistered or drained. Returns how to stop. */
  watch(onChange: () => void): Promise<() => Promise<void>>;
}
