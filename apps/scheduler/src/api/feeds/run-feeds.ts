/**
 * Where watchers get a run's events from: one feed per run and replica, shared by all who keep up. The run's owner feeds it from its own
 * state; elsewhere, and for runs that have ended, one replay of the log does.
 *
 * Invariants:
 *  1. A watcher gets every entry from the one it asks for on, once and in order, whichever feeds it comes from.
 *  2. Who begins late or falls behind replays the log for itself, and only until the shared feed has what it needs next.
 *  3. When the owner's actor stops before the run's end (another replica has the run, the log was cut back), its watchers go on from the log.
 */
import { isFinal, type RunHeader, type RunReader } from '@weft/run-store';
import type { PlanCache } from '../../plans/plan-cache.js';
import type { OwnedRun } from '../../runs/owned-run.js';
import { type Batch, RunFeed } from './run-feed.js';
import type { RunMemory } from '../../runs/memory/run-memory.js';
import { RunProjection } from './run-projection.js';
import { RunTeller } from './run-teller.js';

export interface RunFeedsDeps {
  reader: Pick<RunReader, 'follow'>;
  plans: Pick<PlanCache, 'get'>;
  memory: Pick<RunMemory, 'begin'>;
  actorOf(runId: string): OwnedRun | undefined;
  /** Batches that a feed holds; absent: enough. */
  kept?: number;
}

interface Source {
  feed: RunFeed;
  watchers: number;
  /** Nobody needs it any more. */
  stop(): undefined;
}

export class RunFeeds {
  private readonly shared = new Map<string, Source>();

  constructor(private readonly deps: RunFeedsDeps) {}

  /** The run's entries from `first` on, until its end. */
  async *watch(header: RunHeader, first: number, signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    let next = first;
    let shared = this.join(header);
    let own: Source | undefined;
    try {
      while (!signal.aborted) {
        if (shared.feed.end === 'lost' && !shared.feed.take(next)) {
          this.leave(header.runId, shared);
          shared = this.join(header);
        }
        if (own && shared.feed.has(next)) own = own.stop();
        const { feed } = own ?? shared;
        const batch = feed.take(next);
        if (batch) {
          next += 1;
          yield batch;
        } else if (next <= feed.position) {
          own = this.fromLog(header);
        } else if (feed.end === 'over') {
          return;
        } else if (typeof feed.end === 'object') {
          throw feed.end.error;
        } else {
          await feed.wait(signal);
        }
      }
    } finally {
      own?.stop();
      this.leave(header.runId, shared);
    }
  }

  private join(header: RunHeader): Source {
    const { runId } = header;
    const known = this.shared.get(runId);
    if (known && known.feed.end === undefined) {
      known.watchers += 1;
      return known;
    }
    const actor = isFinal(header.state) ? undefined : this.ownerOf(runId);
    const source = actor ? this.fromActor(header, actor) : this.fromLog(header, (at) => (this.ownerOf(runId)?.sequence ?? Infinity) <= at);
    this.shared.set(runId, source);
    return source;
  }

  private leave(runId: string, source: Source): void {
    source.watchers -= 1;
    if (source.watchers > 0) return;
    source.stop();
    if (this.shared.get(runId) === source) this.shared.delete(runId);
  }

  private ownerOf(runId: string): OwnedRun | undefined {
    const actor = this.deps.actorOf(runId);
    return actor?.isStopped ? undefined : actor;
  }

  private fromActor(header: RunHeader, actor: OwnedRun): Source {
    const feed = new RunFeed(actor.sequence, this.deps.kept);
    const teller = new RunTeller(header, actor.state);
    let ended = false;
    const stop = actor.listen({
      applied: (entry) => {
        ended = entry.type === 'RunEnded';
        feed.push({ sequence: entry.sequence, type: entry.type, events: teller.tell(entry) });
      },
      stopped: () => feed.close(ended ? 'over' : 'lost'),
    });
    return source(feed, stop);
  }

  /** @param hasOwner whether the run's owner, who has come here meanwhile, can go on after this entry */
  private fromLog(header: RunHeader, hasOwner = (_sequence: number): boolean => false): Source {
    const feed = new RunFeed(0, this.deps.kept);
    const reading = new AbortController();
    const read = async (): Promise<void> => {
      const projection = new RunProjection(header, await this.deps.plans.get(header.planHash), this.deps.memory);
      try {
        for await (const entry of this.deps.reader.follow(header.runId, 0, reading.signal)) {
          feed.push({ sequence: entry.sequence, type: entry.event.type, events: projection.tell(entry) });
          if (hasOwner(entry.sequence)) return feed.close('lost');
          await feed.wanted();
        }
        feed.close('over');
      } finally {
        projection.close();
      }
    };
    read().catch((error: unknown) => feed.close({ error }));
    return source(feed, () => reading.abort());
  }
}

function source(feed: RunFeed, release: () => void): Source {
  const stop = (): undefined => {
    feed.close('lost');
    release();
  };
  return { feed, watchers: 1, stop };
}
