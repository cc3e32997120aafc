/**
 * States of private stacks, below a home: private/1, private/2, …, each like a home of its own, and which run is in which.
 *
 * Invariants:
 *  1. A private stack never works in the home's own state: who comes without one never finds a stack that ends under it.
 *  2. States are used again, the first that is free; so they are as many as there were private stacks at once, and share earlier results.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Home, homeOf, withSandboxes } from '../home.js';

const DIRECTORY = 'private';
export const MOST_PRIVATE = 256;

export function privateState(home: Home, number: number, env: NodeJS.ProcessEnv = process.env): Home {
  const own = homeOf({ ...env, WEFT_HOME: join(home.root, DIRECTORY, String(number)) });
  // Two runners in one sandbox root would tidy up each other's tasks.
  return env['WEFT_SANDBOX_ROOT'] ? withSandboxes(own, join(env['WEFT_SANDBOX_ROOT'], DIRECTORY, String(number)), env) : own;
}

export function privateDirectory(home: Home): string {
  return join(home.root, DIRECTORY);
}

/** Those that have been used. */
export function privateStates(home: Home, env: NodeJS.ProcessEnv = process.env): Home[] {
  let names: string[];
  try {
    names = readdirSync(privateDirectory(home));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
  const numbers = names.filter((name) => /^[1-9]\d{0,2}$/.test(name)).map(Number);
  return numbers.sort((a, b) => a - b).map((number) => privateState(home, number, env));
}

/** So that `weft attach`, `retry`, `show` and `logs` find it. */
export function rememberRun(home: Home, state: Home, runId: string): void {
  const path = recordOf(home, runId);
  if (path === undefined || !state.root.startsWith(join(home.root, DIRECTORY))) return;
  mkdirSync(join(home.root, DIRECTORY, 'runs'), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${state.root.slice(join(home.root, DIRECTORY).length + 1)}\n`, { mode: 0o600 });
}

/** Undefined: no private stack has had it. */
export function stateOfRun(home: Home, runId: string, env: NodeJS.ProcessEnv = process.env): Home | undefined {
  const path = recordOf(home, runId);
  if (path === undefined) return undefined;
  let number: number;
  try {
    number = Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  return Number.isInteger(number) && number > 0 && number <= MOST_PRIVATE ? privateState(home, number, env) : undefined;
}

/** Ids come from the command line, too. */
function recordOf(home: Home, runId: string): string | undefined {
  return /^[A-Za-z0-9-]{1,100}$/.test(runId) ? join(home.root, DIRECTORY, 'runs', runId) : undefined;
}
