/** Runners and wishes for tests of placing. */
import type { RunnerRecord } from '@weft/registry';
import type { TaskResources } from '@weft/tasks';
import { aRunner } from '@weft/testing';
import type { PlacementRequest } from '../src/placement/runner-pool.js';

const GIB = 1024 ** 3;
export const DOCKER = { name: 'docker', version: '20', containers: true, unavailable: '' };
export const PROCESS = { name: 'process', version: '1', containers: false, unavailable: '' };

export const runner = (runnerId: string, cores: number, overrides: Partial<RunnerRecord> = {}): RunnerRecord => ({
  ...aRunner({ runnerId }),
  lastSeenMs: 0,
  pool: 'default',
  runtimes: [PROCESS, DOCKER],
  capacity: { cores, ramBytes: 8 * GIB, diskBytes: 100 * GIB, gpus: 0 },
  draining: false,
  ...overrides,
});
export const need = (cores: number, more: Partial<TaskResources> = {}): TaskResources => ({
  cores,
  ramMiB: 256,
  tmpdirMiB: 1,
  outdirMiB: 1,
  diskMiB: 0,
  gpus: 0,
  limits: {},
  ...more,
});
export const ask = (cores: number, more: Partial<PlacementRequest> = {}): PlacementRequest => ({
  pool: 'default',
  resources: need(cores),
  isolation: 'process',
  signal: new AbortController().signal,
  ...more,
});
