/** The pages for people: the API's at /docs and the queues' at /queues. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Redis } from 'ioredis';
import { redisConnection } from '@weft/platform';
import type { GatewayConfig } from '../config/config.js';
import { serveApiPages } from './api-pages.js';
import { serveQueueBoard } from './queue-board.js';

/** Answers with what frees the pages' connections. */
export async function servePages(app: NestFastifyApplication, config: GatewayConfig, redis: Redis): Promise<() => Promise<void>> {
  const close = await serveQueueBoard(app.getHttpAdapter().getInstance(), () => redisConnection(config.redisUrl, config.redisTls), redis);
  serveApiPages(app);
  return close;
}
