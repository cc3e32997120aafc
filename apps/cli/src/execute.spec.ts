import { run } from '@weft/contracts';
import type { RunsClient } from './client/runs-client.js';
import type { Prepared } from './document/prepare.js';
import { CommandError } from './errors.js';
import { describeFailure, NO_OPTIONS, submitPrepared } from './execute.js';

it.each<[Partial<run.Failure>, string]>([
  [{ message: 'no', step: '' }, 'no'],
  [{ message: 'no', step: 'align' }, "step 'align': no"],
  [{ message: 'no', step: 'align', index: '3,1' }, "step 'align[3,1]': no"],
  [{ message: "step 'align': no", step: 'align', index: '3' }, "step 'align[3]': no"],
  [{ message: "step 'align[3]': no", step: 'align' }, "step 'align[3]': no"],
  [{ message: "step 'align[3]': no", step: 'align', index: '3' }, "step 'align[3]': no"],
])('%j is told as: %s', (failure, text) => expect(describeFailure(run.Failure.fromPartial(failure))).toBe(text));

it('a submission that would not fit into a message is refused in a sentence, and nothing is sent', async () => {
  const sent: unknown[] = [];
  const submit = (request: unknown): Promise<never> => {
    sent.push(request);
    return Promise.reject(new Error('it was sent'));
  };
  const runs = { submit } as never as RunsClient;
  const prepared = (job: Prepared['job'], text = ''): Prepared =>
    ({ bundle: { rootUri: 'x', files: { x: text } }, job, baseUri: '', warnings: [] }) as never;
  const part = 'x'.repeat(31 * 1024 * 1024);
  const refused = await submitPrepared(runs, prepared({ a: part }, part), NO_OPTIONS).catch((error: unknown) => error as Error);
  expect(refused).toBeInstanceOf(CommandError);
  expect((refused as Error).message).toBe(
    'the documents have 32 MiB and the inputs 32 MiB; at most 60 MiB can be submitted: put what is large into files that the inputs name',
  );
  expect(sent).toEqual([]);
  await expect(submitPrepared(runs, prepared({ a: part }), NO_OPTIONS)).rejects.toThrow('it was sent');
});
