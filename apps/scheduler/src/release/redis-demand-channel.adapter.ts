/**
 * What replicas tell each other about waiting tasks, over Redis' pub/sub: nothing is stored.
 *
 * Invariant: while Redis is away nothing is kept for later; what is told is true only now.
 */
import type { Redis } from 'ioredis';
import type { DemandChannel } from './neighbours.js';

const CHANNEL = 'weft:demand';

export function createRedisDemandChannel(options: ConstructorParameters<typeof RedisDemandChannel>[0]): RedisDemandChannel {
  return new RedisDemandChannel(options);
}

class RedisDemandChannel implements DemandChannel {
  private readonly publisher: Redis;
  private readonly subscriber: Redis;

  constructor(options: { connect: (more: { enableOfflineQueue: boolean }) => Redis; onError: (error: Error) => void }) {
    this.publisher = options.connect({ enableOfflineQueue: false });
    this.subscriber = options.connect({ enableOfflineQueue: true });
    for (const connection of [this.publisher, this.subscriber]) connection.on('error', options.onError);
  }

  async publish(message: string): Promise<void> {
    await this.publisher.publish(CHANNEL, message);
  }

  async subscribe(onMessage: (message: string) => void): Promise<void> {
    this.subscriber.on('message', (_channel: string, message: string) => onMessage(message));
    await this.subscriber.subscribe(CHANNEL);
  }

  async close(): Promise<void> {
    for (const connection of [this.publisher, this.subscriber]) {
      // A connection that breaks before QUIT is answered is closed as well.
      if (connection.status === 'ready') await connection.quit().catch(() => connection.disconnect());
      else connection.disconnect();
    }
  }
}
