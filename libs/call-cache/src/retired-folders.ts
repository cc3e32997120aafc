/**
 * Files of stored results that outlive what their run needs them for: moved below `<data URI>cache/`, and removed from there, least recently
 * used first, when they are more than the cache may hold.
 *
 * Invariants:
 *  1. What lies below `cache/` is in the index before it is there, and leaves the index after it is gone: a crash leaves nothing unknown.
 *  2. A result whose folder is removed is forgotten with it.
 */
import { type Storage, StorageError } from '@weft/storage';
import type { KeptFolderIndex, RetiredFolders } from './ports.js';

/** Folders looked up in one round trip, or removed before the next look. */
const BATCH = 200;

export interface RetiredFoldersDeps {
  index: KeptFolderIndex;
  storage: Pick<Storage, 'moveTree' | 'removeTree'>;
  /** Ends in '/'. */
  dataUri: string;
  /** Bytes below `cache/` at most. */
  maxBytes: number;
  /** How long a result lasts after its last use, milliseconds. */
  ttlMs: number;
  now(): number;
}

export class ResultFolders implements RetiredFolders {
  constructor(private readonly deps: RetiredFoldersDeps) {}

  async retire(folderUris: readonly string[]): Promise<string[]> {
    const left: string[] = [];
    for (let at = 0; at < folderUris.length; at += BATCH) {
      const batch = folderUris.slice(at, at + BATCH);
      const keys = await this.deps.index.keysOf(batch.map((uri) => this.below(uri)));
      for (const [place, uri] of batch.entries()) {
        const key = keys[place];
        if (key === undefined || !(await this.keep(uri, key))) left.push(uri);
      }
    }
    return left;
  }

  /** Removes what the cache holds beyond its limits, or beyond `keepBytes` where that is less. For the housekeeping of one replica at a time; two do no harm. */
  async sweep(keepBytes = Infinity): Promise<{ removed: number; bytes: number }> {
    const { index, storage, dataUri, ttlMs, now } = this.deps;
    const maxBytes = Math.min(this.deps.maxBytes, keepBytes);
    const swept = { removed: 0, bytes: 0 };
    for (;;) {
      const surplus = await index.surplus({ unusedSinceMs: now() - ttlMs, maxBytes }, BATCH);
      for (const kept of surplus) {
        await storage.removeTree(`${dataUri}${kept.folder}`);
        await index.removed(kept);
        swept.removed += 1;
        swept.bytes += kept.bytes;
      }
      if (surplus.length < BATCH) return swept;
    }
  }

  private async keep(uri: string, key: string): Promise<boolean> {
    const { index, storage, dataUri } = this.deps;
    const from = this.below(uri);
    // One level: what is removed leaves nothing.
    const folder = `cache/${key}.${from.replace(/\/$/, '').split('/').at(-1) ?? ''}/`;
    if (!(await index.move(key, from, folder))) return false;
    try {
      await storage.moveTree(uri, `${dataUri}${folder}`);
      return true;
    } catch (error) {
      if (!(error instanceof StorageError && error.code === 'NOT_FOUND')) throw error;
      await index.removed({ key, folder });
      return false;
    }
  }

  private below(uri: string): string {
    return uri.startsWith(this.deps.dataUri) ? uri.slice(this.deps.dataUri.length) : uri;
  }
}
