/**
 * Which runs this version can go on with. An earlier version's runs are neither misread nor lost: the store refuses to open, and they
 * stay as they are for the version that wrote them.
 */
import type { Redis } from 'ioredis';
import { IncompatibleStoreError } from './errors.js';
import type { Keys } from './keys.js';

/**
 * Raised by every change of log entries, headers, keys or values, and of what the engine makes of a log, that keeps this version from
 * going on with a run that an earlier one began.
 */
export const STORE_FORMAT = 1;

/** Marks an empty store as ours. @throws IncompatibleStoreError for another version's */
export async function claimFormat(redis: Redis, keys: Keys): Promise<void> {
  await redis.setnx(keys.format(), STORE_FORMAT);
  const found = await redis.get(keys.format());
  if (found !== String(STORE_FORMAT)) throw new IncompatibleStoreError(found ?? 'none', STORE_FORMAT);
}
