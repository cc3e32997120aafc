/**
 * The BullMQ board at /queues: it looks and changes nothing.
 *
 * Invariants:
 *  1. The board never holds up the gateway: without Redis the page loads empty, and /readyz says why.
 *  2. A pool that appears later is on the board the next time somebody looks.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { RedisConnection } from '@weft/platform';
import { type BoardQueues, discoverPools, openBoardQueues } from '@weft/queue';

const BASE_PATH = '/queues';
/** Milliseconds a look waits for Redis before it shows the pools that were known. */
const PATIENCE_MS = 1000;

/** Answers with what closes the board's connections. `redis` says whether Redis is there to be asked. */
export async function serveQueueBoard(
  server: FastifyInstance,
  connectionOf: () => RedisConnection,
  redis: Pick<Redis, 'status'>,
): Promise<() => Promise<void>> {
  const adapter = new FastifyAdapter();
  const board = createBullBoard({ queues: [], serverAdapter: adapter, options: { uiConfig: { boardTitle: 'weft queues' } } });
  const pools = new BoardPools(connectionOf, (queues) =>
    board.replaceQueues(queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true }))),
  );
  adapter.setBasePath(BASE_PATH);
  await server.register(
    async (scope) => {
      scope.addHook('onRequest', async (request) => {
        if (request.url.startsWith(`${BASE_PATH}/api/`) && redis.status === 'ready') await pools.refresh();
      });
      await scope.register(adapter.registerPlugin());
    },
    { prefix: BASE_PATH },
  );
  return () => pools.close();
}

class BoardPools {
  private open: BoardQueues | undefined;
  private known = '';
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly connectionOf: () => RedisConnection,
    private readonly show: (queues: BoardQueues['queues']) => void,
  ) {}

  /** One look at a time; gives up waiting, not looking, after PATIENCE_MS. */
  async refresh(): Promise<void> {
    this.refreshing ??= this.look().finally(() => (this.refreshing = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([this.refreshing, late]).finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    await this.refreshing;
    await this.open?.close();
  }

  private async look(): Promise<void> {
    const connection = this.connectionOf();
    const pools = await discoverPools(connection);
    const names = pools.join(' ');
    if (names === this.known) return;
    const before = this.open;
    this.open = openBoardQueues(connection, pools);
    this.known = names;
    this.show(this.open.queues);
    await before?.close();
  }
}
