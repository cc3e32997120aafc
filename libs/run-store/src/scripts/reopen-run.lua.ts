import type { Script } from '../redis-script.js';
import { nudge } from './fragments.lua.js';

/**
 * Takes a sealed run back into the active set.
 *
 * KEYS  1 header  2 log  3 active set  4 ended runs  5 active set of the project  6 outputs
 * ARGV  1 run id  2 time in ms  3 nudge channel  4 header JSON  5 state  6 event JSON
 * Returns 'reopened' | 'active' (not sealed: nothing was done) | 'gone'. Publishes `<last sequence> <run id>` when reopened.
 * A call sent again after its answer was lost finds the run active: the same to its caller.
 */
export const reopenRun: Script = {
  name: 'weftReopenRun',
  keys: 6,
  lua: `
${nudge}
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
if redis.call('HEXISTS', KEYS[1], 'sealed') == 0 then return 'active' end
local tail = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local sequence = tonumber(string.match(tail[1], '^%d+')) + 1
redis.call('XADD', KEYS[2], string.format('%.0f-0', sequence), 't', ARGV[2], 'e', ARGV[6])
redis.call('HDEL', KEYS[1], 'sealed', 'now')
redis.call('UNLINK', KEYS[6])
redis.call('HSET', KEYS[1], 'json', ARGV[4], 'state', ARGV[5])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
nudge(ARGV[3], ARGV[1], sequence)
return 'reopened'
`,
};
