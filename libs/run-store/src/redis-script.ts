/**
 * Lua scripts as functions. ioredis sends a script's text once per connection and its SHA afterwards.
 */
import type { Redis } from 'ioredis';

export interface Script {
  /** Unique per connection. */
  name: string;
  keys: number;
  lua: string;
}

export type RunScript = (keys: string[], args: (string | number)[]) => Promise<unknown>;

export function defineScript(redis: Redis, script: Script): RunScript {
  redis.defineCommand(script.name, { lua: script.lua, numberOfKeys: script.keys });
  const command = (redis as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>)[script.name];
  if (!command) throw new Error(`the client did not take the script ${script.name}`);
  return (keys, args) => command.call(redis, ...keys, ...args);
}
