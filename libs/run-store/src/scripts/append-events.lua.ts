import type { Script } from '../redis-script.js';
import { append, holdsLease, nudge } from './fragments.lua.js';

/**
 * Appends events of the partition's owner after the sequence it expects.
 *
 * KEYS  1 lease  2 header  3 log
 * ARGV  1 owner  2 token  3 run id  4 after: `<sequence>[ <time in ms>]`  5 time in ms  6 nudge channel  7… event JSON
 * Returns {'ok', last sequence, time in ms} | {'conflict', last sequence of the log} | {'diverged'} | {'fenced'} | {'gone'}.
 * Publishes `<last sequence> <run id>` when ok.
 */
export const appendEvents: Script = {
  name: 'weftAppendEvents',
  keys: 3,
  lua: `
${holdsLease}${append}${nudge}
if not holds_lease() then return {'fenced'} end
if redis.call('EXISTS', KEYS[2]) == 0 then return {'gone'} end
local events = {}
for i = 7, #ARGV do events[i - 6] = ARGV[i] end
local result = append(KEYS[2], KEYS[3], ARGV[4], ARGV[5], events)
if result[1] == 'ok' then nudge(ARGV[6], ARGV[3], result[2]) end
return result
`,
};
