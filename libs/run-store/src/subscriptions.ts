/**
 * One subscriber connection for everything a process listens to, however many channels and listeners there are.
 *
 * Invariants:
 *  1. subscribe() resolves only when Redis has acknowledged: what is published afterwards is heard.
 *  2. After a reconnect every channel is subscribed again before `onReset` says that messages may have been missed.
 *  3. Whatever anybody says on a channel, and whatever a listener makes of it, ends nothing: what is too long or none of ours is dropped, and
 *     told of once for each kind of message.
 */
import type { Redis } from 'ioredis';
import { ForeignMessageError } from './errors.js';

export interface Listener {
  /** What its messages are, for whoever is told of one that is none: "a nudge". */
  readonly what: string;
  /** Longest message, characters; absent: `MESSAGE_LIMIT`. */
  readonly limit?: number;
  /** @throws ForeignMessageError where it is none of ours */
  onMessage(message: string): void;
  /** Messages may have been missed. */
  onReset(): void;
  /** The store was closed; nothing comes any more. */
  onClose(): void;
}

/** Ours are shorter by far, unless their listener says otherwise. */
const MESSAGE_LIMIT = 65_536;

interface Channel {
  listeners: Set<Listener>;
  acknowledged: Promise<unknown>;
}

export class Subscriptions {
  private readonly channels = new Map<string, Channel>();
  /** Kinds of messages of which one was dropped. */
  private readonly told = new Set<string>();
  private connectedOnce = false;
  private closed = false;

  /**
   * `redis` must not resubscribe by itself (`autoResubscribe: false`), or nobody knew when it has.
   * @param onError told of what was dropped
   */
  constructor(
    private readonly redis: Redis,
    private readonly onError: (error: Error) => void,
  ) {
    redis.on('message', (channel: string, message: string) => {
      for (const listener of [...(this.channels.get(channel)?.listeners ?? [])]) this.hand(channel, message, listener);
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

  private hand(channel: string, message: string, listener: Listener): void {
    const { what, limit = MESSAGE_LIMIT } = listener;
    try {
      if (message.length > limit) throw new ForeignMessageError(`${message.length} characters are too many`);
      listener.onMessage(message);
    } catch (error) {
      if (!(error instanceof ForeignMessageError)) return this.onError(error as Error);
      if (this.told.has(what)) return;
      this.told.add(what);
      const text = `a message on channel ${channel} is not ${what} and was dropped, as further ones will be without a word: ${error.message}`;
      this.onError(new ForeignMessageError(`${text}: ${JSON.stringify(message.slice(0, SHOWN))}`));
    }
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

/** Of a message that was dropped, characters. */
const SHOWN = 80;
