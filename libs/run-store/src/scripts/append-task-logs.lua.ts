import type { Script } from '../redis-script.js';

/**
 * Appends chunks to a run's task log and drops the oldest ones beyond the limit.
 *
 * KEYS  1 header  2 task log (stream)  3 its size (string: bytes of chunks and overhead)
 * ARGV  1 limit in bytes  2 overhead per chunk in bytes  3 nudge channel  4… chunk JSON
 * Returns 1 = appended, 0 = no such run: nothing was kept.
 * Publishes an empty message when appended.
 */
export const appendTaskLogs: Script = {
  name: 'weftAppendTaskLogs',
  keys: 3,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local limit, overhead = tonumber(ARGV[1]), tonumber(ARGV[2])
local size = tonumber(redis.call('GET', KEYS[3]) or '0')
for i = 4, #ARGV do
  redis.call('XADD', KEYS[2], '*', 'd', ARGV[i])
  size = size + #ARGV[i] + overhead
end
while size > limit do
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 64)
  if not oldest[1] then size = 0 break end
  local ids = {}
  for _, entry in ipairs(oldest) do
    if size <= limit then break end
    ids[#ids + 1] = entry[1]
    size = size - #entry[2][2] - overhead
  end
  redis.call('XDEL', KEYS[2], unpack(ids))
end
redis.call('SET', KEYS[3], string.format('%.0f', size))
redis.call('PUBLISH', ARGV[3], '')
return 1
`,
};
