import type { Script } from '@weft/run-store';
import { folderOf, nowMs, orphan } from './fragments.lua.js';

/**
 * Finds a result, or claims its key. A use keeps the result, and the kept folder it may lie in, for another while.
 *
 * KEYS  1 result  2 claim  3 kept folders
 * ARGV  1 holder, '' = claim nothing  2 time of a claim in ms  3 time of a result in ms  4 folder of the result that is not to be found:
 *       it is forgotten; '' = none
 * Returns {'found', result} | {'claimed'} | {'held', ms until the claim lapses} | {'unknown'}.
 */
export const lookScript: Script = {
  name: 'weftLookForResult',
  keys: 3,
  lua: `
${nowMs}${folderOf}${orphan}
local result = redis.call('GET', KEYS[1])
if result and ARGV[4] ~= '' and folder_of(result) == ARGV[4] then
  redis.call('DEL', KEYS[1])
  orphan(KEYS[3], result)
  result = false
end
if result then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('ZADD', KEYS[3], 'XX', string.format('%.0f', now_ms()), folder_of(result))
  return {'found', result}
end
if ARGV[1] == '' then return {'unknown'} end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return {'held', redis.call('PTTL', KEYS[2])} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {'claimed'}
`,
};

/**
 * Stores a result in the place of an earlier one, gives the holder's claim back and says so.
 *
 * KEYS  1 result  2 claim  3 kept folders
 * ARGV  1 result  2 time of a result in ms  3 holder  4 channel
 */
export const putScript: Script = {
  name: 'weftPutResult',
  keys: 3,
  lua: `
${folderOf}${orphan}
local earlier = redis.call('GET', KEYS[1])
if earlier and folder_of(earlier) ~= folder_of(ARGV[1]) then orphan(KEYS[3], earlier) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end
redis.call('PUBLISH', ARGV[4], 'look')
return 1
`,
};

/**
 * Gives a claim back.
 *
 * KEYS  1 claim
 * ARGV  1 holder  2 channel  3 news
 * Returns 1 = given back, 0 = it was not the holder's any more.
 */
export const giveBackScript: Script = {
  name: 'weftGiveBackClaim',
  keys: 1,
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
`,
};

/**
 * Renews a claim, also one that has lapsed and that nobody took.
 *
 * KEYS  1 claim
 * ARGV  1 holder  2 time of a claim in ms
 * Returns 1 = renewed, 0 = somebody else has it.
 */
export const renewScript: Script = {
  name: 'weftRenewClaim',
  keys: 1,
  lua: `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`,
};
