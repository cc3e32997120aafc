/**
 * One script per transition; see its header for keys, arguments and answers.
 */
export const COMMIT_SCRIPT = `
-- Stores a session and commands of it, if nobody has changed the session meanwhile.
-- KEYS[1] session (hash: version, json)   KEYS[2] sessions of the project (zset by creation time, ms)
-- KEYS[3] command ids of the session (list, oldest first)   KEYS[4] open command ids of the project (set)
-- KEYS[5] idempotency key (string: command id), unused when ARGV[5] is ''
-- KEYS[6..] commands (string: json)
-- ARGV[1] expected version ('0' = new)   ARGV[2] session json   ARGV[3] session id   ARGV[4] creation time, ms
-- ARGV[5] command id to store under KEYS[5], or ''   ARGV[6] seconds to keep KEYS[5]
-- ARGV[7..] per command: id, json, '1' while it has not ended else '0'
-- Answers 1 when stored, 0 on a conflict (nothing is changed).
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
if ARGV[5] ~= '' and redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'version', tostring(tonumber(ARGV[1]) + 1), 'json', ARGV[2])
redis.call('ZADD', KEYS[2], 'NX', ARGV[4], ARGV[3])
if ARGV[5] ~= '' then redis.call('SET', KEYS[5], ARGV[5], 'EX', ARGV[6]) end
for i = 6, #KEYS do
  local at = 7 + (i - 6) * 3
  if redis.call('EXISTS', KEYS[i]) == 0 then redis.call('RPUSH', KEYS[3], ARGV[at]) end
  redis.call('SET', KEYS[i], ARGV[at + 1])
  if ARGV[at + 2] == '1' then redis.call('SADD', KEYS[4], ARGV[at]) else redis.call('SREM', KEYS[4], ARGV[at]) end
end
return 1
`;
