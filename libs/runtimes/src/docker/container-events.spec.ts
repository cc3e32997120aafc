import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import { ContainerEvents, MEMORY_LIKELY_MS, MEMORY_TOLD_MS } from './container-events.js';

/** Events of one container, and how long each wait for one was to be; none of them ends by itself. */
async function eventsOf(
  kills: () => number,
  wroteDown: (id: string) => Promise<boolean | undefined> = async () => false,
): Promise<{ events: ContainerEvents; tell: (action: string) => void; waits: (number | undefined)[] }> {
  const stream = new PassThrough();
  const waits: (number | undefined)[] = [];
  const docker = { getEvents: () => Promise.resolve(stream) } as unknown as Docker;
  const events = new ContainerEvents(docker, 'o', (_signal, ms) => (waits.push(ms), new Promise(() => undefined)), kills, wroteDown);
  await events.open();
  return { events, waits, tell: (action) => void stream.write(`${JSON.stringify({ Action: action, Actor: { ID: 'c' } })}\n`) };
}

it.each([
  ['for long where the kernel has ended something for memory meanwhile', 7, 8, MEMORY_LIKELY_MS],
  ['a moment where it has not', 7, 7, MEMORY_TOLD_MS],
  ['a moment where it does not say', 0, 0, MEMORY_TOLD_MS],
])('waits to be told that memory was the cause: %s', async (_, before, after, ms) => {
  let kills = before;
  const { events, waits, tell } = await eventsOf(() => kills);
  events.watch('c');
  kills = after;
  tell('die');
  const asked = events.ranOutOfMemory('c');
  await new Promise(setImmediate);
  expect(waits).toEqual([ms]);
  tell('oom');
  expect(await asked).toBe(true);
});

it('knows nothing of a container that it does not watch', async () => {
  const { events, waits } = await eventsOf(() => 0);
  expect([await events.ranOutOfMemory('c'), await events.stopped('c'), waits]).toEqual([false, undefined, []]);
});

it.each([true, false, undefined])('believes the kernel that wrote it down (%s), where the engine never tells', async (written) => {
  let kills = 0;
  const { events, waits } = await eventsOf(
    () => kills,
    async (id) => (id === 'c' ? written : true),
  );
  events.watch('c');
  kills = 1;
  const asked = events.ranOutOfMemory('c');
  await new Promise(setImmediate);
  if (written === true) expect(await asked).toBe(true);
  expect(waits).toEqual(written === true ? [] : [MEMORY_LIKELY_MS]);
});

it('does not ask the kernel where it has ended nothing', async () => {
  const asked: string[] = [];
  const { events, tell } = await eventsOf(
    () => 1,
    async (id) => (asked.push(id), true),
  );
  events.watch('c');
  tell('oom');
  expect(await events.ranOutOfMemory('c')).toBe(true);
  expect(asked).toEqual([]);
});
