import type { Script } from '../redis-script.js';
import { nudge } from './fragments.lua.js';

/**
 * Stores header, inputs and first event of a run and makes it active.
 *
 * KEYS  1 header  2 log  3 active set  4 active set of the project  5 inputs
 * ARGV  1 run id  2 time in ms  3 nudge channel  4 header JSON  5 state  6 event JSON  7 idempotency key's name or ''  8 nonce of this call
 *       9 inputs as JSON or ''  10 third field of the event's entry or ''
 * Returns 1 = created (or created by this very call before its answer was lost), 0 = there is a run of this id.
 * Publishes `1 <run id>` when created.
 */
export const createRun: Script = {
  name: 'weftCreateRun',
  keys: 5,
  lua: `
${nudge}
local creator = redis.call('HGET', KEYS[1], 'by')
if creator then return creator == ARGV[8] and 1 or 0 end
redis.call('HSET', KEYS[1], 'json', ARGV[4], 'state', ARGV[5], 'idem', ARGV[7], 'by', ARGV[8])
if ARGV[9] ~= '' then redis.call('SET', KEYS[5], ARGV[9]) end
if ARGV[10] == '' then
  redis.call('XADD', KEYS[2], '1-0', 't', ARGV[2], 'e', ARGV[6])
else
  redis.call('XADD', KEYS[2], '1-0', 't', ARGV[2], 'e', ARGV[6], 'o', ARGV[10])
end
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
nudge(ARGV[3], ARGV[1], 1)
return 1
`,
};
