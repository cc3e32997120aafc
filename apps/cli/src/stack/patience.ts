/**
 * A wait as people want it: silent while it is short, then it says for what, and ends some day.
 */
export interface Patience {
  /** Milliseconds; absent: the wait may be as long as what is waited for lives. */
  limitMs?: number;
  say(line: string): void;
  /** What is waited for, as in "waiting for …"; asked anew each time. */
  what(): string;
  /** What to do when it never comes. */
  advice?: string;
}

/** Milliseconds until the first word, and between the words. */
export const QUIET_MS = 2_000;
const REPEAT_MS = 30_000;

export async function patiently<T>(work: Promise<T>, { limitMs, say, what, advice }: Patience): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    if (limitMs === undefined) return;
    const giveUp = (): void =>
      reject(new OutOfPatience(`waited ${limitMs / 1000} s for ${what()}${advice === undefined ? '' : `: ${advice}`}`));
    limit = setTimeout(giveUp, limitMs);
  });
  const tell = (): void => say(`waiting for ${what()}…`);
  let again: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    tell();
    again = setInterval(tell, REPEAT_MS);
  }, QUIET_MS);
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(limit);
    clearTimeout(first);
    clearInterval(again);
  }
}

export class OutOfPatience extends Error {
  override readonly name = 'OutOfPatience';
}
