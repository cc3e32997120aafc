import type { Script } from '../redis-script.js';
import { holdsLease, nudge } from './fragments.lua.js';

/**
 * Takes out a finished run that lies in the archive, if it is still as it was archived. Called again it answers the same: the connection may have
 * broken, and Redis may have died, after it was carried out and before that was heard; the client's library then sends it again.
 *
 * KEYS  1 lease  2 header  3 log  4 task log  5 size of the task log  6 ended runs  7 counters of archived runs
 *       8 state of the task log  9 that somebody has removed it  10 inputs  11 outputs
 * ARGV  1 owner  2 token  3 run id  4 sequence that sealed it  5 id of its last log chunk or ''  6 bytes in the archive  7 nudge channel
 * Returns 'evicted' (now or before) | 'fenced' | 'gone' (removed by somebody) | 'changed' (or going on). Publishes `0 <run id>` when taken out.
 */
export const evictRun: Script = {
  name: 'weftEvictRun',
  keys: 11,
  lua: `
${holdsLease}${nudge}
if not holds_lease() then return 'fenced' end
if redis.call('EXISTS', KEYS[2]) == 0 then return redis.call('EXISTS', KEYS[9]) == 1 and 'gone' or 'evicted' end
if redis.call('HGET', KEYS[2], 'sealed') ~= ARGV[4] then return 'changed' end
local tail = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
if (tail[1] and tail[1][1] or '') ~= ARGV[5] then return 'changed' end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[8], KEYS[10], KEYS[11])
redis.call('ZREM', KEYS[6], ARGV[3])
redis.call('HINCRBY', KEYS[7], 'runs', 1)
redis.call('HINCRBY', KEYS[7], 'bytes', ARGV[6])
nudge(ARGV[7], ARGV[3], 0)
return 'evicted'
`,
};
