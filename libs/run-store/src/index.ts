export * from './ports.js';
export type * from './run-store.port.js';
export type * from './retention.ports.js';
export type { Packing } from './archive/archive-codec.js';
export { FileRunArchive, newestPosition } from './archive/file-run-archive.js';
export { archiveRun } from './archive/archive-run.js';
export { type ArchivingRunStore, withArchive } from './archive/with-archive.js';
export { ForeignMessageError, IdempotencyConflictError, InvalidRequestError, UnreadableRunError } from './errors.js';
export { type RedisRunStoreOptions, createRedisRunStore } from './redis-run-store.adapter.js';
// What every implementation of the ports holds to.
export {
  SEALING_EVENT,
  TASK_LOG_CHUNK_CHARS,
  KEPT_ATTEMPTS,
  TASK_LOG_ENTRY_OVERHEAD,
  TASK_LOG_HEAD_BYTES,
  TASK_LOG_TAIL_BYTES,
  TASK_LOG_LIMIT_BYTES,
  LIST_BYTES,
  LONG_INPUTS_CHARS,
  OBJECT_PIECE_BYTES,
  checkLimit,
  isFinal,
  matches,
  splitText,
} from './limits.js';
export { decodePageToken, encodePageToken, positionOf } from './page-token.js';
export { Wake } from './wake.js';
export { storedText, textOf } from './stored-object.js';
// For other stores on Redis.
export { type RunScript, type Script, defineScript } from './redis-script.js';
export { HEALING, RedisLink, type RedisLinkOptions } from './redis-connection.js';
