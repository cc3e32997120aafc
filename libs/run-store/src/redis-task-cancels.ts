/** Cancels between replicas: one channel, and few messages for many attempts that are asked for together. */
import type { Redis } from 'ioredis';
import { ForeignMessageError } from './errors.js';
import type { Keys } from './keys.js';
import type { AttemptRef, TaskCancels } from './ports.js';
import type { Subscriptions } from './subscriptions.js';

/** A message stays far below what a listener takes. */
const PER_MESSAGE = 256;

export class RedisTaskCancels implements TaskCancels {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly subscriptions: Subscriptions,
  ) {}

  async send(attempts: AttemptRef[]): Promise<void> {
    for (let at = 0; at < attempts.length; at += PER_MESSAGE) {
      const some = attempts.slice(at, at + PER_MESSAGE);
      await this.redis.publish(this.keys.cancels(), some.map(({ taskId, attempt }) => `${taskId}.${attempt}`).join(' '));
    }
  }

  subscribe(onCancel: (attempts: AttemptRef[]) => void): Promise<() => Promise<void>> {
    return this.subscriptions.subscribe(this.keys.cancels(), {
      what: 'a list of attempts to be cancelled',
      onMessage: (message) => onCancel(message.split(' ').map(attemptOf)),
      onReset: () => undefined,
      onClose: () => undefined,
    });
  }
}

/** Task ids have dots of their own; the last one is before the attempt. @throws ForeignMessageError */
function attemptOf(text: string): AttemptRef {
  const [, taskId, attempt] = /^(\S{1,200})\.(\d{1,9})$/.exec(text) ?? [];
  if (taskId === undefined) throw new ForeignMessageError('expected attempts, each the id of a task and a number');
  return { taskId, attempt: Number(attempt) };
}
