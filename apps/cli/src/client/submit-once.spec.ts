import { run } from '@weft/contracts';
import { ServiceError } from '@weft/platform/client';
import { NO_OPTIONS } from '../execute.js';
import type { Submission, Submitted } from './runs-client.js';
import { submitOnce } from './submit-once.js';

const submission: Submission = { ...NO_OPTIONS, document: run.DocumentBundle.create(), inputsJson: '{}', inputsBaseUri: '' };
const lost = new ServiceError('UNAVAILABLE', 'connection lost');

/** A service that fails so often before it answers; what it was sent, and how long the client paused. */
function service(failures: Error[]) {
  const keys: string[] = [];
  const pauses: number[] = [];
  const submit = async ({ idempotencyKey }: Submission): Promise<Submitted> => {
    keys.push(idempotencyKey);
    const failure = failures.shift();
    if (failure) throw failure;
    return { run: run.Run.create({ runId: 'r-1' }), existing: keys.length > 1, diagnostics: [] };
  };
  return { keys, pauses, submit: (given = submission) => submitOnce({ submit }, given, async (ms) => void pauses.push(ms)) };
}

it('makes the call again under the same key where the connection was lost', async () => {
  const { keys, pauses, submit } = service([lost, lost]);
  expect((await submit()).run.runId).toBe('r-1');
  expect([new Set(keys).size, keys.length, pauses]).toEqual([1, 3, [200, 500]]);
  expect(keys[0]).toMatch(/^weft-run-[0-9a-f-]{36}$/);
});

it('has a key of its own for each submission, unless one is given', async () => {
  const { keys, submit } = service([]);
  await submit();
  await submit();
  await submit({ ...submission, idempotencyKey: 'mine' });
  expect([new Set(keys).size, keys[2]]).toEqual([3, 'mine']);
});

it('gives up at what the service itself has to say, and in the end', async () => {
  await expect(service([new ServiceError('ALREADY_EXISTS', 'used')]).submit()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  const { pauses, submit } = service(new Array<Error>(20).fill(lost));
  await expect(submit()).rejects.toBe(lost);
  expect(pauses).toHaveLength(6);
});
