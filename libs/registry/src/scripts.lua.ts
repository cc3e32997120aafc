/**
 * The registry's transitions.
 *
 * Keys (all in the slot of `{registry}`): a hash runner id → record JSON, a hash runner id → time of last registration (ms), a sorted set
 * runner id by the time its registration lapses (ms). All times are Redis' time, so clocks of hosts do not matter.
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
end
`;

/**
 * KEYS  1 records  2 last seen  3 lapses
 * ARGV  1 runner id  2 record JSON  3 time to live in ms  4 channel
 * Returns 1 = new or changed (published on the channel), 0 = renewed.
 */
export const registerRunner = `
${nowMs}${sweep}
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], now_text)
redis.call('ZADD', KEYS[3], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
if before == ARGV[2] then return 0 end
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1
`;

/**
 * KEYS  1 records  2 last seen  3 lapses
 * ARGV  1 runner id  2 channel
 * Returns 1 = removed (published on the channel), 0 = was not there.
 */
export const deregisterRunner = `
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
`;

/**
 * KEYS  1 records  2 last seen  3 lapses
 * Returns record JSON and last seen in turn, of every runner whose registration holds, by runner id.
 */
export const listRunners = `
${nowMs}${sweep}
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now_text, '+inf')
table.sort(ids)
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = redis.call('HGET', KEYS[1], id)
  found[#found + 1] = redis.call('HGET', KEYS[2], id)
end
return found
`;
