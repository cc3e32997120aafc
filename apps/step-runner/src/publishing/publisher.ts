/**
 * Where results go: a directory of this host, by link; or another storage, by upload, with a copy kept in the input cache so that the next
 * task on this host need not fetch it.
 *
 * Invariant: what is published can be written by nobody who could write to it before: a file that has other names, or that something may
 * still have open, is copied.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { encodePath, openBeneath, type OpenEntry, pathToFileUri, publishSettled, type StorageRouter } from '@weft/storage';
import type { InputCache } from '../inputs/input-cache.js';
import { sha1OfFile } from './sha1-file.js';

export interface Published {
  uri: string;
  /** Where the bytes that were published lie on this host. */
  hostPath: string;
  /** Of them, where it is known already. */
  sha1?: string;
}

export interface Publisher {
  /** Files that are published together. */
  readonly atOnce: number;
  /**
   * Both answer with the URI. @param path below the task's working directory: '' or begins with '/'. @param name by which others may have it open
   * @throws the system's error, StorageError
   */
  directory(path: string, empty: boolean): Promise<string>;
  file(path: string, file: OpenEntry, name: string): Promise<Published>;
}

/** Publishes a file once, however often it is asked to: what has been told of it stays true. */
export class OncePublisher implements Publisher {
  readonly atOnce: number;

  /** @param done of earlier requests for the same attempt, by where it was published */
  constructor(
    private readonly publisher: Publisher,
    private readonly prefix: string,
    private readonly done: Map<string, Published>,
  ) {
    this.atOnce = publisher.atOnce;
  }

  directory(path: string, empty: boolean): Promise<string> {
    return this.publisher.directory(path, empty);
  }

  async file(path: string, file: OpenEntry, name: string): Promise<Published> {
    const key = this.prefix + path;
    const known = this.done.get(key);
    if (known !== undefined) return known;
    const published = await this.publisher.file(path, file, name);
    this.done.set(key, published);
    return published;
  }
}

export class LocalPublisher implements Publisher {
  readonly atOnce = 1;
  /** Inode → names that it was published under. */
  private readonly links = new Map<string, number>();

  /** @param held files that something may still have open */
  constructor(
    private readonly root: string,
    private readonly fsync: boolean,
    private readonly held: ReadonlySet<string>,
  ) {}

  directory(path: string): Promise<string> {
    const to = join(this.root, path);
    mkdirSync(to, { recursive: true });
    return Promise.resolve(pathToFileUri(to));
  }

  async file(path: string, file: OpenEntry, name: string): Promise<Published> {
    const to = join(this.root, path);
    const inode = `${file.stats.dev} ${file.stats.ino}`;
    const ownLinks = this.links.get(inode) ?? 0;
    await publishSettled(file, to, { fsync: this.fsync, closed: !this.held.has(name), ownLinks });
    if (inodeOf(to) === inode) this.links.set(inode, ownLinks + 1);
    return { uri: pathToFileUri(to), hostPath: to };
  }
}

function inodeOf(path: string): string {
  const { dev, ino } = lstatSync(path);
  return `${dev} ${ino}`;
}

export class RemotePublisher implements Publisher {
  readonly atOnce = 6;

  /** @param prefix URI without '/' at its end */
  constructor(
    private readonly prefix: string,
    private readonly storage: StorageRouter,
    private readonly cache: InputCache,
    private readonly onProblem: (text: string, error: unknown) => void,
    /** Aborts when nobody wants what is published any more. */
    private readonly signal: AbortSignal,
    private readonly sandbox: { root: string; held: ReadonlySet<string> },
  ) {}

  async directory(path: string, empty: boolean): Promise<string> {
    const uri = this.prefix + encodePath(path);
    if (empty) await this.storage.writeText(`${uri}/`, '');
    return uri;
  }

  async file(path: string, found: OpenEntry, name: string): Promise<Published> {
    const uri = this.prefix + encodePath(path);
    const { file, hostPath } = await this.settled(found, name);
    try {
      const version = await this.storage.publish(file.handlePath, uri, { signal: this.signal });
      const sha1 = await sha1OfFile(file.handlePath);
      try {
        this.cache.keep(file.path, { uri, version, sha1 }, basename(path));
      } catch (error) {
        // It is safe where it was published; it only has to come back from there.
        this.onProblem(`cannot keep ${uri} in the input cache`, error);
      }
      return { uri, hostPath: hostPath ?? name, sha1 };
    } finally {
      if (file !== found) file.close();
    }
  }

  /** The file, or a copy that nobody else knows: what is uploaded, hashed and kept must be the same bytes. */
  private async settled(found: OpenEntry, name: string): Promise<{ file: OpenEntry; hostPath?: string }> {
    if (!this.sandbox.held.has(name) && found.stats.nlink === 1) return { file: found };
    const copy = join(this.sandbox.root, 'publishing', randomBytes(9).toString('hex'));
    await publishSettled(found, copy, { closed: false, ownLinks: 0 });
    return { file: openBeneath(copy, ''), hostPath: copy };
  }
}
