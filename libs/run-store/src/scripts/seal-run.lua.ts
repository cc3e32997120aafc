import type { Script } from '../redis-script.js';
import { append, holdsLease, nudge } from './fragments.lua.js';

/**
 * Ends a run: last event, final header, outputs, out of the active set.
 *
 * KEYS  1 lease  2 header  3 log  4 active set  5 ended runs  6 active set of the project  7 outputs
 * ARGV  1 owner  2 token  3 run id  4 after: `<sequence>[ <time in ms>]`  5 time in ms  6 nudge channel  7 event JSON  8 header JSON  9 state
 *       10 outputs as JSON or ''
 * Returns {'ok', last sequence, time in ms} | {'conflict', last sequence of the log} | {'diverged'} | {'fenced'} | {'gone'}.
 * Publishes `<last sequence> <run id>` when ok. Afterwards the log takes nothing more.
 */
export const sealRun: Script = {
  name: 'weftSealRun',
  keys: 7,
  lua: `
${holdsLease}${append}${nudge}
if not holds_lease() then return {'fenced'} end
if redis.call('EXISTS', KEYS[2]) == 0 then return {'gone'} end
local result = append(KEYS[2], KEYS[3], ARGV[4], ARGV[5], {ARGV[7]})
if result[1] ~= 'ok' then return result end
redis.call('HSET', KEYS[2], 'json', ARGV[8], 'state', ARGV[9], 'sealed', string.format('%.0f', result[2]))
redis.call('HDEL', KEYS[2], 'now')
if ARGV[10] ~= '' then redis.call('SET', KEYS[7], ARGV[10]) else redis.call('DEL', KEYS[7]) end
redis.call('SREM', KEYS[4], ARGV[3])
redis.call('SREM', KEYS[6], ARGV[3])
redis.call('ZADD', KEYS[5], ARGV[5], ARGV[3])
nudge(ARGV[6], ARGV[3], result[2])
return result
`,
};
