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
import type { World } from '../world.js';

const LOOK_AGAIN_MS = 250;

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
  acknowledged: readonly Acknowledged[];
}

export async function verdict(name: string, look: () => Promise<string[]>): Promise<Verdict> {
  return { name, problems: await look() };
}

export async function eventually(name: string, limitMs: number, look: () => Promise<string[]>): Promise<Verdict> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const problems = await look();
    if (problems.length === 0 || Date.now() > deadline) return { name, problems };
    await delay(LOOK_AGAIN_MS);
  }
}

export function repeated(items: readonly string[]): string[] {
  return [...new Set(items.filter((item, i) => items.indexOf(item) !== i))];
}
