/**
 * Files and directories by URI. This adapter serves file: URIs (and data: for reading); others join behind the same ports.
 */
import type { Readable } from 'node:stream';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly code: 'NOT_FOUND' | 'ACCESS' | 'UNSUPPORTED' | 'TOO_LARGE' | 'IO',
    message: string,
    readonly uri: string,
  ) {
    super(message);
  }
}

export interface StoredEntry {
  name: string;
  uri: string;
  kind: 'file' | 'directory';
  size: number;
}

export interface StorageReader {
  stat(uri: string): Promise<{ kind: 'file' | 'directory'; size: number }>;
  readText(uri: string, limit: number): Promise<string>;
  list(uri: string): Promise<StoredEntry[]>;
  open(uri: string): Promise<Readable>;
}

export interface StorageWriter {
  /** Removes everything below a prefix. */
  removeTree(uri: string): Promise<void>;
}
