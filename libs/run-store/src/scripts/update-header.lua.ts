import type { Script } from '../redis-script.js';
import { holdsLease } from './fragments.lua.js';

/**
 * Replaces what changes of the header of a run that has not ended: the rest, which may be long, is not written again.
 *
 * KEYS  1 lease  2 header
 * ARGV  1 owner  2 token  3 JSON of what changes  4 state
 * Returns 1 = replaced, 0 = fenced, gone or sealed.
 */
export const updateHeader: Script = {
  name: 'weftUpdateHeader',
  keys: 2,
  lua: `
${holdsLease}
if not holds_lease() or redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HEXISTS', KEYS[2], 'sealed') == 1 then return 0 end
redis.call('HSET', KEYS[2], 'now', ARGV[3], 'state', ARGV[4])
return 1
`,
};
