import type { Script } from '../redis-script.js';
import { nudge } from './fragments.lua.js';

/**
 * Appends a request from outside, whatever the log's last sequence is.
 *
 * KEYS  1 header  2 log
 * ARGV  1 run id  2 time in ms  3 nudge channel  4 event JSON  5 nonce of this call
 * Returns 1 = appended, or the run has ended and takes nothing more; 0 = no such run.
 * Publishes `<last sequence> <run id>` when appended. A call sent again (same nonce) while its entry is still the last does nothing.
 */
export const requestEvent: Script = {
  name: 'weftRequestEvent',
  keys: 2,
  lua: `
${nudge}
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'sealed') == 1 then return 1 end
local tail = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if tail[2][6] == ARGV[5] then return 1 end
local sequence = tonumber(string.match(tail[1], '^%d+')) + 1
redis.call('XADD', KEYS[2], string.format('%.0f-0', sequence), 't', ARGV[2], 'e', ARGV[4], 'n', ARGV[5])
nudge(ARGV[3], ARGV[1], sequence)
return 1
`,
};
