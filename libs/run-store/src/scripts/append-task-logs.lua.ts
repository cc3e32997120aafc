import type { Script } from '../redis-script.js';

/**
 * Appends chunks to a run's task log, takes out those that were named, and then the oldest ones beyond the limit, but for those of attempts that
 * are kept. Those go, too, the first to have failed first, where nothing else is left.
 *
 * A node of a stream is freed as a whole, so what was taken out of the middle may still cost memory: the nodes are counted, too.
 *
 * KEYS  1 header  2 task log (stream; d chunk, k attempt, n "<bytes> <lines>")  3 its size (string: bytes of chunks and overhead)
 *       4 state (hash: from = only kept ones lie before it, kept = attempts, newest first, bytes and lines = what went)
 * ARGV  1 limit in bytes  2 overhead per chunk in bytes  3 nudge channel  4 attempts to be kept, the newest last  5 how many are kept
 *       6 number of cursors to take out, then those  … then chunk JSON, attempt, "<bytes> <lines>", …
 * Returns the cursors of the appended chunks, or nil = no such run: nothing was kept.
 * Publishes an empty message when appended.
 */
export const appendTaskLogs: Script = {
  name: 'weftAppendTaskLogs',
  keys: 4,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local limit, overhead = tonumber(ARGV[1]), tonumber(ARGV[2])
local size = tonumber(redis.call('GET', KEYS[3]) or '0')
local function field(entry, name)
  for i = 1, #entry[2], 2 do if entry[2][i] == name then return entry[2][i + 1] end end
  return nil
end
local drops = tonumber(ARGV[6])
for i = 7, 6 + drops do
  local entry = redis.call('XRANGE', KEYS[2], ARGV[i], ARGV[i])[1]
  if entry then
    size = size - #field(entry, 'd') - overhead
    redis.call('XDEL', KEYS[2], ARGV[i])
  end
end
local cursors = {}
for i = 7 + drops, #ARGV, 3 do
  cursors[#cursors + 1] = redis.call('XADD', KEYS[2], '*', 'd', ARGV[i], 'k', ARGV[i + 1], 'n', ARGV[i + 2])
  size = size + #ARGV[i] + overhead
end
local kept = {}
for attempt in string.gmatch(redis.call('HGET', KEYS[4], 'kept') or '', '%S+') do kept[#kept + 1] = attempt end
local from = redis.call('HGET', KEYS[4], 'from') or '-'
local function keep(attempts)
  kept = attempts
  if #kept > 0 then redis.call('HSET', KEYS[4], 'kept', table.concat(kept, ' ')) else redis.call('HDEL', KEYS[4], 'kept') end
end
if ARGV[4] ~= '' then
  for attempt in string.gmatch(ARGV[4], '%S+') do
    local now = {attempt}
    for _, other in ipairs(kept) do if other ~= attempt and #now < tonumber(ARGV[5]) then now[#now + 1] = other end end
    kept = now
  end
  keep(kept)
  from = '-'
end
local function over()
  if size > limit then return true end
  if drops == 0 then return false end
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do if info[i] == 'radix-tree-keys' then return info[i + 1] * 4096 > 2 * limit end end
  return false
end
local bytes, lines = 0, 0
while redis.call('EXISTS', KEYS[2]) == 1 and over() do
  local isKept = {}
  for _, attempt in ipairs(kept) do isKept[attempt] = true end
  local oldest = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 64)
  if not oldest[1] then
    if from == '-' then break end
    from = '-'
    local fewer = {}
    for i = 1, #kept - 1 do fewer[i] = kept[i] end
    keep(fewer)
  else
    local ids = {}
    for _, entry in ipairs(oldest) do
      from = '(' .. entry[1]
      if not isKept[field(entry, 'k') or ''] then
        ids[#ids + 1] = entry[1]
        size = size - #field(entry, 'd') - overhead
        local n = field(entry, 'n') or '0 0'
        bytes = bytes + tonumber(string.match(n, '^%d+'))
        lines = lines + tonumber(string.match(n, '%d+$'))
        if size <= limit then break end
      end
    end
    if #ids > 0 then redis.call('XDEL', KEYS[2], unpack(ids)) end
  end
end
if from ~= '-' then redis.call('HSET', KEYS[4], 'from', from) else redis.call('HDEL', KEYS[4], 'from') end
if bytes > 0 then
  redis.call('HINCRBY', KEYS[4], 'bytes', bytes)
  redis.call('HINCRBY', KEYS[4], 'lines', lines)
end
redis.call('SET', KEYS[3], string.format('%.0f', size))
redis.call('PUBLISH', ARGV[3], '')
return cursors
`,
};
