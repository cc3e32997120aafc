import type { Leases, Nudges, RunIntake, RunLog, RunReader, TaskCancels, TaskLogs } from './ports.js';
import type { RunRetention } from './retention.ports.js';

/** All ports over one set of connections; each app takes the ports it needs. */
export interface RunStore {
  /** Before anything else is asked. @throws IncompatibleStoreError where another version's runs lie there */
  open(): Promise<void>;
  /** Resolves where the store answers; waits where it does not. Reads nothing that is stored. */
  ping(): Promise<void>;
  intake: RunIntake;
  log: RunLog;
  leases: Leases;
  nudges: Nudges;
  cancels: TaskCancels;
  reader: RunReader;
  retention: RunRetention;
  taskLogs: TaskLogs;
  close(): Promise<void>;
}
