/** Small valid values for tests; every member can be overridden. */
import type { TaskJob } from '@weft/queue';
import { IDLE, type RunnerRecord } from '@weft/registry';
import type { RunHeader } from '@weft/run-store';

export function aRunHeader(overrides: Partial<RunHeader> = {}): RunHeader {
  return {
    runId: 'r-1',
    state: 'pending',
    name: 'demo',
    projectId: 'project-1',
    planHash: 'a'.repeat(64),
    pool: 'default',
    labels: {},
    submittedAtMs: 1_760_000_000_000,
    tasks: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0, known: 0 },
    currentSteps: [],
    ...overrides,
  };
}

export function aTaskJob(overrides: Partial<TaskJob> = {}): TaskJob {
  return {
    runId: 'r-1',
    taskId: 't-1',
    attempt: 1,
    step: 'align',
    index: '',
    pool: 'default',
    planHash: 'a'.repeat(64),
    processId: 'main',
    inputs: {},
    inherited: { requirements: [], hints: [] },
    options: { noContainer: false },
    priority: 0,
    ...overrides,
  };
}

export function aRunner(overrides: Partial<Omit<RunnerRecord, 'lastSeenMs'>> = {}): Omit<RunnerRecord, 'lastSeenMs'> {
  return {
    runnerId: 'runner-1',
    address: 'unix:/run/runner-1.sock',
    pool: 'default',
    version: '0.1.0',
    runtimes: [{ name: 'process', version: '', containers: false, unavailable: '' }],
    capacity: { cores: 4, ramBytes: 8 * 1024 ** 3, diskBytes: 100 * 1024 ** 3, gpus: 0 },
    load: IDLE,
    labels: {},
    sandboxRoot: '/var/lib/weft/sandboxes',
    draining: false,
    ...overrides,
  };
}
