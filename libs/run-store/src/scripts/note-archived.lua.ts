import type { Script } from '../redis-script.js';

/**
 * Keeps the greatest position of an archived run.
 *
 * KEYS  1 the position
 * ARGV  1 a position
 * Returns nothing.
 */
export const noteArchived: Script = {
  name: 'weftNoteArchived',
  keys: 1,
  lua: `
local known = redis.call('GET', KEYS[1])
if not known or known < ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
`,
};
