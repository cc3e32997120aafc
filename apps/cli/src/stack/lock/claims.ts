/**
 * Who has a state, over any file system that several hosts share (NFS included): numbered claims, of which the highest counts.
 *
 * Invariants:
 *  1. A claim is made by creating the file of the next number, which succeeds for one only; nothing is ever taken away from its place to make room.
 *  2. A claim counts only if nothing higher is there after it was made: a directory listing may be old before, not after a change of one's own.
 *  3. The holder looks before it serves and while it serves: a higher claim ends it.
 *  4. The last claims stay, so that whoever has an old listing collides with them.
 */
import { type Place, type ProcessMark } from './place.js';
import { type Claim, type Sight, type Verdict, judge } from './verdict.js';

/** The folder of the claims. Every call may fail as file systems do. */
export interface ClaimFolder {
  names(): Promise<string[]>;
  /** Undefined where there is none. */
  read(name: string): Promise<string | undefined>;
  /** False where one of this name is there: for one caller only it is true, also over NFS. */
  create(name: string, content: string): Promise<boolean>;
  /** In place; every content has the same length. */
  overwrite(name: string, content: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Claims that stay behind the highest. */
const KEPT = 8;
/** As long as a beat. */
const RELEASED = 'released    ';

const claimName = (number: number): string => String(number).padStart(8, '0');
const beatName = (number: number): string => `${claimName(number)}.beat`;

export interface Seen extends Sight {
  number: number;
  verdict: Verdict;
}

/** The claim that counts now. */
export async function lookAtClaim(folder: ClaimFolder, self: Place, isAlive: (mark: ProcessMark) => boolean): Promise<Seen | undefined> {
  const number = await highest(folder);
  if (number === 0) return undefined;
  const beat = (await folder.read(beatName(number))) ?? '';
  const sight: Sight = { claim: parse(await folder.read(claimName(number))), beat, released: beat === RELEASED };
  return { ...sight, number, verdict: judge(sight, self, isAlive) };
}

/** Follows the claim that was seen (undefined: there was none). Undefined: somebody else was quicker. */
export async function makeClaim(folder: ClaimFolder, seen: Seen | undefined, claim: Claim): Promise<HeldClaim | undefined> {
  const number = (seen?.number ?? 0) + 1;
  if (!(await folder.create(claimName(number), JSON.stringify(claim)))) return undefined;
  const held = new HeldClaim(folder, number, claim);
  return (await held.stillCounts()) ? held : undefined;
}

export class HeldClaim {
  private beats = 0;

  constructor(
    private readonly folder: ClaimFolder,
    readonly number: number,
    readonly claim: Claim,
  ) {}

  /** False: another has the state now, or the folder is not what it was. Whoever holds it stops at once. */
  async stillCounts(): Promise<boolean> {
    if ((await highest(this.folder)) !== this.number) return false;
    const read = parse(await this.folder.read(claimName(this.number)));
    return read !== 'unreadable' && read.token === this.claim.token;
  }

  /** Tells whoever watches that the holder lives. */
  async beat(): Promise<void> {
    this.beats += 1;
    await this.folder.overwrite(beatName(this.number), String(this.beats).padStart(RELEASED.length, '0'));
  }

  /** Removes what came long before this. */
  async tidy(): Promise<void> {
    const old = (await this.folder.names()).filter(
      (name) => /^\d{8}(\.beat)?$/.test(name) && Number(name.slice(0, 8)) < this.number - KEPT,
    );
    for (const name of old) await this.folder.remove(name);
  }

  async release(): Promise<void> {
    await this.folder.overwrite(beatName(this.number), RELEASED);
  }
}

async function highest(folder: ClaimFolder): Promise<number> {
  const numbers = (await folder.names()).filter((name) => /^\d{8}$/.test(name)).map(Number);
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

function parse(text: string | undefined): Claim | 'unreadable' {
  try {
    const claim = JSON.parse(text ?? '') as Partial<Claim> | null;
    const whole = typeof claim?.token === 'string' && typeof claim.place?.host === 'string' && typeof claim.process?.pid === 'number';
    return whole ? (claim as Claim) : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
