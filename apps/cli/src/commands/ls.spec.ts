import { run } from '@weft/contracts';
import { row } from './ls.js';

it('counts what has succeeded or was skipped as done, of all that is known', () => {
  const tasks = { known: 12, running: 1, succeeded: 4, failed: 2, cancelled: 1, skipped: 3 };
  const item = run.Run.fromPartial({ runId: 'r-1', status: run.RunStatus.RUNNING, name: 'n', projectId: 'p', tasks });
  expect(row(item, false)[4]).toBe('7/12');
  expect(row(item, true).slice(4)).toEqual(['7/12', 'p', 'n']);
  expect(row(run.Run.fromPartial({ runId: 'r-1' }), false)[4]).toBe('');
});
