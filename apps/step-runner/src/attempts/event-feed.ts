/**
 * The events of one attempt, handed to whoever watches it.
 *
 * Invariants:
 *  1. A watcher gets every event that is published after it joined, in order, and nothing after `finished`.
 *  2. Who publishes what can wait looks first whether a watcher has more than HIGH_WATER bytes waiting; without a watcher it goes nowhere.
 *  3. A watcher that leaves holds nobody up.
 */
import type { executor } from '@weft/contracts';

type TaskEvent = executor.TaskEvent;

const HIGH_WATER = 256 * 1024;

export class EventFeed {
  private readonly watchers = new Set<Watcher>();
  private leftAt = performance.now();

  /** Milliseconds for which nobody has watched; 0 where somebody does. */
  get unwatchedMs(): number {
    return this.watchers.size > 0 ? 0 : performance.now() - this.leftAt;
  }

  /** @param onUnwatched told when the last watcher has left */
  constructor(private readonly onUnwatched: () => void = () => undefined) {}

  publish(event: TaskEvent): void {
    for (const watcher of this.watchers) watcher.push(event);
  }

  /** Whether a watcher has not taken what it was given. */
  get congested(): boolean {
    for (const watcher of this.watchers) if (watcher.waiting > HIGH_WATER) return true;
    return false;
  }

  /** Joins at once; `past` comes first. The iteration ends after `finished` or when `signal` aborts. */
  watch(past: TaskEvent[], signal: AbortSignal): AsyncIterable<TaskEvent> {
    const watcher = new Watcher();
    for (const event of past) watcher.push(event);
    this.watchers.add(watcher);
    return this.iterate(watcher, signal);
  }

  private async *iterate(watcher: Watcher, signal: AbortSignal): AsyncGenerator<TaskEvent, void, undefined> {
    const leave = (): void => watcher.wake();
    signal.addEventListener('abort', leave);
    try {
      while (!signal.aborted) {
        const event = watcher.take();
        if (event === undefined) await watcher.more();
        else {
          yield event;
          if (event.event?.$case === 'finished') return;
        }
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.watchers.delete(watcher);
      this.leftAt = performance.now();
      watcher.leave();
      if (this.watchers.size === 0) this.onUnwatched();
    }
  }
}

class Watcher {
  private queue: TaskEvent[] = [];
  private wakeUp: (() => void) | undefined;
  /** Bytes of logs in its queue. */
  waiting = 0;

  push(event: TaskEvent): void {
    this.queue.push(event);
    this.waiting += logBytes(event);
    this.wake();
  }

  take(): TaskEvent | undefined {
    const next = this.queue.shift();
    if (next !== undefined) this.waiting -= logBytes(next);
    return next;
  }

  more(): Promise<void> {
    return new Promise((resolve) => (this.wakeUp = resolve));
  }

  wake(): void {
    this.wakeUp?.();
    this.wakeUp = undefined;
  }

  leave(): void {
    this.queue = [];
    this.waiting = 0;
  }
}

function logBytes({ event }: TaskEvent): number {
  return event?.$case === 'log' ? event.value.data.length : 0;
}

export function eventOf(event: NonNullable<executor.TaskEvent['event']>): executor.TaskEvent {
  return { at: new Date(), event };
}
