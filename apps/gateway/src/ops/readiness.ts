/** Whether what the gateway forwards to can be reached: the scheduler, and Redis for the queue board. */
import type { Redis } from 'ioredis';
import { isServiceError, ServiceError } from '@weft/platform';
import type { SchedulerGateway } from '../clients/scheduler.client.js';

/** Milliseconds a dependency may take to answer. */
const PATIENCE_MS = 2000;

/** States of the connection in which a command would only wait for it to come back. */
const DISCONNECTED = ['reconnecting', 'close', 'end'];

export interface ReadinessReport {
  ready: boolean;
  /** By dependency: `ok`, or why it cannot be reached. */
  checks: { scheduler: string; redis: string };
}

export class Readiness {
  constructor(
    private readonly scheduler: SchedulerGateway,
    private readonly redis: Redis,
  ) {}

  async report(): Promise<ReadinessReport> {
    const [scheduler, redis] = await Promise.all([outcome(this.askScheduler()), outcome(this.pingRedis())]);
    return { ready: scheduler === 'ok' && redis === 'ok', checks: { scheduler, redis } };
  }

  private async askScheduler(): Promise<void> {
    await this.scheduler.list({ projectId: '', statuses: [], pageSize: 1, pageToken: '', labels: {} }, PATIENCE_MS);
  }

  private async pingRedis(): Promise<void> {
    const { status } = this.redis;
    if (DISCONNECTED.includes(status)) throw new ServiceError('UNAVAILABLE', `not connected (${status})`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new ServiceError('UNAVAILABLE', `no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    });
    await Promise.race([this.redis.ping(), late]).finally(() => clearTimeout(timer));
  }
}

function outcome(check: Promise<void>): Promise<string> {
  return check.then(
    () => 'ok',
    (error: unknown) =>
      isServiceError(error) ? `${error.code}: ${error.message}` : String(error instanceof Error ? error.message : error),
  );
}
