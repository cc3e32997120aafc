/**
 * The index of runs by submission: one lexicographic sorted set per month, for all runs and per project.
 *
 * Invariants: an entry is a position (page-token.ts), so its place follows from the run alone; adding twice adds once. An entry may name a run
 * that does not exist (a crash between indexing and creating, or between removing and unindexing); readers skip it.
 */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import { monthAt, positionOf } from './page-token.js';
import type { RunHeader } from './ports.js';

type Indexed = Pick<RunHeader, 'runId' | 'projectId' | 'submittedAtMs'>;

export class RedisRunIndex {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  async add(run: Indexed): Promise<void> {
    const position = positionOf(run);
    const month = monthAt(position);
    const scopes = [undefined, run.projectId];
    await Promise.all(
      scopes.flatMap((scope) => [
        this.redis.zadd(this.keys.index(scope, month), 0, position),
        this.redis.zadd(this.keys.months(scope), Number(month), month),
      ]),
    );
  }

  async remove(run: Indexed): Promise<void> {
    const position = positionOf(run);
    const month = monthAt(position);
    await Promise.all([undefined, run.projectId].map((scope) => this.redis.zrem(this.keys.index(scope, month), position)));
  }

  /** Positions from newest to oldest, `batch` at a time, those after `after` only. */
  async *newestFirst(projectId: string | undefined, after: string | undefined, batch: number): AsyncGenerator<string[], void, undefined> {
    const newest = after === undefined ? '+inf' : monthAt(after);
    const months = await this.redis.zrevrangebyscore(this.keys.months(projectId), newest, '-inf');
    let end = after === undefined ? '+' : `(${after}`;
    for (const month of months) {
      for (;;) {
        const positions = await this.redis.zrevrangebylex(this.keys.index(projectId, month), end, '-', 'LIMIT', 0, batch);
        const last = positions.at(-1);
        if (last === undefined) break;
        yield positions;
        end = `(${last}`;
        if (positions.length < batch) break;
      }
    }
  }
}
