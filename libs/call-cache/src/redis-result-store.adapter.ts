/**
 * Results, claims and kept folders on Redis: one script and one round trip per call; a second connection as soon as somebody waits.
 *
 * Commands wait while Redis is away and are sent again after a reconnect; a script that ran twice has done what it would have done once.
 */
import { defineScript, RedisLink, type RedisLinkOptions, type RunScript } from '@weft/run-store';
import type { Redis } from 'ioredis';
import { CLAIM_MS } from './claims.js';
import { BUCKETS, bucketOf, createKeys, type Keys, taskFolder } from './keys.js';
import type { KeptFolder, KeptFolderIndex, Lookup, News, ResultStore, StoredResult } from './ports.js';
import { decodeResult, encodeResult } from './result-codec.js';
import { moveScript, noteTaskScript, oldestScript, removedScript } from './scripts/kept-folders.lua.js';
import { giveBackScript, lookScript, putScript, renewScript } from './scripts/results.lua.js';

export interface RedisResultStoreOptions extends RedisLinkOptions {
  /** How long a result lasts after its last use, milliseconds. */
  ttlMs: number;
  /** Default `weft:`. Must not have braces. */
  keyPrefix?: string;
}

export interface RedisResultStore extends ResultStore, KeptFolderIndex {
  close(): Promise<void>;
}

export function createRedisResultStore(options: RedisResultStoreOptions): RedisResultStore {
  return new Store(options);
}

class Store implements RedisResultStore {
  private readonly link: RedisLink;
  private readonly redis: Redis;
  private readonly keys: Keys;
  private readonly scripts: Record<'look' | 'put' | 'giveBack' | 'renewClaim' | 'noteTask' | 'move' | 'oldest' | 'removed', RunScript>;

  constructor(private readonly options: RedisResultStoreOptions) {
    this.keys = createKeys(options.keyPrefix ?? 'weft:');
    this.link = new RedisLink(options);
    this.redis = this.link.commands;
    this.scripts = {
      look: defineScript(this.redis, lookScript),
      put: defineScript(this.redis, putScript),
      giveBack: defineScript(this.redis, giveBackScript),
      renewClaim: defineScript(this.redis, renewScript),
      noteTask: defineScript(this.redis, noteTaskScript),
      move: defineScript(this.redis, moveScript),
      oldest: defineScript(this.redis, oldestScript),
      removed: defineScript(this.redis, removedScript),
    };
  }

  look(key: string, holder = ''): Promise<Lookup> {
    return this.lookWithout(key, '', holder);
  }

  async lookWithout(key: string, folder: string, holder = ''): Promise<Lookup> {
    const answer = (await this.scripts.look(this.resultKeys(key), [holder, CLAIM_MS, this.options.ttlMs, folder])) as [
      string,
      ...unknown[],
    ];
    switch (answer[0]) {
      case 'found':
        return { state: 'found', result: decodeResult(String(answer[1])) };
      case 'held':
        // Negative: it lapsed within this very millisecond.
        return { state: 'held', lapsesMs: Math.max(0, Number(answer[1])) };
      case 'claimed':
        return { state: 'claimed' };
      default:
        return { state: 'unknown' };
    }
  }

  async put(key: string, result: StoredResult, holder: string): Promise<void> {
    const { ttlMs } = this.options;
    const task = taskFolder(result.folder);
    const storing: Promise<unknown>[] = [];
    if (task !== undefined) {
      // First: a folder that nobody finds a result for may be removed, and the result with it.
      storing.push(this.scripts.noteTask([this.keys.run(task.runId)], [task.name, key, ttlMs]));
    }
    storing.push(this.scripts.put(this.resultKeys(key), [encodeResult(result), ttlMs, holder, this.keys.news(key)]));
    await Promise.all(storing);
  }

  async giveBack(key: string, holder: string, news: News): Promise<void> {
    await this.scripts.giveBack([this.keys.claim(key)], [holder, this.keys.news(key), news]);
  }

  async renew(claims: { key: string; holder: string }[]): Promise<void> {
    await Promise.all(claims.map(({ key, holder }) => this.scripts.renewClaim([this.keys.claim(key)], [holder, CLAIM_MS])));
  }

  subscribe(key: string, onNews: (news: News) => void): Promise<() => Promise<void>> {
    return this.link.subscriptions.subscribe(this.keys.news(key), {
      what: 'news of a result',
      onMessage: (message) => onNews(message === 'failed' ? 'failed' : 'look'),
      onReset: () => onNews('look'),
      onClose: () => onNews('look'),
    });
  }

  async keysOf(folders: string[]): Promise<(string | undefined)[]> {
    const byRun = new Map<string, { name: string; at: number }[]>();
    for (const [at, folder] of folders.entries()) {
      const task = taskFolder(folder);
      if (task === undefined) continue;
      const { runId, name } = task;
      byRun.set(runId, [...(byRun.get(runId) ?? []), { name, at }]);
    }
    const found = new Array<string | undefined>(folders.length).fill(undefined);
    await Promise.all(
      [...byRun].map(async ([runId, tasks]) => {
        const keys = await this.redis.hmget(this.keys.run(runId), ...tasks.map(({ name }) => name));
        for (const [index, { at }] of tasks.entries()) found[at] = keys[index] ?? undefined;
      }),
    );
    return found;
  }

  async move(key: string, from: string, to: string): Promise<boolean> {
    return (await this.scripts.move(this.keptKeys(key), [from, to])) === 1;
  }

  async surplus({ unusedSinceMs, maxBytes }: { unusedSinceMs: number; maxBytes: number }, count: number): Promise<KeptFolder[]> {
    const buckets = await Promise.all(BUCKETS.map((bucket) => this.oldest(bucket, count)));
    let bytes = buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
    const oldest = buckets.flatMap(({ folders }) => folders).sort((a, b) => a.usedMs - b.usedMs);
    const surplus: KeptFolder[] = [];
    for (const { folder, usedMs, bytes: own } of oldest.slice(0, count)) {
      if (usedMs >= unusedSinceMs && bytes <= maxBytes) break;
      bytes -= own;
      surplus.push({ key: folder.split(/[/.]/)[1] ?? '', folder, bytes: own });
    }
    return surplus;
  }

  async removed({ key, folder }: Pick<KeptFolder, 'key' | 'folder'>): Promise<void> {
    await this.scripts.removed(this.keptKeys(key), [folder]);
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private async oldest(
    bucket: string,
    count: number,
  ): Promise<{ bytes: number; folders: { folder: string; usedMs: number; bytes: number }[] }> {
    const answer = await this.scripts.oldest([this.keys.kept(bucket), this.keys.keptBytes(bucket)], [count]);
    const [bytes, listed] = answer as [string, string[]];
    const folders = [];
    for (let i = 0; i + 2 < listed.length; i += 3)
      folders.push({ folder: listed[i] ?? '', usedMs: Number(listed[i + 1]), bytes: Number(listed[i + 2]) });
    return { bytes: Number(bytes), folders };
  }

  private resultKeys(key: string): string[] {
    return [this.keys.result(key), this.keys.claim(key), this.keys.kept(bucketOf(key))];
  }

  private keptKeys(key: string): string[] {
    const bucket = bucketOf(key);
    return [this.keys.result(key), this.keys.kept(bucket), this.keys.keptBytes(bucket)];
  }
}
