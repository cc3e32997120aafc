/**
 * What replicas tell each other about waiting tasks, over Redis' pub/sub: nothing is stored.
 *
 * Invariant: while Redis is away nothing is kept for later; what is told is true only now.
 */
import { RedisLink, type RedisLinkOptions } from '@weft/run-store';
import type { DemandChannel } from './neighbours.js';

const CHANNEL = 'weft:demand';
/** Room for the projects of some ten thousand runs. */
const LIMIT = 4 * 1024 ** 2;

export function createRedisDemandChannel(options: RedisLinkOptions): RedisDemandChannel {
  return new RedisDemandChannel(options);
}

class RedisDemandChannel implements DemandChannel {
  private readonly link: RedisLink;

  constructor(options: RedisLinkOptions) {
    this.link = new RedisLink(options, { enableOfflineQueue: false });
  }

  async publish(message: string): Promise<void> {
    await this.link.commands.publish(CHANNEL, message);
  }

  async subscribe(onMessage: (message: string) => void): Promise<void> {
    await this.link.subscriptions.subscribe(CHANNEL, {
      what: 'what waits at another replica',
      limit: LIMIT,
      onMessage,
      // It is told again and again.
      onReset: () => undefined,
      onClose: () => undefined,
    });
  }

  close(): Promise<void> {
    return this.link.close();
  }
}
