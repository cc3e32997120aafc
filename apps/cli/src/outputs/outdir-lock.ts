/**
 * One delivery at a time gives files their names in an output folder: a file `.weft-outdir-lock` in it that holds its owner's name. It is held while
 * targets are looked at and names are given, not while files are copied.
 *
 * Invariants:
 *  1. The lock is made whole or not at all: a hard link to a file that is written already (made in one call where there are no hard links).
 *  2. A lock is taken from its owner only where that is certainly dead, and by one process at a time (`.weft-outdir-lock-2` says who does it).
 *  3. Waiting has a limit, and says for whom.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { shownLine } from '../shown-text.js';
import { DeliveryError, codeOf } from './delivery-error.js';
import type { Folder } from './folder.js';
import { whenExiting } from './interruption.js';
import { describeOwner, isCertainlyDead, ownerName } from './owner.js';
import type { Means, Staging } from './staging.js';

const LOCK = '.weft-outdir-lock';
const BREAKING = '.weft-outdir-lock-2';
const LIMIT_MS = 30_000;
const PAUSE_MS = 20;
const TELL_AFTER_MS = 2_000;
const MAX_OWNER_BYTES = 200;

/** Does the work while no other delivery gives names in this folder. */
export async function whileLocked<T>(
  outdir: Folder,
  staging: Staging,
  { ops, signal }: Means,
  tell: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = new OutdirLock(outdir, staging, ops, signal);
  await lock.take(tell);
  const forget = whenExiting(() => lock.dropNow());
  try {
    return await work();
  } finally {
    // Where it cannot be removed, others will find its owner dead.
    await lock.drop().then(forget, () => undefined);
  }
}

class OutdirLock {
  constructor(
    private readonly outdir: Folder,
    private readonly staging: Staging,
    private readonly ops: Means['ops'],
    private readonly signal: AbortSignal,
  ) {}

  async take(tell: (line: string) => void): Promise<void> {
    let isTold = false;
    for (let waited = 0; !(await this.tryTake(LOCK)); waited += PAUSE_MS) {
      const holder = await this.holder(LOCK);
      if (holder !== undefined && isCertainlyDead(holder)) {
        await this.breakFrom(holder);
        continue;
      }
      const who = `${describeOwner(holder ?? '')} is putting files there`;
      if (waited >= LIMIT_MS) throw this.tooLong(who);
      if (waited >= TELL_AFTER_MS && !isTold) tell(`waiting for ${shownLine(this.outdir.path)}: ${who}`);
      isTold ||= waited >= TELL_AFTER_MS;
      await delay(PAUSE_MS, undefined, { signal: this.signal });
    }
  }

  private tooLong(who: string): DeliveryError {
    const path = shownLine(join(this.outdir.path, LOCK));
    return new DeliveryError(`${who} (${path}) since ${LIMIT_MS / 1000} s; where no such process is at work, remove that file`);
  }

  async drop(): Promise<void> {
    await this.ops.unlink(this.outdir.at(LOCK));
  }

  dropNow(): void {
    try {
      unlinkSync(join(this.outdir.path, LOCK));
    } catch {
      // Its owner is dead in a moment: the next one takes it away.
    }
  }

  private async tryTake(name: string): Promise<boolean> {
    const own = this.staging.freshName();
    await this.ops.writeFile(this.staging.folder.at(own), ownerName(), { flag: 'wx' });
    try {
      await this.ops.link(this.staging.folder.at(own), this.outdir.at(name));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      if (!hasNoLinks(error)) throw error;
      return await this.tryMake(name);
    } finally {
      await this.ops.unlink(this.staging.folder.at(own));
    }
  }

  private async tryMake(name: string): Promise<boolean> {
    try {
      await this.ops.writeFile(this.outdir.at(name), ownerName(), { flag: 'wx' });
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  private async holder(name: string): Promise<string | undefined> {
    try {
      const stat = await this.ops.lstat(this.outdir.at(name));
      if (!stat.isFile() || stat.size > MAX_OWNER_BYTES) return undefined;
      return await this.ops.readFile(this.outdir.at(name), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return undefined;
      throw error;
    }
  }

  /** Nobody else takes a dead one's lock away meanwhile, so what is removed is the dead one's. */
  private async breakFrom(dead: string): Promise<void> {
    if (!(await this.tryTake(BREAKING))) {
      const breaker = await this.holder(BREAKING);
      if (breaker !== undefined && isCertainlyDead(breaker)) {
        const path = shownLine(join(this.outdir.path, BREAKING));
        throw new DeliveryError(`${path} was left by a process that was killed: remove that file`);
      }
      await delay(PAUSE_MS, undefined, { signal: this.signal });
      return;
    }
    try {
      if ((await this.holder(LOCK)) === dead) await this.ops.unlink(this.outdir.at(LOCK));
    } finally {
      await this.ops.unlink(this.outdir.at(BREAKING));
    }
  }
}

/** A file system without hard links, or without one more for this file. */
export function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error));
}
