/** Anybody who reaches Redis may say anything on a channel: it is dropped, told of once, and whatever comes next is heard. */
import { aRunHeader, HOSTILE_MESSAGES, Inbox, useRedis } from '@weft/testing';
import { createRedisRunStore, type LogEntry, partitionOf, type RunStore } from './index.js';
import { createKeys } from './keys.js';

const keys = createKeys('weft:');
const accepted = { type: 'RunAccepted', runId: 'r-1' };
const partition = partitionOf('r-1');
const CHANNELS = [
  ...[keys.nudge(partition), keys.cancels(), keys.replicaNews()],
  // Its followers look for what is new, whatever is said.
  keys.taskLogNudge('r-1'),
];

describe('hostile messages', () => {
  const redis = useRedis();
  let store: RunStore;
  const told = new Inbox<Error>();
  beforeEach(() => {
    told.items.length = 0;
    store = createRedisRunStore({ redis: redis.server.connection, onError: told.push });
  });
  afterEach(() => store.close());

  it('are dropped on every channel, and told of once for each kind of message', async () => {
    await store.intake.create(aRunHeader(), accepted);
    const [nudges, cancels, replicas, entries] = [new Inbox<string>(), new Inbox<string>(), new Inbox<string>(), new Inbox<LogEntry>()];
    await store.nudges.subscribe(
      partition,
      (runId, sequence) => nudges.push(`${sequence} ${runId}`),
      () => undefined,
    );
    await store.cancels.subscribe((attempts) => cancels.push(attempts.map(({ taskId, attempt }) => `${taskId}.${attempt}`).join()));
    await store.leases.watch(() => replicas.push('changed'));
    const watching = new AbortController();
    const followed = (async () => {
      for await (const entry of store.reader.follow('r-1', 0, watching.signal)) entries.push(entry);
    })();
    const logs = (async () => {
      for await (const _chunk of store.taskLogs.stream('r-1', '', true, watching.signal)) return;
    })();
    await entries.atLeast(1);
    for (const channel of CHANNELS) for (const message of HOSTILE_MESSAGES) await redis.admin.publish(channel, message);
    await store.intake.request('r-1', { type: 'CancelAsked' });
    await store.cancels.send([{ taskId: 'r-1-1', attempt: 1 }]);
    await store.taskLogs.append('r-1', [{ taskId: 't', step: '', stream: 'stdout', text: 'x', atMs: 1 }]);
    await entries.atLeast(2);
    expect((await cancels.atLeast(1)).at(-1)).toBe('r-1-1.1');
    await logs;
    expect(nudges.items.filter((nudge) => nudge !== '1 r-1' && nudge !== '2 r-1')).toEqual([]);
    expect(cancels.items).toEqual(['r-1-1.1']);
    const kinds = told.items.map(({ name, message }) => `${name}: ${/is not (.*) and was/.exec(message)?.[1]}`);
    expect(kinds.sort()).toEqual(
      ['a list of attempts to be cancelled', 'a nudge', 'news of a log', 'news of replicas'].map((kind) => `ForeignMessageError: ${kind}`),
    );
    expect(Math.max(...told.items.map(({ message }) => message.length))).toBeLessThan(500);
    watching.abort();
    await followed;
  });

  it.each([
    ['that Redis hands over', '0 0 0'],
    ['for which Redis ends the connection', '32mb 8mb 60'],
  ])('of 100 MB, %s, do no harm', async (_what, limit) => {
    await redis.admin.config('SET', 'client-output-buffer-limit', `pubsub ${limit}`);
    const [cancels, resets] = [new Inbox<number>(), new Inbox<string>()];
    await store.cancels.subscribe((attempts) => cancels.push(attempts.length));
    await store.nudges.subscribe(
      partition,
      () => undefined,
      () => resets.push('reset'),
    );
    await redis.admin.publish(keys.cancels(), 'x'.repeat(100 * 1024 ** 2));
    if (limit.startsWith('32')) await resets.atLeast(1);
    await store.cancels.send([{ taskId: 'r-1-1', attempt: 1 }]);
    expect(await cancels.atLeast(1)).toEqual([1]);
  });

  it('are not made by ourselves: of thousands of attempts, each is heard', async () => {
    const cancels = new Inbox<string>();
    await store.cancels.subscribe((attempts) => attempts.forEach(({ taskId }) => cancels.push(taskId)));
    const attempts = Array.from({ length: 10_000 }, (_, n) => ({ taskId: `r-01m8kescx2vdzz16mesqspap10-${n}`, attempt: 999_999_999 }));
    await store.cancels.send(attempts);
    expect(await cancels.atLeast(10_000)).toEqual(attempts.map(({ taskId }) => taskId));
    expect(told.items).toEqual([]);
  });

  it('in the streams of a run: what is no log of a task is passed over, and a run is not gone on with whose log says nothing', async () => {
    await store.intake.create(aRunHeader(), accepted);
    await store.taskLogs.append('r-1', [{ taskId: 't', step: '', stream: 'stdout', text: 'before', atMs: 1 }]);
    for (const text of HOSTILE_MESSAGES) await redis.admin.xadd(keys.taskLog('r-1'), '*', 'c', text);
    await redis.admin.xadd(keys.taskLog('r-1'), '*', 'x', 'y');
    await store.taskLogs.append('r-1', [{ taskId: 't', step: '', stream: 'stdout', text: 'after', atMs: 1 }]);
    const texts: string[] = [];
    for await (const { text } of store.taskLogs.stream('r-1', '', false, new AbortController().signal)) texts.push(text);
    expect(texts).toEqual(['before', 'after']);
    for (const [n, event] of ['', '{', 'null', '[]', '{}', '{"type":1}'].entries()) {
      await redis.admin.xadd(keys.log('r-1'), `${n + 2}-0`, 't', '1', 'e', event);
      await expect(store.log.read('r-1', n + 1)).rejects.toMatchObject({
        name: 'ForeignMessageError',
        message: expect.stringContaining(`entry ${n + 2}-0`),
      });
    }
  });

  it('end no process where a listener cannot cope', async () => {
    await store.cancels.subscribe(() => {
      throw new TypeError('a mistake of ours');
    });
    await store.cancels.send([{ taskId: 'r-1-1', attempt: 1 }]);
    expect((await told.atLeast(1))[0]).toMatchObject({ name: 'TypeError', message: 'a mistake of ours' });
  });
});
