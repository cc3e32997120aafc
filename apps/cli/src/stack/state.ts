/**
 * Which state this host works in: the home's own, or one below it while another host has that.
 *
 * Invariants:
 *  1. A host that has the home's own state, or had it last, takes that one: whoever has one host never sees another.
 *  2. A host that once got a state of its own goes on with it, so that it finds its runs again.
 *  3. A state in use elsewhere is never touched.
 */
import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Home, homeOf, homeOfHost, hostsDirectory } from '../home.js';
import type { Seen } from './lock/claims.js';
import { holderOf, lookAtState, watchState } from './lock/state-claim.js';

/** Containers of one host name that share a home. */
const MOST_PER_HOST = 64;

export interface ChosenState {
  home: Home;
  /** The claim that was there. */
  seen: Seen | undefined;
  /** Its holder was watched and is silent, but nobody knows that it is dead. */
  silent: boolean;
}

/** @param say told what this waits for, and where it works when that is not where one expects it. */
export async function chooseState(home: Home, say: (line: string) => void): Promise<ChosenState> {
  const seen = await lookAtState(home);
  const hasOwn = existsSync(homeOfHost(home, hostname(), 1).root);
  if (!hasOwn || wasHereLast(seen)) {
    const chosen = await usable(home, seen, say);
    if (chosen !== undefined) return chosen;
  }
  for (let number = 1; number <= MOST_PER_HOST; number += 1) {
    const own = homeOfHost(home, hostname(), number);
    const chosen = await usable(own, await lookAtState(own), say);
    if (chosen === undefined) continue;
    const why = seen?.verdict === 'free' ? `is the state of ${holderOf(seen)}` : `is in use by ${holderOf(seen)}`;
    if (chosen.seen?.verdict !== 'here') say(`${home.root} ${why}: this host works in a state of its own, ${own.root}`);
    return chosen;
  }
  throw new Error(`${home.root} and all states below ${hostsDirectory(home)} are in use: set WEFT_HOME to another directory`);
}

async function usable(home: Home, seen: Seen | undefined, say: (line: string) => void): Promise<ChosenState | undefined> {
  if (seen?.verdict === 'elsewhere') return undefined;
  if (seen?.verdict !== 'watch') return { home, seen, silent: false };
  const waiting = (): void => say(`${home.root} may be in use by ${holderOf(seen)}: watching for up to 20 s whether that lives`);
  const became = await watchState(home, seen, waiting);
  return became === 'elsewhere' ? undefined : { home, seen, silent: became === 'silent' };
}

function wasHereLast(seen: Seen | undefined): boolean {
  return seen === undefined || (seen.claim !== 'unreadable' && seen.claim.place.host === hostname());
}

/** The home's own state and those of hosts below it, with who has each. */
export async function allStates(home: Home): Promise<{ home: Home; name: string; seen: Seen | undefined }[]> {
  const directory = hostsDirectory(home);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const below = names.map((name) => ({ name, home: homeOf({ ...process.env, WEFT_HOME: join(directory, name) }) }));
  const states = [{ name: '', home }, ...below];
  return Promise.all(states.map(async (state) => ({ ...state, seen: await lookAtState(state.home) })));
}
