import type { Script } from '../redis-script.js';
import { holdsLease, nowMs } from './fragments.lua.js';

/**
 * Takes a partition that is free or lapsed, or renews it for the owner that holds it. The token outlives the lease and only grows.
 *
 * KEYS  1 lease (hash: owner, token, expires in ms by Redis' clock)
 * ARGV  1 owner  2 time to live in ms  3 '1' = take it if it is free, '0' = only renew what is held
 * Returns the token, or nil = not held.
 */
export const acquireLease: Script = {
  name: 'weftAcquireLease',
  keys: 1,
  lua: `
${nowMs}
local lease = redis.call('HMGET', KEYS[1], 'owner', 'token', 'expires')
local now = now_ms()
local live = lease[3] and tonumber(lease[3]) > now
local token = lease[2]
if live and lease[1] ~= ARGV[1] then return false end
if not live then
  if ARGV[3] ~= '1' then return false end
  token = string.format('%.0f', tonumber(token or '0') + 1)
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token, 'expires', string.format('%.0f', now + tonumber(ARGV[2])))
return token
`,
};

/**
 * Renews a lease that nobody took over, even if it lapsed meanwhile.
 *
 * KEYS  1 lease
 * ARGV  1 owner  2 token  3 time to live in ms
 * Returns 1 = renewed, 0 = lost.
 */
export const renewLease: Script = {
  name: 'weftRenewLease',
  keys: 1,
  lua: `
${holdsLease}${nowMs}
if not holds_lease() then return 0 end
redis.call('HSET', KEYS[1], 'expires', string.format('%.0f', now_ms() + tonumber(ARGV[3])))
return 1
`,
};

/**
 * Gives a lease back: the next acquire may take it at once; the one who gave it back is fenced from now on.
 *
 * KEYS  1 lease
 * ARGV  1 owner  2 token  3 channel of the replicas
 * Returns 1 = released, 0 = it was not held any more. Publishes when released.
 */
export const releaseLease: Script = {
  name: 'weftReleaseLease',
  keys: 1,
  lua: `
${holdsLease}
if not holds_lease() then return 0 end
redis.call('HSET', KEYS[1], 'owner', '', 'expires', '0')
redis.call('PUBLISH', ARGV[3], 'released')
return 1
`,
};

/**
 * Says that a replica lives, and forgets those that have not said so for too long.
 *
 * KEYS  1 sorted set of replicas, by the time in ms (Redis' clock) until which they live
 * ARGV  1 owner  2 time to live in ms  3 channel of the replicas
 * Returns the names of all that live. Publishes when somebody came or was forgotten.
 */
export const announceReplica: Script = {
  name: 'weftAnnounceReplica',
  keys: 1,
  lua: `
${nowMs}
local now = now_ms()
local came = redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
local gone = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now))
if came + gone > 0 then redis.call('PUBLISH', ARGV[3], 'changed') end
return redis.call('ZRANGE', KEYS[1], 0, -1)
`,
};

/**
 * Takes a replica's name off.
 *
 * KEYS  1 sorted set of replicas
 * ARGV  1 owner  2 channel of the replicas
 * Returns 1 = it was there. Publishes then.
 */
export const withdrawReplica: Script = {
  name: 'weftWithdrawReplica',
  keys: 1,
  lua: `
local gone = redis.call('ZREM', KEYS[1], ARGV[1])
if gone > 0 then redis.call('PUBLISH', ARGV[2], 'changed') end
return gone
`,
};
