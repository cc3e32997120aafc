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
export { refusePrivateHost } from './http/address-guard.js';
export { LocalStorage } from './local-storage.adapter.js';
export type { LocalStorageOptions } from './local-storage.adapter.js';
export { isWithin } from './host-paths.js';
export type { OwnPaths } from './reach.js';
export { publishSettled } from './publish.js';
export { natureOf, NotPlainError, openBeneath, OpenDirectory, openDirectoryBeneath, OpenEntry } from './open-directory.js';
export type { Listed } from './open-directory.js';
export { makeSandboxRoot, sandboxRootOf } from './sandbox-root.js';
export { removeTree } from './remove-tree.js';
export { Trash } from './trash.js';
export { isFull, messageOf, systemErrorCode } from './system-error.js';
export { downloadFile, wrongChecksum } from './download.js';
export type { Downloaded, DownloadOptions } from './download.js';
export { mapLimited } from './map-limited.js';
export { createStorage, isRemoteUri, StorageRouter } from './create-storage.js';
export type { StorageOptions } from './create-storage.js';
export { storageOptionsOf, storageVariables } from './storage-environment.js';
export type { StorageVariables } from './storage-environment.js';
export type { OnTransfer } from './transfers.js';
export { schemeOf, withSlash } from './uri.js';
export { encodeKey as encodePath } from './s3/s3-uri.js';
export { ownedName, removeAbandoned } from './owned-temporary.js';
