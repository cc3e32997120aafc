/**
 * One subscriber connection for everything a process listens to, however many channels and listeners there are.
 *
 * Invariants:
 *  1. subscribe() resolves only when Redis has acknowledged: what is published afterwards is heard.
 *  2. After a reconnect every channel is subscribed again before `onReset` says that messages may have been missed.
 */
import type { Redis } from 'ioredis';

export interface Listener {
  onMessage(message: string): void;
  /** Messages may have been missed. */
  onReset(): void;
  /** The store was closed; nothing comes any more. */
  onClose(): void;
}

interface Channel {
  listeners: Set<Listener>;
  acknowledged: Promise<unknown>;
}

export class Subscriptions {
  private readonly channels = new Map<string, Channel>();
  private connectedOnce = false;
  private closed = false;

  /** `redis` must not resubscribe by itself (`autoResubscribe: false`), or nobody knew when it has. */
  constructor(private readonly redis: Redis) {
    redis.on('message', (channel: string, message: string) => {
      for (const listener of this.channels.get(channel)?.listeners ?? []) listener.onMessage(message);
    });
    redis.on('ready', () => this.onReady());
  }

  async subscribe(name: string, listener: Listener): Promise<() => Promise<void>> {
    if (this.closed) throw new Error('the store is closed');
    let channel = this.channels.get(name);
    if (!channel) {
      channel = { listeners: new Set(), acknowledged: this.redis.subscribe(name) };
      this.channels.set(name, channel);
    }
    channel.listeners.add(listener);
    try {
      await channel.acknowledged;
    } catch (error) {
      this.forget(name, listener);
      throw error;
    }
    return async () => {
      if (this.forget(name, listener) && !this.closed) await this.redis.unsubscribe(name);
    };
  }

  close(): void {
    this.closed = true;
    const listeners = this.all();
    this.channels.clear();
    for (const listener of listeners) listener.onClose();
  }

  /** True: that was the channel's last listener. */
  private forget(name: string, listener: Listener): boolean {
    const channel = this.channels.get(name);
    if (!channel?.listeners.delete(listener) || channel.listeners.size > 0) return false;
    this.channels.delete(name);
    return true;
  }

  private onReady(): void {
    const first = !this.connectedOnce;
    this.connectedOnce = true;
    const names = [...this.channels.keys()];
    if (first || names.length === 0) return;
    this.redis.subscribe(...names).then(
      () => this.all().forEach((listener) => listener.onReset()),
      (error: unknown) => {
        // The connection broke again before the answer: the next `ready` starts over. While it stands, a refusal is an error to report.
        if (this.redis.status === 'ready') this.redis.emit('error', error);
      },
    );
  }

  private all(): Listener[] {
    return [...this.channels.values()].flatMap((channel) => [...channel.listeners]);
  }
}
