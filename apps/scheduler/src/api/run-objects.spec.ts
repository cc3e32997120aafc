/** Runs whose objects are long: what lists, messages, events and pages of tasks have of them, and how they are read whole. */
import { run as pb, scheduler } from '@weft/contracts';
import { createFakeRunStore } from '@weft/testing';
import { LocalStorage } from '@weft/storage';
import { owning, RUN, submitted, succeeded } from '../../test/owned-runs.js';
import { PlanCache } from '../plans/plan-cache.js';
import { RunQueries } from './run-queries.js';
import { RunMemory } from '../runs/memory/run-memory.js';

/** Longer than a message has it. */
const LONG = 'ä'.repeat(400_000);
const MESSAGE_BYTES = 4 * 1024 * 1024;

async function ended(values: string[], out: string) {
  const store = createFakeRunStore();
  const { owner, executor } = await owning(store);
  await submitted(store, RUN, { values });
  await executor.commands.atLeast(values.length);
  for (const [at] of values.entries()) await executor.actor?.offer(succeeded(`${RUN}-${at + 1}`, out));
  const queries = new RunQueries({
    memory: new RunMemory(Infinity),
    readers: new RunMemory(Infinity),
    ...{ store, owner, storage: new LocalStorage(), dataUri: 'file:///data/', beforeRetry: async () => undefined },
    plans: new PlanCache((hash) => store.log.getPlan(hash)),
  });
  const events: pb.RunEvent[] = [];
  for await (const event of queries.watch(scheduler.WatchRunRequest.fromPartial({ runId: RUN }), new AbortController().signal))
    events.push(event);
  return { queries, events, close: () => owner.close() };
}

async function objectOf(queries: RunQueries, kind: pb.ObjectKind, taskId = ''): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const { data } of queries.object({ runId: RUN, kind, taskId })) parts.push(data);
  return JSON.parse(Buffer.concat(parts).toString());
}

const { INPUTS, OUTPUTS } = pb.ObjectKind;

it('messages say that they are there, and the object is read in pieces', async () => {
  const { queries, events, close } = await ended([LONG, 'short'], LONG);
  const shown = await queries.whole(await queries.get(RUN));
  expect(shown).toMatchObject({ inputsJson: '', inputsOmitted: true, outputsJson: '', outputsOmitted: true });
  const { runs } = await queries.list(scheduler.ListRunsRequest.fromPartial({}));
  expect(runs).toEqual([{ ...shown, inputsOmitted: false, outputsOmitted: false }]);
  const end = events.at(-1)?.event;
  expect(end?.value).toMatchObject({ status: pb.RunStatus.SUCCEEDED, outputsJson: '', outputsOmitted: true });
  const tasks = events.flatMap(({ event }) => (event?.$case === 'taskStatus' && event.value.task ? [event.value.task] : []));
  expect(tasks.filter(({ outputsOmitted }) => outputsOmitted).map(({ taskId }) => taskId)).toEqual([`${RUN}-1`, `${RUN}-2`]);
  expect(Math.max(...events.map((event) => pb.RunEvent.encode(event).finish().length))).toBeLessThan(10_000);
  expect(await objectOf(queries, INPUTS)).toEqual({ i: [LONG, 'short'] });
  expect(await objectOf(queries, OUTPUTS)).toEqual({ o: [LONG, LONG] });
  expect(await objectOf(queries, OUTPUTS, `${RUN}-2`)).toEqual({ out: LONG });
  await close();
});

it('messages have what is short', async () => {
  const { queries, events, close } = await ended(['a'], 'b');
  const shown = await queries.whole(await queries.get(RUN));
  expect(shown).toMatchObject({ inputsJson: '{"i":["a"]}', inputsOmitted: false, outputsJson: '{"o":["b"]}', outputsOmitted: false });
  expect((await queries.list(scheduler.ListRunsRequest.fromPartial({}))).runs).toEqual([{ ...shown, inputsJson: '', outputsJson: '' }]);
  expect(events.at(-1)?.event?.value).toMatchObject({ outputsJson: '{"o":["b"]}', outputsOmitted: false });
  await close();
});

it('pages of tasks are short, and together all of them', async () => {
  const { queries, close } = await ended(
    Array.from({ length: 300 }, (_, n) => String(n)),
    'x'.repeat(30_000),
  );
  const sizes: number[] = [];
  const found: string[] = [];
  let pageToken = '';
  do {
    const page = await queries.tasks({ runId: RUN, pageSize: 1000, pageToken });
    sizes.push(scheduler.ListTasksResponse.encode(page).finish().length);
    for (const { taskId } of page.tasks) found.push(taskId);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(found).toEqual(Array.from({ length: 300 }, (_, n) => `${RUN}-${n + 1}`));
  expect(sizes.length).toBeGreaterThan(2);
  expect(Math.max(...sizes)).toBeLessThan(MESSAGE_BYTES);
  await close();
});

it('what is not there is said', async () => {
  const { queries, close } = await ended(['a'], 'b');
  for (const [kind, taskId, code] of [
    [pb.ObjectKind.UNSPECIFIED, '', 'INVALID_ARGUMENT'],
    [INPUTS, `${RUN}-1`, 'INVALID_ARGUMENT'],
    [OUTPUTS, 'r-1-9', 'NOT_FOUND'],
  ] as const)
    await expect(objectOf(queries, kind, taskId)).rejects.toMatchObject({ code });
  await expect(queries.object({ runId: 'r-none', kind: OUTPUTS, taskId: '' }).next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(queries.cancel(RUN, 'x'.repeat(1001))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await close();
});
