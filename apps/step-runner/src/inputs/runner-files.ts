/**
 * Where a task's inputs are found on this host, wherever they lie: files where they are, everything else in the input cache.
 *
 * Invariants:
 *  1. What was fetched for an attempt stays in the cache until the attempt is released.
 *  2. An attempt that is taken up again finds the paths it was given, whatever lies at their URIs by now: they are written down in its
 *     sandbox.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageRouter, StoredEntry } from '@weft/storage';
import type { Lease } from './cache-store.js';
import type { InputCache, Wanted } from './input-cache.js';

const FETCHED_FILE = 'fetched.json';

export class RunnerFiles {
  private readonly held = new Map<string, Map<string, Lease>>();

  constructor(
    readonly storage: StorageRouter,
    readonly cache: InputCache,
    /** The real path below which this installation publishes, where that is on this host. */
    readonly publishedRoot: string | undefined,
  ) {}

  /** The host path of a file: URI, checked against the allowed roots. */
  resolve(uri: string): Promise<string> {
    return this.storage.local.resolve(uri);
  }

  /** The real path of a local input, looked at by what it is and, of a directory, by all that it holds. */
  resolveInput(uri: string, kind: 'file' | 'directory'): Promise<string> {
    return this.storage.local.resolveInput(uri, kind);
  }

  list(uri: string): Promise<StoredEntry[]> {
    return this.storage.list(uri);
  }

  /** The host path of a remote file or directory, held for an attempt. */
  async fetch(attempt: string, kind: 'file' | 'directory', wanted: Wanted): Promise<string> {
    const mine = this.held.get(attempt) ?? new Map<string, Lease>();
    this.held.set(attempt, mine);
    const known = mine.get(nameOf(wanted));
    if (known !== undefined) return known.path;
    const lease = kind === 'file' ? await this.cache.file(wanted) : await this.cache.directory(wanted);
    // Asked for twice at the same time, or released meanwhile: one lease is enough, and none is left behind.
    if (mine.has(nameOf(wanted)) || this.held.get(attempt) !== mine) lease.release();
    else mine.set(nameOf(wanted), lease);
    return lease.path;
  }

  /** For a later life of the runner. */
  remember(attempt: string, sandbox: string): void {
    const mine = this.held.get(attempt);
    if (mine === undefined || mine.size === 0) return;
    const paths = Object.fromEntries([...mine].map(([name, { path }]) => [name, path]));
    writeFileSync(join(sandbox, FETCHED_FILE), JSON.stringify(paths));
  }

  /** What an earlier life had fetched for an attempt is held again, where it is still there. */
  reclaim(attempt: string, sandbox: string): void {
    const file = join(sandbox, FETCHED_FILE);
    if (!existsSync(file)) return;
    const mine = new Map<string, Lease>();
    for (const [name, path] of Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)) {
      const lease = this.cache.store.leaseAgain(path);
      if (lease !== undefined) mine.set(name, lease);
    }
    this.held.set(attempt, mine);
  }

  release(attempt: string): void {
    for (const lease of this.held.get(attempt)?.values() ?? []) lease.release();
    this.held.delete(attempt);
  }
}

function nameOf({ uri, name }: Wanted): string {
  return `${uri}\n${name}`;
}
