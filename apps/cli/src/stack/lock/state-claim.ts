/**
 * Claims of this process on the state of a home, and what it takes to come by one: looking, watching, following.
 */
import { randomUUID } from 'node:crypto';
import { type Home, socketPath } from '../../home.js';
import { claimFolder } from './claim-folder.adapter.js';
import { type HeldClaim, type Seen, lookAtClaim, makeClaim } from './claims.js';
import { isAlive, markOfThisProcess, placeOfThisProcess } from './place.js';
import { type Claim, afterWatching } from './verdict.js';

/** How often a holder shows that it lives, milliseconds. */
export const BEAT_MS = 2_000;
/** A holder in a container that was not seen to live for so long, by the watcher's clock, is dead. */
export const SILENCE_MS = 20_000;
const LOOK_MS = 500;

export const lookAtState = (home: Home): Promise<Seen | undefined> => lookAtClaim(claimFolder(home.claims), placeOfThisProcess(), isAlive);

/** Of whom it is, for people. */
export function holderOf(seen: Seen | undefined): string {
  if (seen === undefined || seen.claim === 'unreadable') return 'another host';
  return `host ${seen.claim.place.host} (since ${seen.claim.since.slice(0, 16).replace('T', ' ')} UTC, pid ${seen.claim.process.pid} there)`;
}

/** What a claim to be watched comes to. `waiting` is called once, when it takes longer than a look. */
export async function watchState(home: Home, first: Seen, waiting: () => void): Promise<'elsewhere' | 'free' | 'silent'> {
  const looks = [first];
  const begun = performance.now();
  for (;;) {
    const verdict = afterWatching(looks, performance.now() - begun < SILENCE_MS);
    if (verdict !== 'watch') return verdict;
    if (looks.length === 2) waiting();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const next = await lookAtState(home);
    if (next?.number !== first.number) return 'elsewhere';
    looks.push(next);
  }
}

/** Follows what was seen. Undefined: somebody was quicker. */
export function claimState(home: Home, seen: Seen | undefined): Promise<HeldClaim | undefined> {
  const claim: Claim = {
    token: randomUUID(),
    place: placeOfThisProcess(),
    process: markOfThisProcess(),
    socket: socketPath(home, 'stack'),
    since: new Date().toISOString(),
  };
  return makeClaim(claimFolder(home.claims), seen, claim);
}
