/** Pieces that several scripts share. A script is one transition; a fragment is one rule. */

/** The fence: KEYS[1] is the lease, ARGV[1] its owner, ARGV[2] its token. Only a take-over invalidates; a lapsed lease nobody took still holds. */
export const holdsLease = `
local function holds_lease()
  local lease = redis.call('HMGET', KEYS[1], 'owner', 'token')
  return lease[1] == ARGV[1] and lease[2] == ARGV[2]
end
`;

/**
 * append(header, log, after, at_ms, events) → {'ok', last, at_ms} | {'conflict', last of log} | {'diverged'}.
 * \`after\` is \`<sequence>\` or \`<sequence> <time in ms>\`: with the time, an entry of another time in that place, or none, is 'diverged'.
 * Entries that are already there, word for word and of one time, as one append writes them, count as appended: the first answer was lost.
 * Their stored time is returned.
 */
export const append = `
local function append(header, log, position, at_ms, events)
  local tail = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
  local last = 0
  if tail[1] then last = tonumber(string.match(tail[1][1], '^%d+')) end
  local after, after_ms = string.match(position, '^(%d+) ?(%d*)$')
  after = tonumber(after)
  if after_ms ~= '' then
    local entry = tail[1]
    if last ~= after then entry = redis.call('XRANGE', log, string.format('%.0f', after), string.format('%.0f', after))[1] end
    if not entry or entry[2][2] ~= after_ms then return {'diverged'} end
  end
  local target = after + #events
  if last == after and redis.call('HEXISTS', header, 'sealed') == 0 then
    for i, event in ipairs(events) do
      redis.call('XADD', log, string.format('%.0f-0', after + i), 't', at_ms, 'e', event)
    end
    return {'ok', target, at_ms}
  end
  if last < target then return {'conflict', last} end
  local stored = redis.call('XRANGE', log, string.format('%.0f', after + 1), string.format('%.0f', target))
  for i, event in ipairs(events) do
    if not stored[i] or stored[i][2][4] ~= event or stored[i][2][2] ~= stored[1][2][2] then return {'conflict', last} end
  end
  return {'ok', target, stored[1][2][2]}
end
`;

/** nudge(channel, run_id, sequence) tells the partition's owner and all followers. */
export const nudge = `
local function nudge(channel, run_id, sequence)
  redis.call('PUBLISH', channel, string.format('%.0f', sequence) .. ' ' .. run_id)
end
`;

/** now_ms() by Redis' clock. */
export const nowMs = `
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
`;
