/**
 * All storages as one: each URI goes to the adapter of its scheme.
 *
 * Invariant: what a scheme needs is loaded when its first URI is met; until then a process is as small as if there were only files.
 */
import type { Readable } from 'node:stream';
import type { HttpStorageOptions } from './http/http-storage.adapter.js';
import { LocalStorage } from './local-storage.adapter.js';
import {
  type OpenOptions,
  type PublishOptions,
  type Storage,
  StorageError,
  type StorageReader,
  type StoredEntry,
  type StoredStat,
} from './ports.js';
import type { OwnPaths } from './reach.js';
import type { S3StorageOptions } from './s3/s3-storage.adapter.js';
import type { OnTransfer } from './transfers.js';
import { schemeOf } from './uri.js';

export interface StorageOptions {
  /** Absolute directories below which file: URIs may lie; absent: anywhere. */
  allowedRoots?: readonly string[];
  /** Directories and files of the stack, which are no inputs. */
  own?: OwnPaths;
  s3?: Omit<S3StorageOptions, 'onTransfer'>;
  http?: Omit<HttpStorageOptions, 'onTransfer'>;
  onTransfer?: OnTransfer;
}

/** Whether a URI's bytes lie on another host. */
export function isRemoteUri(uri: string): boolean {
  return ['s3', 'http', 'https'].includes(schemeOf(uri));
}

export function createStorage(options: StorageOptions = {}): StorageRouter {
  return new StorageRouter(options);
}

type Closable = { close(): void };

export class StorageRouter implements Storage {
  /** What lies on this host. */
  readonly local: LocalStorage;
  private s3: Promise<Storage & Closable> | undefined;
  private http: Promise<StorageReader & Closable> | undefined;

  constructor(private readonly options: StorageOptions) {
    this.local = new LocalStorage({ allowedRoots: options.allowedRoots, own: options.own });
  }

  async stat(uri: string): Promise<StoredStat> {
    return (await this.reader(uri)).stat(uri);
  }

  async readText(uri: string, limit: number): Promise<string> {
    return (await this.reader(uri)).readText(uri, limit);
  }

  async list(uri: string): Promise<StoredEntry[]> {
    return (await this.reader(uri)).list(uri);
  }

  async open(uri: string, options?: OpenOptions): Promise<Readable> {
    return (await this.reader(uri)).open(uri, options);
  }

  async writeText(uri: string, text: string): Promise<void> {
    return (await this.writer(uri)).writeText(uri, text);
  }

  async publish(hostPath: string, uri: string, options?: PublishOptions): Promise<string> {
    return (await this.writer(uri)).publish(hostPath, uri, options);
  }

  async copyTree(from: string, to: string): Promise<void> {
    return (await this.both(from, to)).copyTree(from, to);
  }

  async moveTree(from: string, to: string): Promise<void> {
    return (await this.both(from, to)).moveTree(from, to);
  }

  async removeTree(uri: string): Promise<void> {
    return (await this.writer(uri)).removeTree(uri);
  }

  /** Lets go of connections. */
  async close(): Promise<void> {
    for (const adapter of await Promise.all([this.s3, this.http])) adapter?.close();
  }

  private reader(uri: string): StorageReader | Promise<StorageReader> {
    switch (schemeOf(uri)) {
      case 'http':
      case 'https':
        return (this.http ??= this.loadHttp());
      default:
        return this.writer(uri);
    }
  }

  private writer(uri: string): Storage | Promise<Storage> {
    switch (schemeOf(uri)) {
      case 'file':
      case 'data':
        return this.local;
      case 's3':
        return (this.s3 ??= this.loadS3());
      case 'http':
      case 'https':
        throw new StorageError('UNSUPPORTED', `${uri} can only be read`, uri);
      default:
        throw new StorageError(
          'UNSUPPORTED',
          `'${uri}' has a scheme that is not served here: file:, data:, s3:, http: and https: are`,
          uri,
        );
    }
  }

  private both(from: string, to: string): Storage | Promise<Storage> {
    if (schemeOf(from) === schemeOf(to)) return this.writer(to);
    throw new StorageError('UNSUPPORTED', `${from} and ${to} lie in different storages`, from);
  }

  private async loadS3(): Promise<Storage & Closable> {
    const { S3Storage } = await import('./s3/s3-storage.adapter.js');
    return new S3Storage({ ...this.options.s3, onTransfer: this.options.onTransfer });
  }

  private async loadHttp(): Promise<StorageReader & Closable> {
    const { HttpStorage } = await import('./http/http-storage.adapter.js');
    return new HttpStorage({ ...this.options.http, onTransfer: this.options.onTransfer });
  }
}
