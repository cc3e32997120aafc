import type { Script } from '../redis-script.js';

/**
 * Puts an archived run back, sealed. Its log and task log were staged under keys of this call before, since they may be long.
 *
 * KEYS  1 header  2 log  3 task log  4 size of the task log  5 ended runs  6 counters of archived runs  7 staged log  8 staged task log
 *       9 inputs  10 outputs
 * ARGV  1 run id  2 header JSON  3 state  4 name of its idempotency key or ''  5 sequence that sealed it  6 time of its end in ms
 *       7 size of the task log  8 bytes in the archive  9 nonce of this call
 *       10 inputs as JSON or ''  11 outputs as JSON or ''
 * Returns 1 = put back (by this very call, perhaps before its answer was lost), 0 = it is there.
 */
export const restoreRun: Script = {
  name: 'weftRestoreRun',
  keys: 10,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('UNLINK', KEYS[7], KEYS[8])
  return redis.call('HGET', KEYS[1], 'by') == ARGV[9] and 1 or 0
end
redis.call('RENAME', KEYS[7], KEYS[2])
redis.call('PERSIST', KEYS[2])
if redis.call('EXISTS', KEYS[8]) == 1 then
  redis.call('RENAME', KEYS[8], KEYS[3])
  redis.call('PERSIST', KEYS[3])
  redis.call('SET', KEYS[4], ARGV[7])
end
redis.call('HSET', KEYS[1], 'json', ARGV[2], 'state', ARGV[3], 'idem', ARGV[4], 'by', ARGV[9], 'sealed', ARGV[5])
if ARGV[10] ~= '' then redis.call('SET', KEYS[9], ARGV[10]) end
if ARGV[11] ~= '' then redis.call('SET', KEYS[10], ARGV[11]) end
redis.call('ZADD', KEYS[5], ARGV[6], ARGV[1])
redis.call('HINCRBY', KEYS[6], 'runs', -1)
redis.call('HINCRBY', KEYS[6], 'bytes', -tonumber(ARGV[8]))
return 1
`,
};
