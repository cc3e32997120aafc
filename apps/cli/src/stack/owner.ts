/** The supervisor's side of a stack that belongs to one command: its stdin is a pipe that only this command holds. */

/** Among the supervisor's arguments. */
export const OWNED = '--owned';

/** Resolves when the owner has ended, however, or lets go. To be called at once: what ends before is noticed, too. */
export function ownerGone(line: NodeJS.ReadableStream = process.stdin): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close', 'error']) line.once(event, () => resolve());
    line.resume();
  });
}
