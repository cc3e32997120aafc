/**
 * Files and directories by URI. Which schemes an adapter serves is its own matter; the router (`create-storage.ts`) picks by scheme.
 *
 * Invariants of every adapter:
 *  1. Every error is a StorageError whose message names the URI.
 *  2. A file that is written, published or copied appears whole or not at all. A tree appears file by file: who needs it whole names it
 *     to others only afterwards. Repeating any of these calls is harmless.
 *  3. A directory's URI may end in '/' or not.
 */
import type { Readable } from 'node:stream';

export type StorageErrorCode = 'NOT_FOUND' | 'ACCESS' | 'UNSUPPORTED' | 'TOO_LARGE' | 'CHANGED' | 'CHECKSUM' | 'IO' | 'FULL';

/**
 * ACCESS: not allowed, by the storage or by our rules. CHANGED: no longer the version that was asked for. CHECKSUM: the bytes are not
 * those that were promised. IO: the storage could not be reached, or broke down; another try may succeed.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    readonly uri: string,
  ) {
    super(message);
  }
}

export interface StoredStat {
  kind: 'file' | 'directory';
  /** Bytes; 0 for a directory. */
  size: number;
  /**
   * Opaque; another one means that the file may have other bytes now. Of a local file any change of its inode gives another one, a further
   * link, too. '' where the storage cannot tell: directories, and http servers that send no validator.
   */
  version: string;
  /**
   * Other bytes may have, or get, the same version: a local file was changed a moment ago, and its file system's clock may not have moved on
   * since; an http server tells no more than a time of modification, or a weak validator. Who takes one version for the same bytes looks here.
   */
  unsure?: true;
}

export interface StoredEntry extends StoredStat {
  name: string;
  uri: string;
}

export interface OpenOptions {
  /** First byte, 0 by default. */
  start?: number;
  /** One past the last byte; the end of the file by default. */
  end?: number;
  /** CHANGED where the file is no longer this version; '' and absent: any. */
  version?: string;
}

export interface StorageReader {
  stat(uri: string): Promise<StoredStat>;
  /** UTF-8. TOO_LARGE where the file has more than `limit` bytes. */
  readText(uri: string, limit: number): Promise<string>;
  /** Sorted by name (code units), without descending. */
  list(uri: string): Promise<StoredEntry[]>;
  /** The stream fails with a StorageError where it breaks before its end. */
  open(uri: string, options?: OpenOptions): Promise<Readable>;
}

export interface PublishOptions {
  /** Flush to disk before returning (file: only; other storages are durable when they answer). */
  fsync?: boolean;
  /** Aborting stops it with IO; what has not appeared by then does not appear. (file: appears at once.) */
  signal?: AbortSignal;
}

export interface StorageWriter {
  /** UTF-8; makes what directories are missing; replaces a file of that name. */
  writeText(uri: string, text: string): Promise<void>;
  /**
   * Puts a host's file, or a directory with everything below it, at `uri`. The storage checks what arrives. On file: by hard link
   * where possible, so the source must not be written to afterwards.
   * @returns the version of a file, as `stat` would; '' where that is not known without asking, and of a directory
   */
  publish(hostPath: string, uri: string, options?: PublishOptions): Promise<string>;
  /** A file or a tree, inside one storage: hard links on file:, copies made by the server on s3:. Merges into a directory that is there. */
  copyTree(from: string, to: string): Promise<void>;
  /** As copyTree; afterwards `from` is gone. NOT_FOUND where it was not there. */
  moveTree(from: string, to: string): Promise<void>;
  /** Removes the file or directory and everything below it; what is not there is not an error. */
  removeTree(uri: string): Promise<void>;
}

export interface Storage extends StorageReader, StorageWriter {}
