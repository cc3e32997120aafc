/**
 * Looking at a task's inputs before it has a runner: their sizes, contents and listings for expressions, their identity for the call cache. That is
 * nothing mostly, and a minute where a server is slow or a file is large: then it is told.
 *
 * Invariants:
 *  1. What takes less than SLOW_MS is not told, and costs a timer.
 *  2. What was told is taken back when the look has ended, however it did: a task that waits for room is not being prepared.
 */
import { type CwlObject, visitFiles } from '@weft/plan';
import { isRemoteUri } from '@weft/storage';
import type { Clock } from '../kernel/clock.js';

/** As on the runner, where staging them is concerned. */
export const SLOW_MS = 1_000;

export type Look = <T>(work: Promise<T>) => Promise<T>;

/** @param tell what is done; '' = nothing any more */
export function slowLook(clock: Clock, inputs: CwlObject, tell: (doing: string) => void): Look {
  return async (work) => {
    let told = false;
    const callOff = clock.after(SLOW_MS, () => {
      told = true;
      tell(lookingAt(inputs));
    });
    try {
      return await work;
    } finally {
      callOff();
      if (told) tell('');
    }
  };
}

/** What makes it slow is on another host, mostly. */
export function lookingAt(inputs: CwlObject): string {
  const remote = new Set<string>();
  visitFiles(inputs, ({ location }) => {
    if (location !== undefined && isRemoteUri(location)) remote.add(withoutQuery(location));
  });
  const [first, ...others] = remote;
  if (first === undefined) return 'looking at its inputs';
  return `looking at its inputs: ${first}${others.length === 0 ? '' : ` and ${others.length} more on other hosts`}`;
}

/** What follows may be a key that opens the file. */
const withoutQuery = (uri: string): string => uri.replace(/[?#].*$/s, '');
