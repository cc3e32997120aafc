/**
 * The registry's transitions.
 *
 * Keys (all in the slot of `{registry}`): a hash runner id → record JSON, a hash runner id → time of last registration (ms), a sorted set
 * runner id by the time its registration lapses (ms), a hash runner id → load JSON, a set of the ids that operators drain. All times are
 * Redis' time, so clocks of hosts do not matter.
 */

const nowMs = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local now_text = string.format('%.0f', now)
`;

/** Forgets the lapsed. */
const sweep = `
local lapsed = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now_text, 'LIMIT', 0, 1000)
if lapsed[1] then
  redis.call('HDEL', KEYS[1], unpack(lapsed))
  redis.call('HDEL', KEYS[2], unpack(lapsed))
  redis.call('ZREM', KEYS[3], unpack(lapsed))
  redis.call('HDEL', KEYS[4], unpack(lapsed))
end
`;

/**
 * KEYS  1 records  2 last seen  3 lapses  4 loads
 * ARGV  1 runner id  2 record JSON  3 time to live in ms  4 channel  5 load JSON
 * Returns 1 = new or changed (published on the channel), 0 = renewed.
 */
export const registerRunner = `
${nowMs}${sweep}
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], now_text)
redis.call('HSET', KEYS[4], ARGV[1], ARGV[5])
redis.call('ZADD', KEYS[3], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
if before == ARGV[2] then return 0 end
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1
`;

/**
 * KEYS  1 records  2 last seen  3 lapses  4 loads
 * ARGV  1 runner id  2 channel
 * Returns 1 = removed (published on the channel), 0 = was not there.
 */
export const deregisterRunner = `
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
`;

/**
 * KEYS  1 records  2 last seen  3 lapses  4 loads  5 drained
 * Returns record JSON, last seen, load JSON and 1 or 0 (drained) in turn, of every runner whose registration holds, by runner id.
 */
export const listRunners = `
${nowMs}${sweep}
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now_text, '+inf')
table.sort(ids)
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = redis.call('HGET', KEYS[1], id)
  found[#found + 1] = redis.call('HGET', KEYS[2], id)
  found[#found + 1] = redis.call('HGET', KEYS[4], id) or ''
  found[#found + 1] = redis.call('SISMEMBER', KEYS[5], id)
end
return found
`;

/**
 * KEYS  5 drained
 * ARGV  1 runner id  2 1 = drain, 0 = take that back  3 channel
 * Returns 1 = new (published on the channel), 0 = as it was.
 */
export const drainRunner = `
local changed = redis.call(ARGV[2] == '1' and 'SADD' or 'SREM', KEYS[5], ARGV[1])
if changed == 1 then redis.call('PUBLISH', ARGV[3], ARGV[1]) end
return changed
`;
