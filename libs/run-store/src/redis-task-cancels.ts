/** Cancels between replicas: one channel, one message for as many attempts as are asked for together. */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import type { AttemptRef, TaskCancels } from './ports.js';
import type { Subscriptions } from './subscriptions.js';

export class RedisTaskCancels implements TaskCancels {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly subscriptions: Subscriptions,
  ) {}

  async send(attempts: AttemptRef[]): Promise<void> {
    if (attempts.length > 0)
      await this.redis.publish(this.keys.cancels(), attempts.map(({ taskId, attempt }) => `${taskId}.${attempt}`).join(' '));
  }

  subscribe(onCancel: (attempts: AttemptRef[]) => void): Promise<() => Promise<void>> {
    return this.subscriptions.subscribe(this.keys.cancels(), {
      onMessage: (message) => onCancel(message.split(' ').map(attemptOf)),
      onReset: () => undefined,
      onClose: () => undefined,
    });
  }
}

/** Task ids have dots of their own; the last one is before the attempt. */
function attemptOf(text: string): AttemptRef {
  const dot = text.lastIndexOf('.');
  return { taskId: text.slice(0, dot), attempt: Number(text.slice(dot + 1)) };
}
