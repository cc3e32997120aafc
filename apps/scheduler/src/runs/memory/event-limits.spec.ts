/** What is too large for a log is a failure for good, where it is produced. */
import type { EngineEvent } from '@weft/engine';
import type { CwlObject } from '@weft/plan';
import { boundFailure, endWithin, heldBytes, withinLimits as bounded } from './event-limits.js';
import { failureOf } from '../failures.js';

const succeeded = (outputs: CwlObject): EngineEvent => ({ type: 'TaskSucceeded', taskId: 't', attempt: 2, outputs });
const withinLimits = (event: EngineEvent): EngineEvent => bounded(event, { stepOf: (taskId) => `step of ${taskId}`, admits: () => true });
/** Some 33 MiB, of which several make what is long without being it. */
const PART = 'x'.repeat(33 * 1024 * 1024);

it('outputs of a task', () => {
  const fits = succeeded({ a: PART });
  expect(withinLimits(fits)).toBe(fits);
  const refused = { type: 'TaskFailed', taskId: 't', attempt: 2, retryable: false, failure: { code: 'OUTPUT_SIZE', step: 'step of t' } };
  for (const outputs of [{ a: PART, b: [PART] }, { a: Array.from({ length: 4_000_001 }, () => 0) }])
    expect(withinLimits(succeeded(outputs))).toMatchObject(refused);
});

it('inputs of tasks that are begun together', () => {
  const shards = [3, 4].map((index) => ({ index, inputs: { x: PART }, run: true }));
  const event: EngineEvent = { type: 'BindingsEvaluated', node: 's', iteration: 1, shards };
  expect(withinLimits({ ...event, shards: shards.slice(1) })).toMatchObject({ type: 'BindingsEvaluated' });
  expect(withinLimits(event)).toMatchObject({
    ...{ type: 'BindingsFailed', node: 's', iteration: 1, firstShard: 3 },
    failure: { code: 'INPUT_SIZE', step: 's', message: expect.stringContaining('2 tasks that are begun together') },
  });
});

it('outputs of a run, however they came together', () => {
  const end = { type: 'RunEnded', status: 'succeeded' } as const;
  const parts = (count: number): CwlObject => ({ all: Array.from({ length: count }, () => PART) });
  expect(endWithin(end, parts(7))).toBe(end);
  expect(endWithin(end, undefined)).toBe(end);
  expect(endWithin(end, parts(8))).toMatchObject({ status: 'failed', failure: { code: 'OUTPUT_SIZE' } });
  expect(endWithin(end, parts(1_000))).toMatchObject({ status: 'failed', failure: { code: 'OUTPUT_SIZE' } });
});

it('words of a failure', () => {
  const short = { code: 'X', message: 'm'.repeat(16_384), stderrTail: ['a', 'b'] };
  expect(boundFailure(short)).toBe(short);
  const long = boundFailure({ code: 'X', message: 'm'.repeat(9_000_000), stderrTail: ['first', 'y'.repeat(20_000), 'last'] });
  expect(long.message).toBe(`${'m'.repeat(16_384)}… (9000000 characters)`);
  expect(long.stderrTail).toEqual([`…${'y'.repeat(16_384 - 5)}`, 'last']);
  expect(failureOf(new Error('e'.repeat(100_000)), 's').message.length).toBeLessThan(17_000);
  const failed: EngineEvent = {
    type: 'TaskFailed',
    taskId: 't',
    attempt: 1,
    failure: { code: 'X', message: 'z'.repeat(99_999) },
    retryable: true,
  };
  expect(withinLimits(failed)).toMatchObject({ retryable: true, failure: { message: expect.stringContaining('(99999 characters)') } });
});

describe('what there is no memory for', () => {
  const without = (event: EngineEvent): EngineEvent => bounded(event, { stepOf: () => 'align', admits: (bytes) => bytes < 100 });
  const shards = [7, 8].map((index) => ({ index, inputs: { x: 'x'.repeat(100) }, run: true }));
  const words = { code: 'X', message: 'm'.repeat(1_000), stderrTail: ['y'.repeat(1_000)], step: 's' };
  const kept = { code: 'X', message: 'm'.repeat(200), stderrTail: [], step: 's' };

  it.each<[string, EngineEvent, object]>([
    [
      'outputs of a task',
      succeeded({ a: 'x'.repeat(100) }),
      { type: 'TaskFailed', attempt: 2, retryable: false, failure: { code: 'OUTPUT_SIZE', step: 'align' } },
    ],
    [
      'inputs of tasks',
      { type: 'BindingsEvaluated', node: 's', iteration: 0, shards },
      { type: 'BindingsFailed', firstShard: 7, failure: { code: 'INPUT_SIZE' } },
    ],
    [
      'words of a failed task',
      { type: 'TaskFailed', taskId: 't', attempt: 1, failure: words, retryable: true },
      { type: 'TaskFailed', retryable: true, failure: kept },
    ],
    ['words of bindings', { type: 'BindingsFailed', node: 's', iteration: 0, firstShard: 0, failure: words }, { failure: kept }],
  ])('%s', (_what, event, expected) => {
    expect(without(event)).toMatchObject(expected);
    expect(bounded(event, { stepOf: () => '', admits: () => true })).toMatchObject({ type: event.type });
  });

  it('is not what brings nothing', () => {
    const events: EngineEvent[] = [
      { type: 'TaskCancelled', taskId: 't', attempt: 1 },
      { type: 'CancelAsked', reason: 'r' },
      { type: 'RunRetried' },
    ];
    for (const event of events) {
      expect(without(event)).toBe(event);
      expect(heldBytes(event)).toBe(0);
    }
  });
});
