/**
 * How a supervisor comes by the state it is to work in.
 *
 * Invariant: the files of a claim whose holder may still live are copied, and its Redis is left to write into the old ones.
 */
import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import type { Home } from '../home.js';
import type { HeldClaim } from './lock/claims.js';
import { claimState, lookAtState } from './lock/state-claim.js';

export interface TakenState {
  claim: HeldClaim;
  /** For the log. */
  notes: string[];
}

/** @param silentClaim token of a claim that somebody has watched in vain */
export async function takeState(home: Home, silentClaim?: string): Promise<TakenState | 'taken' | 'elsewhere'> {
  for (;;) {
    const seen = await lookAtState(home);
    const watched = seen !== undefined && seen.claim !== 'unreadable' && seen.claim.token === silentClaim;
    const unreadable = seen?.claim === 'unreadable' && silentClaim === 'unreadable';
    if (seen?.verdict === 'here') return 'taken';
    if (seen?.verdict === 'elsewhere') return 'elsewhere';
    if (seen?.verdict === 'watch' && !watched && !unreadable) return 'elsewhere';
    const claim = await claimState(home, seen);
    if (claim === undefined) continue;
    const notes: string[] = [];
    if (seen?.verdict === 'watch') {
      setRedisFilesAside(home);
      notes.push(`took ${home.root} over from a stack that showed no sign of life`);
    }
    return { claim, notes };
  }
}

/** What was there before stays for one time more, beside. */
export function setRedisFilesAside(home: Home): void {
  if (!existsSync(home.redis)) return;
  const copy = `${home.redis}.copy`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(home.redis, copy, { recursive: true });
  const before = `${home.redis}.before`;
  rmSync(before, { recursive: true, force: true });
  renameSync(home.redis, before);
  renameSync(copy, home.redis);
}
