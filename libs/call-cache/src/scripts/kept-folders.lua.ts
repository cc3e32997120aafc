import type { Script } from '@weft/run-store';
import { folderOf, nowMs } from './fragments.lua.js';

/**
 * A task of a run has published a result.
 *
 * KEYS  1 tasks of the run
 * ARGV  1 name of the task's folder  2 key  3 time of a result in ms
 */
export const noteTaskScript: Script = {
  name: 'weftNoteTaskResult',
  keys: 1,
  lua: `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
};

/**
 * A result's files move to a folder of the cache's own.
 *
 * KEYS  1 result  2 kept folders  3 bytes of kept folders
 * ARGV  1 folder where they lie  2 folder where they will lie
 * Returns 1 = the result says so now, 0 = it does not lie in the first folder.
 */
export const moveScript: Script = {
  name: 'weftMoveResult',
  keys: 3,
  lua: `
${nowMs}${folderOf}
local result = redis.call('GET', KEYS[1])
if not result or folder_of(result) ~= ARGV[1] then return 0 end
local rest = string.sub(result, #ARGV[1] + 1)
redis.call('SET', KEYS[1], ARGV[2] .. rest, 'KEEPTTL')
redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms()), ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], string.match(rest, '^\\n(%d+)\\n'))
return 1
`,
};

/**
 * The kept folders of one bucket that were used least recently.
 *
 * KEYS  1 kept folders  2 bytes of kept folders
 * ARGV  1 how many
 * Returns {bytes of all, {folder, last use, bytes, folder, …}}.
 */
export const oldestScript: Script = {
  name: 'weftOldestKeptFolders',
  keys: 2,
  lua: `
local sum = 0
for _, bytes in ipairs(redis.call('HVALS', KEYS[2])) do sum = sum + tonumber(bytes) end
local found = {}
local oldest = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
for i = 1, #oldest, 2 do
  found[#found + 1] = oldest[i]
  found[#found + 1] = oldest[i + 1]
  found[#found + 1] = redis.call('HGET', KEYS[2], oldest[i]) or '0'
end
return {string.format('%.0f', sum), found}
`,
};

/**
 * A kept folder is gone, and the result that lay there with it.
 *
 * KEYS  1 result  2 kept folders  3 bytes of kept folders
 * ARGV  1 folder
 */
export const removedScript: Script = {
  name: 'weftKeptFolderRemoved',
  keys: 3,
  lua: `
${folderOf}
local result = redis.call('GET', KEYS[1])
if result and folder_of(result) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
`,
};
