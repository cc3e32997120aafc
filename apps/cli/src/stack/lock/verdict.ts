/**
 * What the last claim on a state means to somebody who looks at it: may it be followed by one of his own?
 *
 * Invariants:
 *  1. A claim is followed only where its holder has let go, is known to be dead, or was silent while it was watched and lives in a container.
 *  2. Process ids are believed in their own place only, names of machines outside of containers only.
 *  3. Nothing here compares the clocks of two hosts: silence is the absence of a change between two looks.
 */
import { type Place, type ProcessMark, isPlainHost, sameMachine, samePlace } from './place.js';

/** One file; written once, never changed. */
export interface Claim {
  token: string;
  place: Place;
  process: ProcessMark;
  /** Its control socket, as the holder's host names it. */
  socket: string;
  /** For people; the holder's clock. */
  since: string;
}

/** What is seen at one look. `beat` changes while the holder lives. */
export interface Sight {
  claim: Claim | 'unreadable';
  beat: string;
  released: boolean;
}

export type Verdict =
  /** Let go. */
  | 'free'
  /** Its holder died: the kernel of this host says so, or this machine was started again. */
  | 'dead'
  /** Its holder lives, here. */
  | 'here'
  /** Another host has it, and only that host or a person can say that it is over. */
  | 'elsewhere'
  /** Perhaps alive: a change between two looks tells. */
  | 'watch';

export function judge(sight: Sight, self: Place, isAlive: (mark: ProcessMark) => boolean): Verdict {
  if (sight.released) return 'free';
  if (sight.claim === 'unreadable') return 'watch';
  const { place, process } = sight.claim;
  if (samePlace(place, self)) return isAlive(process) ? 'here' : 'dead';
  if (!isPlainHost(place) || !isPlainHost(self)) return 'watch';
  if (place.bootId !== self.bootId && sameMachine(place, self)) return 'dead';
  return 'elsewhere';
}

/** What a watch comes to: `looks` are in order, `silent` says that nothing changed for as long as one is patient. */
export function afterWatching(
  looks: readonly Pick<Sight, 'beat' | 'released'>[],
  patient: boolean,
): 'elsewhere' | 'free' | 'silent' | 'watch' {
  if (looks.some(({ released }) => released)) return 'free';
  if (new Set(looks.map(({ beat }) => beat)).size > 1) return 'elsewhere';
  return patient ? 'watch' : 'silent';
}
