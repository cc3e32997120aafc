/** How much of what a task left is looked at: looking has an end, and others get their turn meanwhile. */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { short, WorkTreeError } from './faults.js';

/** Entries between two turns of others. */
const TURN = 256;

/** What a task may leave, and a directory of its outputs hold: more is refused by name. */
export const LIMITS = { entries: 100_000, depth: 100, pathBytes: 24 * 1024 ** 2, links: 1000 };

/** Counts what is looked at, for all that is looked at together. */
export class Looked {
  private entries = 0;
  private bytes = 0;
  private links = 0;
  private turns = 0;

  constructor(
    private readonly what: string,
    private readonly limits = LIMITS,
  ) {}

  /** @throws WorkTreeError LIMIT */
  count(path: string, depth: number): void {
    this.entries++;
    this.bytes += path.length;
    const { limits, what } = this;
    if (depth > limits.depth)
      throw new WorkTreeError('LIMIT', `${what} has directories nested more than ${limits.depth} deep, as '${short(path)}'`);
    if (this.entries > limits.entries || this.bytes > limits.pathBytes) {
      const many = this.entries > limits.entries ? `more than ${limits.entries} entries` : `paths of more than ${limits.pathBytes} bytes`;
      throw new WorkTreeError('LIMIT', `${what} has ${many}: put them into an archive, or remove what is no output`);
    }
  }

  /** A link to a directory, all of which is looked at again by another name. @throws WorkTreeError LIMIT */
  followed(path: string): void {
    if (++this.links <= this.limits.links) return;
    throw new WorkTreeError('LIMIT', `${this.what} has more than ${this.limits.links} links to directories, as '${short(path)}'`);
  }

  /** Lets others go on, now and then. */
  async pause(): Promise<void> {
    if (++this.turns % TURN === 0) await yieldToOthers();
  }
}
