import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { ForeignMessageError } from './errors.js';
import { RedisTaskCancels } from './redis-task-cancels.js';
import { createKeys } from './keys.js';
import { Subscriptions } from './subscriptions.js';

/** A connection on which what is published is heard at once, and by which everybody may say anything. */
class Wire extends EventEmitter {
  readonly status = 'ready';
  readonly published: string[] = [];
  async subscribe(): Promise<number> {
    return 1;
  }

  async publish(channel: string, message: string): Promise<number> {
    this.published.push(message);
    this.emit('message', channel, message);
    return 1;
  }
}

const wire = (): { wire: Wire; redis: Redis; told: Error[]; subscriptions: Subscriptions } => {
  const made = new Wire();
  const redis = made as unknown as Redis;
  const told: Error[] = [];
  return { wire: made, redis, told, subscriptions: new Subscriptions(redis, (error) => told.push(error)) };
};
const silent = { onReset: () => undefined, onClose: () => undefined };

it('what is too long is dropped, what is none of ours is told of once for each kind, and what comes next is heard', async () => {
  const { wire: said, told, subscriptions } = wire();
  const heard: string[] = [];
  const take = (message: string): void => {
    if (message.startsWith('?')) throw new ForeignMessageError('no word of ours');
    heard.push(message);
  };
  await subscriptions.subscribe('c', { ...silent, what: 'a nudge', onMessage: take });
  await subscriptions.subscribe('d', { ...silent, what: 'a demand', limit: 100_000, onMessage: take });
  for (const channel of ['c', 'd'])
    for (const message of ['x'.repeat(65_537), '?', '?again', 'word']) said.emit('message', channel, message);
  expect(heard.map((one) => one.length)).toEqual([4, 65_537, 4]);
  expect(told.map(({ name, message }) => `${name}: ${/is not (.*) and was/.exec(message)?.[1]}`)).toEqual([
    'ForeignMessageError: a nudge',
    'ForeignMessageError: a demand',
  ]);
  expect(Math.max(...told.map(({ message }) => message.length))).toBeLessThan(500);
});

it('a listener that cannot cope is told of each time, and ends nothing', async () => {
  const { wire: said, told, subscriptions } = wire();
  const heard: string[] = [];
  const onMessage = (): void => {
    throw new TypeError('mistake');
  };
  await subscriptions.subscribe('c', { ...silent, what: 'a nudge', onMessage });
  await subscriptions.subscribe('c', { ...silent, what: 'a word', onMessage: (message) => void heard.push(message) });
  for (const message of ['one', 'two']) said.emit('message', 'c', message);
  expect([told.map(({ name }) => name), heard]).toEqual([
    ['TypeError', 'TypeError'],
    ['one', 'two'],
  ]);
});

it('of thousands of attempts to be cancelled each is heard, whatever their tasks are called', async () => {
  const { redis, told, subscriptions } = wire();
  const cancels = new RedisTaskCancels(redis, createKeys('weft:'), subscriptions);
  const heard: string[] = [];
  await cancels.subscribe((attempts) => attempts.forEach(({ taskId }) => heard.push(taskId)));
  const attempts = Array.from({ length: 3_000 }, (_, n) => ({ taskId: `${n}-`.padEnd(200, 'x'), attempt: 999_999_999 }));
  await cancels.send(attempts);
  expect(heard).toEqual(attempts.map(({ taskId }) => taskId));
  expect(told).toEqual([]);
});
