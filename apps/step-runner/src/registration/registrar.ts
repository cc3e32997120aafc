/**
 * Keeps the runner registered with the scheduler: a heartbeat every third of the lifetime that the scheduler grants.
 *
 * Invariant: a scheduler that is away is waited for; its coming back is noticed by the connection, not by asking again and again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connectivityState } from '@grpc/grpc-js';
import { type executor, registry } from '@weft/contracts';
import { type CallOptions, callUnary, createClient, type Logger, type ServiceTls } from '@weft/platform';

/** A call that hangs is given up, so that a scheduler that moved behind the same address is found again. */
const CALL_DEADLINE_MS = 30_000;
const RETRY_MS = 1000;
/** What a runner that closes waits for the scheduler. */
const FAREWELL_MS = 2000;

export interface RegistrarOptions {
  schedulerAddress: string;
  secret?: string;
  tls?: ServiceTls;
  /** Where the scheduler reaches this runner. */
  address: string;
  runnerId: string;
  describe: () => Promise<executor.DescribeResponse>;
  /** Attempts that nobody follows. */
  unattended: () => registry.Attempt[];
  /** Nobody will ask for it any more. */
  release: (attempt: registry.Attempt) => Promise<void>;
  log: Logger;
}

export class Registrar {
  private readonly client: registry.RunnerRegistryClient;
  private readonly stop = new AbortController();
  private readonly loop: Promise<void>;
  /** As far as is known; true also where that is open. */
  private registered = false;

  constructor(private readonly options: RegistrarOptions) {
    this.client = createClient(registry.RunnerRegistryClient, options.schedulerAddress, options.secret, options.tls);
    this.loop = this.run();
  }

  /** Tells the scheduler, where it can be reached, that this runner takes no more tasks. The registration lapses or is taken back by `close`. */
  async drain(): Promise<void> {
    this.stop.abort();
    await this.loop;
    if (!this.registered) return;
    await this.call({ deadlineMs: FAREWELL_MS }, true).catch((error: unknown) =>
      this.options.log.warn({ err: error }, 'could not tell the scheduler that this runner takes no more tasks'),
    );
  }

  /** Deregisters where the scheduler can be reached, and goes. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.loop;
    if (this.registered) {
      const request = { runnerId: this.options.runnerId };
      await callUnary(this.client, this.client.deregister, request, { deadlineMs: FAREWELL_MS }).catch((error: unknown) =>
        this.options.log.warn({ err: error }, 'could not deregister; the registration lapses by itself'),
      );
    }
    this.client.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      const pauseMs = await this.register().catch((error: unknown) => {
        if (!signal.aborted) this.options.log.warn({ err: error }, 'could not register with the scheduler');
        // The scheduler may have heard what we did not wait to be answered.
        else this.registered ||= this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
        return RETRY_MS;
      });
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Milliseconds until the next heartbeat. */
  private async register(): Promise<number> {
    const { signal } = this.stop;
    const ttlMs = await this.call({ signal, deadlineMs: CALL_DEADLINE_MS, waitForReady: true }, false);
    if (!this.registered) this.options.log.info({ scheduler: this.options.schedulerAddress, ttlMs }, 'registered');
    this.registered = true;
    return Math.max(100, Math.floor(ttlMs / 3));
  }

  private async call(options: CallOptions, draining: boolean): Promise<number> {
    const { address, describe, unattended } = this.options;
    const request = { address, description: await describe(), draining, unattended: unattended() };
    const { ttlMs, unwanted } = await callUnary(this.client, this.client.register, request, options);
    for (const attempt of unwanted) this.release(attempt);
    return ttlMs;
  }

  private release(attempt: registry.Attempt): void {
    const { log, release } = this.options;
    log.info(attempt, 'nobody wants this attempt any more: it is released');
    release(attempt).catch((error: unknown) => log.warn({ err: error, ...attempt }, 'an attempt that nobody wants was not released'));
  }
}
