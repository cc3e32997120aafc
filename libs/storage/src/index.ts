export type {
  OpenOptions,
  PublishOptions,
  Storage,
  StorageErrorCode,
  StorageReader,
  StorageWriter,
  StoredEntry,
  StoredStat,
} from './ports.js';
export { StorageError } from './ports.js';
export { fileUriToPath, isFileUri, pathToFileUri } from './file-uri.js';
export { decodeDataUri, isDataUri } from './data-uri.js';
export { LocalStorage } from './local-storage.adapter.js';
export type { LocalStorageOptions } from './local-storage.adapter.js';
export { publishFile } from './publish.js';
export { removeTree } from './remove-tree.js';
export { Trash } from './trash.js';
export { systemErrorCode } from './system-error.js';
