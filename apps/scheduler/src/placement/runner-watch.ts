/**
 * Keeps the runner pool up to date with the registry, and begins to take jobs of a pool when its first runner appears.
 * A registration that lapses tells nobody, so the list is also read when one may have lapsed.
 */
import type { Logger } from '@weft/platform';
import type { RunnerRegistry } from '@weft/registry';
import type { RunnerPool } from './runner-pool.js';

export interface RunnerWatchDeps {
  registry: RunnerRegistry;
  pool: RunnerPool;
  /** Begins to take jobs of a pool; called once per pool. */
  consume(pool: string): Promise<void>;
  /** How long a registration lasts. */
  ttlMs: number;
  logger: Logger;
}

export class RunnerWatch {
  private readonly consumed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private stop: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly deps: RunnerWatchDeps) {}

  /** @param pools taken from the start, runners or not */
  async start(pools: string[]): Promise<void> {
    this.stop = await this.deps.registry.watch(() => this.refreshSoon());
    this.timer = setInterval(() => this.refreshSoon(), this.deps.ttlMs / 3).unref();
    await Promise.all([this.refresh(), ...pools.map((pool) => this.consume(pool))]);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.stop();
  }

  private refreshSoon(): void {
    this.refresh().catch((error: unknown) => this.deps.logger.error({ err: error }, 'runners not listed'));
  }

  private async refresh(): Promise<void> {
    this.deps.pool.update(await this.deps.registry.list());
    await Promise.all(this.deps.pool.pools().map((pool) => this.consume(pool)));
  }

  private async consume(pool: string): Promise<void> {
    if (this.consumed.has(pool)) return;
    this.consumed.add(pool);
    try {
      await this.deps.consume(pool);
    } catch (error) {
      this.consumed.delete(pool);
      throw error;
    }
  }
}
