import { jest } from '@jest/globals';
import { run } from '@weft/contracts';
import { terminalReporter } from './terminal.js';

const event = (status: run.TaskStatus, index: string, atS: number): run.RunEvent =>
  run.RunEvent.fromPartial({
    at: new Date(atS * 1000),
    event: { $case: 'taskStatus', value: { task: { step: 'align', taskId: `t${index}`, index, status, scatterSize: 4 } } },
  });
const { RUNNING, SUCCEEDED, FAILED } = run.TaskStatus;
const events = [event(RUNNING, '0', 0), event(RUNNING, '1', 0), event(SUCCEEDED, '0', 60), event(FAILED, '1', 60), event(RUNNING, '2', 60)];

function shown(live: boolean): string {
  jest.useFakeTimers({ now: 0 });
  try {
    let text = '';
    const reporter = terminalReporter({
      write: (part) => void (text += part),
      live,
      columns: () => 120,
      expected: { paths: new Set(['align']), open: false },
    });
    for (const one of events) reporter.event(one);
    jest.advanceTimersByTime(100);
    reporter.event(run.RunEvent.fromPartial({ event: { $case: 'note', value: { step: 'align', index: '2', text: 'pulling alpine' } } }));
    // Nothing happens: what is left is told anew.
    jest.advanceTimersByTime(60_000);
    reporter.end();
    return text;
  } finally {
    jest.useRealTimers();
  }
}

it('has a bar on a terminal, which goes with the run’s clock, and is gone at the end', () => {
  const text = shown(true);
  expect(text).toContain('[align[1]] failed\n');
  expect(text).toContain('[align[2]] pulling alpine\n');
  expect(text).toContain('[█████░░░░░░░░░░░░░░░] 25%, 1 of 4 done, 1 running, 1 failed; about 1 min left');
  expect(text).toContain('; about 2 min left');
  expect(text.endsWith('\u001b[0J')).toBe(true);
});

it('says nothing of what was before a retry, counts it, and takes the time from the retry', () => {
  let text = '';
  const reporter = terminalReporter({ write: (part) => void (text += part), live: false, columns: () => 120 });
  for (const index of ['0', '1', '2', '3'])
    for (const status of [RUNNING, index === '3' ? FAILED : SUCCEEDED]) reporter.past(event(status, index, 0));
  for (const one of [event(RUNNING, '3', 100), event(SUCCEEDED, '3', 103)]) reporter.event(one);
  reporter.end();
  expect(text).toBe('[align] started\n[align] 4 of 4 done in 3.0 s\n');
});

it('says once at the end which tasks have earlier results', () => {
  let text = '';
  const reporter = terminalReporter({ write: (part) => void (text += part), live: false, columns: () => 120 });
  const { at, event: change } = event(SUCCEEDED, '0', 0);
  if (change?.$case !== 'taskStatus' || change.value.task === undefined) throw new Error('no task');
  reporter.event({ ...event(SUCCEEDED, '1', 0), at });
  reporter.event(run.RunEvent.fromPartial({ at, event: { $case: 'taskStatus', value: { task: { ...change.value.task, cached: true } } } }));
  reporter.end();
  reporter.end();
  expect(text.split('\n').filter((line) => line.includes('earlier'))).toEqual([
    expect.stringMatching(/^1 of 2 tasks were not executed: .*weft run --no-cache executes everything$/),
  ]);
});

it('has none elsewhere', () => {
  expect(shown(false)).toBe('[align] started\n[align[1]] failed\n[align[2]] pulling alpine\n');
});
