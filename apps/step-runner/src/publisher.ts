/**
 * Where results go: a directory of this host, by link; or another storage, by upload, with a copy kept in the input cache so that the next
 * task on this host need not fetch it.
 */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { encodePath, pathToFileUri, publishFile, type StorageRouter } from '@weft/storage';
import type { InputCache } from './inputs/input-cache.js';

export interface Publisher {
  /** Files that are published together. */
  readonly atOnce: number;
  /**
   * Both answer with the URI. @param path below the task's working directory: '' or begins with '/'.
   * @throws the system's error, StorageError
   */
  directory(path: string, empty: boolean): Promise<string>;
  file(path: string, hostPath: string, sha1: () => Promise<string>): Promise<string>;
}

export class LocalPublisher implements Publisher {
  readonly atOnce = 1;

  constructor(
    private readonly root: string,
    private readonly fsync: boolean,
  ) {}

  directory(path: string): Promise<string> {
    const to = join(this.root, path);
    mkdirSync(to, { recursive: true });
    return Promise.resolve(pathToFileUri(to));
  }

  async file(path: string, hostPath: string): Promise<string> {
    const to = join(this.root, path);
    await publishFile(hostPath, to, { fsync: this.fsync });
    return pathToFileUri(to);
  }
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
  ) {}

  async directory(path: string, empty: boolean): Promise<string> {
    const uri = this.prefix + encodePath(path);
    if (empty) await this.storage.writeText(`${uri}/`, '');
    return uri;
  }

  async file(path: string, hostPath: string, sha1: () => Promise<string>): Promise<string> {
    const uri = this.prefix + encodePath(path);
    const version = await this.storage.publish(hostPath, uri, { signal: this.signal });
    const hash = await sha1();
    try {
      this.cache.keep(hostPath, { uri, version, sha1: hash }, basename(path));
    } catch (error) {
      // It is safe where it was published; it only has to come back from there.
      this.onProblem(`cannot keep ${uri} in the input cache`, error);
    }
    return uri;
  }
}
