/**
 * What an oracle is: a name and a list of what it found; an empty list is a pass.
 *
 * Invariant: leftovers may take a moment to go, and nothing tells from outside when they are gone: they are looked for until they are, within
 * a limit. Everything else is judged at once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunStore } from '@weft/run-store';
import type { ChaosClient } from '../client.js';
import type { Containers } from '../containers.js';
import type { Acknowledged } from '../load.js';
import { within } from '../limits.js';
import type { World } from '../world.js';

const LOOK_AGAIN_MS = 250;
/** Of one look, which may read the logs and the answers of some hundred runs. */
const LOOK_LIMIT_MS = 120_000;

export interface Verdict {
  name: string;
  problems: string[];
}

export interface Evidence {
  world: World;
  /** Live and archived runs. */
  store: RunStore;
  client: ChaosClient;
  containers: Containers | undefined;
  /** Without those that are lost, of which there is nothing to say. */
  acknowledged: readonly Acknowledged[];
}

export async function verdict(name: string, look: () => Promise<string[]>): Promise<Verdict> {
  return { name, problems: await looked(look) };
}

export async function eventually(name: string, limitMs: number, look: () => Promise<string[]>): Promise<Verdict> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const problems = await looked(look);
    if (problems.length === 0 || Date.now() > deadline) return { name, problems };
    await delay(LOOK_AGAIN_MS);
  }
}

/** A look that fails, or does not end, has found that. */
async function looked(look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await within(LOOK_LIMIT_MS, 'an answer', look());
  } catch (error) {
    return [`it could not be looked at: ${(error as Error).message}`];
  }
}

export function repeated(items: readonly string[]): string[] {
  return [...new Set(items.filter((item, i) => items.indexOf(item) !== i))];
}
