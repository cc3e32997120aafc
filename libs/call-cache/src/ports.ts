/**
 * Ports of the call cache: the store of results and claims, and what others may ask of the cache.
 *
 * A key (64 hex digits) stands for everything that decides a task's outputs. A claim on a key says who works on it now.
 *
 * Invariants:
 *  1. Only successful results are stored, and only for the project whose task they are of: the project is part of the key.
 *  2. One claim per key at a time; it lapses unless it is renewed, so that a holder that died holds nobody up for long.
 *  3. A result is a promise about files that others may touch: whoever takes one checks them (see `stored-results.ts`).
 */
import type { CwlObject } from '@weft/plan';

export interface StoredFile {
  /** Below the result's folder, percent-encoded as in the file's URI. */
  path: string;
  /** As storage gave it when the result was stored. */
  version: string;
  size: number;
}

export interface StoredResult {
  /** Where the files lie: below the data URI, ends in '/'. */
  folder: string;
  /** Output object; locations as `result-locations.ts` writes them, independent of where the files lie. */
  outputs: CwlObject;
  files: StoredFile[];
  exitCode: number;
}

export type Lookup =
  | { state: 'found'; result: StoredResult }
  /** Nobody works on it: the asker does now. */
  | { state: 'claimed' }
  /** Somebody works on it; their claim lapses after `lapsesMs` unless they renew it. */
  | { state: 'held'; lapsesMs: number }
  /** Not known, and no claim was asked for. */
  | { state: 'unknown' };

/** What those who wait for a claimed key hear: look again; or, after 'failed', do it yourself. */
export type News = 'look' | 'failed';

export interface ResultStore {
  /** One round trip. Where nothing is known and `holder` is given, claims the key for it; a holder's own claim is claimed again. */
  look(key: string, holder?: string): Promise<Lookup>;
  /** As `look`, after the result in `folder` turned out to be gone or changed: it is forgotten, unless another took its place. */
  lookWithout(key: string, folder: string, holder?: string): Promise<Lookup>;
  /** Takes the place of an earlier result, gives the holder's claim back and tells those who wait. */
  put(key: string, result: StoredResult, holder: string): Promise<void>;
  /** Gives a claim back. 'failed': the others are to execute themselves; 'look': the first of them takes over. */
  giveBack(key: string, holder: string, news: News): Promise<void>;
  /** Renews claims that nobody else has taken. */
  renew(claims: { key: string; holder: string }[]): Promise<void>;
  /** Resolves when nothing more is missed; `onNews('look')` also when something may have been missed. */
  subscribe(key: string, onNews: (news: News) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A folder of the cache's own: files whose first owner has no use for them any more. */
export interface KeptFolder {
  key: string;
  /** Below the data URI, ends in '/'. */
  folder: string;
  bytes: number;
}

export interface KeptFolderIndex {
  /** Keys of the results whose files were published in these folders (below the data URI), as far as there are any. */
  keysOf(folders: string[]): Promise<(string | undefined)[]>;
  /** The result's files are in `to` from now on. False: `from` is not (any more) where the result of that key lies. */
  move(key: string, from: string, to: string): Promise<boolean>;
  /** Kept folders to remove, at most `count`: whose result is gone, or unused since, or, oldest use first, beyond `maxBytes` in sum. */
  surplus(limits: { unusedSinceMs: number; maxBytes: number }, count: number): Promise<KeptFolder[]>;
  /** The folder is gone, and with it the result that lay there. */
  removed(kept: Pick<KeptFolder, 'key' | 'folder'>): Promise<void>;
}

/** For whoever removes what tasks published, when no step needs it any more. */
export interface RetiredFolders {
  /**
   * Hands over folders of tasks (URIs, end in '/'). Those that hold a stored result are moved below `<dataUri>cache/`, so that the result
   * can be used again; the others come back: they are the caller's to delete. Repeating the call is harmless.
   * Not for a run that a user deletes: its files are to be gone, and the cache notices.
   */
  retire(folderUris: readonly string[]): Promise<string[]>;
}
