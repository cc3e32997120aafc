import { initialState, decide, type EngineEvent } from '@weft/engine';
import { createLogger } from '@weft/platform';
import type { LogEntry, RunHeader } from '@weft/run-store';
import { aRunHeader } from '@weft/testing';
import { UnwantedAttempts } from './unwanted-attempts.js';

const logger = createLogger('test', 'silent');
const attempt = (runId: string, n: number, task = 't'): { runId: string; taskId: string; attempt: number } => ({
  ...{ runId, taskId: `${runId}-${task}`, attempt: n },
});
const started = (taskId: string, n: number, runnerId: string): EngineEvent => ({
  ...{ type: 'TaskStarted', taskId, attempt: n, runnerId, runtime: 'process' },
});
const failed = (taskId: string, n: number): EngineEvent => ({
  ...{ type: 'TaskFailed', taskId, attempt: n, failure: { code: 'X', message: '' }, retryable: true },
});

const HEADERS: Record<string, RunHeader> = {
  'r-ended': aRunHeader({ runId: 'r-ended', state: 'succeeded' }),
  'r-runs': aRunHeader({ runId: 'r-runs', state: 'running' }),
};
const LOGS: Record<string, EngineEvent[]> = {
  'r-runs': [failed('r-runs-t', 1), started('r-runs-t', 2, 'here'), started('r-runs-u', 1, 'there'), started('r-runs-v', 1, 'here')],
};

function over(options: { broken?: string; state?: ReturnType<typeof initialState> } = {}): UnwantedAttempts {
  return new UnwantedAttempts({
    logger,
    stateOf: (runId) => (runId === 'r-owned' ? options.state : undefined),
    reader: {
      get: async (runId) => {
        if (runId === options.broken) throw new Error('away');
        return HEADERS[runId];
      },
      read: async (runId) => (LOGS[runId] ?? []).map((event, i) => ({ sequence: i + 1, atMs: 1, event }) as unknown as LogEntry),
    },
  });
}

describe('attempts that nobody will ask for any more', () => {
  it.each([
    ['of a run that is gone', attempt('r-gone', 1), true],
    ['of a run that has ended', attempt('r-ended', 1), true],
    ['that were answered', attempt('r-runs', 1), true],
    ['that run here', attempt('r-runs', 2), false],
    ['that run on another runner', attempt('r-runs', 1, 'u'), true],
    ['that are not known yet', attempt('r-runs', 1, 'new'), false],
  ])('%s', async (_what, asked, expected) => {
    expect(await over().among('here', [asked])).toEqual(expected ? [asked] : []);
  });

  it('are told by the state where the run is owned here', async () => {
    const tool = { class: 'CommandLineTool', id: 'main', inputs: [], outputs: [], requirements: [], hints: [], declaredVersion: 'v1.2' };
    const state = initialState({ planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: { main: tool } } as never);
    const options = { noContainer: false, maxAttempts: 3 };
    decide(state, { type: 'RunAccepted', runId: 'r-owned', planHash: 'h', inputs: {}, options }, 1);
    const first = attempt('r-owned', 1, '1');
    expect(await over({ state }).among('here', [first])).toEqual([]);
    decide(state, started(first.taskId, 1, 'there'), 2);
    expect(await over({ state }).among('here', [first])).toEqual([first]);
    expect(await over({ state }).among('there', [first])).toEqual([]);
    decide(state, failed(first.taskId, 1), 3);
    expect(await over({ state }).among('there', [first, attempt('r-owned', 2, '1')])).toEqual([first]);
  });

  it('are found for the other runs where one cannot be looked up', async () => {
    const asked = [attempt('r-runs', 1), attempt('r-ended', 1)];
    expect(await over({ broken: 'r-runs' }).among('here', asked)).toEqual([asked[1]]);
  });
});
