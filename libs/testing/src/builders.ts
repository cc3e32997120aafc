/** Small valid values for tests; every member can be overridden. */
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
    inputs: {},
    tasks: { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0, known: 0 },
    currentSteps: [],
    ...overrides,
  };
}
