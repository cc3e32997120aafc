export type { KeptFolder, KeptFolderIndex, Lookup, News, ResultStore, RetiredFolders, StoredFile, StoredResult } from './ports.js';
export { type Call, callKey, changesItsInputs, type ContentIds } from './call-key.js';
export { CallCache, type CallCacheDeps } from './call-cache.js';
export { CLAIM_MS } from './claims.js';
export { ContentIdMemory } from './content-ids.js';
export { type FileHasher, ThreadedFileHasher } from './file-hasher.js';
export { RecentMap } from './recent-map.js';
export { createRedisResultStore, type RedisResultStore, type RedisResultStoreOptions } from './redis-result-store.adapter.js';
export { ResultFolders, type RetiredFoldersDeps } from './retired-folders.js';
export type { Surroundings } from './result-locations.js';
export { StoredResults, type Usable } from './stored-results.js';
// What every implementation of the ports holds to.
export { taskFolder } from './keys.js';
