/** Pieces that several scripts share. */

/** now_ms() by Redis' clock. */
export const nowMs = `
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
`;

/** folder_of(result) → the folder in which a result lies. */
export const folderOf = `
local function folder_of(result)
  return string.sub(result, 1, string.find(result, '\\n', 1, true) - 1)
end
`;

/** orphan(kept, result): the folder of a result that is replaced or forgotten is to be removed, where it is the cache's own. */
export const orphan = `
local function orphan(kept, result)
  redis.call('ZADD', kept, 'XX', 0, folder_of(result))
end
`;
