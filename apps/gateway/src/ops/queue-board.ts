/**
 * The BullMQ board at /queues: looks only, changes nothing.
 *
 * Invariants: the board never holds up the gateway; without Redis the page loads and /readyz says why it is empty.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';

const BASE_PATH = '/queues';

export async function serveQueueBoard(server: FastifyInstance, queues: Queue[]): Promise<void> {
  const adapter = new FastifyAdapter();
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'weft queues' } },
  });
  adapter.setBasePath(BASE_PATH);
  await server.register(adapter.registerPlugin(), { prefix: BASE_PATH });
}
