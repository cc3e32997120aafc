/**
 * Whether what the gateway forwards to can be reached: the scheduler (which says whether it reaches its own store), and Redis for the queue board.
 *
 * Invariant: health is asked for, and nothing that is stored is read: no run, however large or broken, makes the gateway unready.
 */
import type { Redis } from 'ioredis';
import { type HealthClient, isServiceError, ServiceError } from '@weft/platform';

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
    private readonly scheduler: Pick<HealthClient, 'check'>,
    private readonly redis: Redis,
  ) {}

  async report(): Promise<ReadinessReport> {
    const [scheduler, redis] = await Promise.all([outcome(this.scheduler.check(PATIENCE_MS)), outcome(this.pingRedis())]);
    return { ready: scheduler === 'ok' && redis === 'ok', checks: { scheduler, redis } };
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
