/** The contract of `RunIntake.reopen`: a run that has ended goes on. */
import type { LogEntry, RunStore } from '@weft/run-store';
import { partitionOf } from '@weft/run-store';
import { aRunHeader } from './builders.js';
import { Inbox } from './gate.js';
import { type RunStoreFixture, ended, startRun } from './run-store.fixture.js';

const again: LogEntry['event'] = { type: 'RunRetried' };

async function sealed(store: RunStore): Promise<ReturnType<typeof aRunHeader>> {
  const header = aRunHeader();
  const lease = await startRun(store, header);
  await store.log.seal(lease, { ...header, state: 'failed', finishedAtMs: 9 }, 1, ended);
  return header;
}

export function runStoreReopenContract(get: () => RunStoreFixture): void {
  it('puts a sealed run back: active, with its new header, its log going on', async () => {
    const { one, two } = get();
    const header = await sealed(one);
    expect(await two.log.active(partitionOf('r-1'))).toEqual([]);
    expect(await two.intake.reopen({ ...header, state: 'running' }, again)).toBe('reopened');
    expect(await one.log.active(partitionOf('r-1'))).toEqual(['r-1']);
    expect(await one.reader.get('r-1')).toEqual({ ...header, state: 'running' });
    expect((await one.log.read('r-1', 1)).map(({ sequence, event }) => [sequence, event.type])).toEqual([
      [2, 'RunEnded'],
      [3, 'RunRetried'],
    ]);
    expect((await one.reader.list({ limit: 5, states: ['running'] })).runs.map(({ runId }) => runId)).toEqual(['r-1']);
    expect(await one.reader.remove('r-1')).toBe(false);
  });

  it('tells the owner', async () => {
    const { one, two } = get();
    const header = await sealed(one);
    const nudges = new Inbox<[string, number]>();
    const stop = await one.nudges.subscribe(
      partitionOf('r-1'),
      (runId, sequence) => nudges.push([runId, sequence]),
      () => undefined,
    );
    await two.intake.reopen({ ...header, state: 'running' }, again);
    expect(await nudges.atLeast(1)).toEqual([['r-1', 3]]);
    await stop();
  });

  it('leaves a run that is active as it is, and says when there is none', async () => {
    const { one } = get();
    const header = await sealed(one);
    await one.intake.reopen({ ...header, state: 'running' }, again);
    expect(await one.intake.reopen({ ...header, state: 'running', name: 'other' }, again)).toBe('active');
    expect(await one.log.read('r-1', 0)).toHaveLength(3);
    expect((await one.reader.get('r-1'))?.name).toBe(header.name);
    expect(await one.intake.reopen(aRunHeader({ runId: 'r-unknown' }), again)).toBe('gone');
  });

  it('can be sealed again, and followers read past the first end to the last', async () => {
    const { one, two } = get();
    const header = await sealed(one);
    await one.intake.reopen({ ...header, state: 'running' }, again);
    const [lease] = (await one.leases.acquire('owner-1', 600_000)).filter(({ partition }) => partition === partitionOf('r-1'));
    const seen: string[] = [];
    const following = (async () => {
      for await (const { event } of two.reader.follow('r-1', 0, new AbortController().signal)) seen.push(event.type);
    })();
    expect(await one.log.seal(lease!, { ...header, state: 'succeeded' }, 3, ended)).toMatchObject({ ok: true, sequence: 4 });
    await following;
    expect(seen).toEqual(['RunAccepted', 'RunEnded', 'RunRetried', 'RunEnded']);
    expect((await one.reader.get('r-1'))?.state).toBe('succeeded');
  });
}
