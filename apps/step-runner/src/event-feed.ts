/**
 * The events of one attempt, handed to whoever watches it.
 *
 * Invariants:
 *  1. A watcher gets every event that is published after it joined, in order, and nothing after `finished`.
 *  2. Log events are held up while a watcher has more than HIGH_WATER bytes waiting; without a watcher they go nowhere.
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
    for (const watcher of this.watchers) void watcher.push(event, 0);
  }

  /** Resolves, where it does not return at once, when every watcher can take more. */
  publishLog(event: TaskEvent, bytes: number): void | Promise<void> {
    const full: Promise<void>[] = [];
    for (const watcher of this.watchers) {
      const held = watcher.push(event, bytes);
      if (held !== undefined) full.push(held);
    }
    return full.length === 0 ? undefined : Promise.all(full).then(() => undefined);
  }

  /** Joins at once; `past` comes first. The iteration ends after `finished` or when `signal` aborts. */
  watch(past: TaskEvent[], signal: AbortSignal): AsyncIterable<TaskEvent> {
    const watcher = new Watcher();
    for (const event of past) void watcher.push(event, 0);
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
  private queue: { event: TaskEvent; bytes: number }[] = [];
  private waiting = 0;
  private wakeUp: (() => void) | undefined;
  private room: { promise: Promise<void>; resolve: () => void } | undefined;

  push(event: TaskEvent, bytes: number): Promise<void> | undefined {
    this.queue.push({ event, bytes });
    this.waiting += bytes;
    this.wake();
    if (this.waiting <= HIGH_WATER) return undefined;
    if (this.room === undefined) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.room = { promise, resolve };
    }
    return this.room.promise;
  }

  take(): TaskEvent | undefined {
    const next = this.queue.shift();
    if (next === undefined) return undefined;
    this.waiting -= next.bytes;
    if (this.waiting <= HIGH_WATER) this.makeRoom();
    return next.event;
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
    this.makeRoom();
  }

  private makeRoom(): void {
    this.room?.resolve();
    this.room = undefined;
  }
}
