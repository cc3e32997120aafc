import type { Script } from '../redis-script.js';
import { nudge } from './fragments.lua.js';

/**
 * Removes a sealed run. That it was removed stays known for a while: who archives it meanwhile is not to keep what they have written.
 *
 * KEYS  1 header  2 log  3 task log  4 size of the task log  5 ended runs  6 state of the task log  7 that it was removed
 *       8 inputs  9 outputs
 * ARGV  1 run id  2 nudge channel  3 seconds for which that is known
 * Returns {header JSON, name of its idempotency key or ''}, or nil = no such run or not sealed.
 * Publishes `0 <run id>` when removed.
 */
export const removeRun: Script = {
  name: 'weftRemoveRun',
  keys: 9,
  lua: `
${nudge}
local header = redis.call('HMGET', KEYS[1], 'json', 'idem', 'sealed')
if not header[1] or not header[3] then return false end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[6], KEYS[8], KEYS[9])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('SET', KEYS[7], '1', 'EX', ARGV[3])
nudge(ARGV[2], ARGV[1], 0)
return {header[1], header[2] or ''}
`,
};
