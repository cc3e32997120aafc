/**
 * Gives staged files their names, and takes everything back where one of them cannot have its name.
 *
 * Invariants:
 *  1. A new name is taken only where nothing has it: by a hard link, or where there are none by making it for this alone.
 *  2. A file is replaced by a rename and only while it is the one that was looked at. Its old bytes keep a name in the staging folder until all is done.
 *  3. Directories are made one by one and entered by handle; one that is not the one looked at is not entered.
 *  4. Taking back touches only what was put there: a file, folder or name that is another one by now stays.
 */
import type { BigIntStats } from 'node:fs';
import { DeliveryError, codeOf } from './delivery-error.js';
import { type FileOps, type Folder, identityOf, within } from './folder.js';
import { hasNoLinks } from './outdir-lock.js';
import type { FileSlot, Slot } from './output-plan.js';
import type { StagedFile, Staging } from './staging.js';
import type { Step } from './survey.js';

/** Something is at a path that was not when it was looked at, or the system refuses it there: the group has to go elsewhere. */
export class Unplaceable extends Error {
  override readonly name = 'Unplaceable';
  constructor(
    readonly path: string,
    readonly why: string,
  ) {
    super(`${path} ${why}`);
  }
}

/**
 * `identity` is seen after it was done (some file systems give a file another number with another name); until then it is the staged file's, or
 * unknown for a folder.
 */
type Done =
  | { did: 'made'; names: readonly string[]; identity: string | undefined }
  | { did: 'put'; names: readonly string[]; identity: string }
  | { did: 'replaced'; names: readonly string[]; identity: string; old: string; backup: string | undefined };

/** What the system may say of one path while the rest can go on, in words. */
const REFUSED: Readonly<Record<string, string>> = {
  EEXIST: 'came there while the outputs were put in place',
  EACCES: 'may not be written by you',
  EPERM: 'may not be replaced by you',
  EBUSY: 'is in use',
  ETXTBSY: 'is in use',
  EXDEV: 'is on another file system',
  EISDIR: 'became a folder while the outputs were put in place',
  ENOTDIR: 'became something else while the outputs were put in place',
  ELOOP: 'became a link while the outputs were put in place',
};

export class Placing {
  private readonly done: Done[] = [];
  private readonly made = new Set<string>();
  /** Staged files that are no longer in the staging folder. */
  readonly consumed = new Set<StagedFile>();

  constructor(
    private readonly outdir: Folder,
    private readonly staging: Staging,
    private readonly ops: FileOps,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws Unplaceable; the system's error; what the signal was aborted with */
  async place(steps: readonly Step[], staged: ReadonlyMap<Slot, StagedFile>): Promise<void> {
    const open: { names: readonly string[]; folder: Folder }[] = [];
    try {
      for (const step of steps) {
        this.signal.throwIfAborted();
        while (open.length > 0 && !isBelow(step.names, open.at(-1)!.names)) await open.pop()!.folder.close();
        const parent = open.at(-1)?.folder ?? this.outdir;
        const folder = await this.step(step, parent, staged).catch((error: unknown) => refused(error, step));
        if (folder !== undefined) open.push({ names: step.names, folder });
      }
    } finally {
      for (const { folder } of open) await folder.close();
    }
  }

  /** What lies under the names now is what was put there. @throws DeliveryError */
  async verify(): Promise<void> {
    for (const { did, names, identity } of this.done) {
      if (did === 'made') continue;
      const there = await within(this.outdir, names.slice(0, -1), (folder) => this.lstat(folder, names.at(-1)!)).catch(() => undefined);
      if (there === undefined || identityOf(there) !== identity)
        throw new DeliveryError(`${names.join('/')} was replaced by something else while the outputs were put in place`);
    }
  }

  /** Answers with the identities of what was there before and is there again. */
  async takeBack(): Promise<string[]> {
    const back: string[] = [];
    for (const done of this.done.reverse()) {
      const { names } = done;
      await within(this.outdir, names.slice(0, -1), async (folder) => {
        const name = names.at(-1)!;
        if (done.did === 'replaced' && (await this.putBack(folder, name, done))) back.push(done.old);
        const there = await this.lstat(folder, name);
        if (there === undefined || (done.identity !== undefined && identityOf(there) !== done.identity)) return;
        if (done.did === 'put') await this.ops.unlink(folder.at(name));
        // What others have put into it meanwhile keeps it there.
        if (done.did === 'made') await this.ops.rmdir(folder.at(name)).catch(() => undefined);
      }).catch(() => undefined);
    }
    this.done.length = 0;
    this.made.clear();
    return back;
  }

  /** Answers with the folder where the step is one. */
  private async step(step: Step, parent: Folder, staged: ReadonlyMap<Slot, StagedFile>): Promise<Folder | undefined> {
    switch (step.act) {
      case 'keep':
        return undefined;
      case 'make':
        return this.make(step, parent);
      case 'merge':
        return this.enter(step, parent, step.identity);
      case 'write':
        return this.put(step, parent, stagedOf(step, staged));
      case 'replace':
        return this.replace(step, parent, stagedOf(step, staged));
    }
  }

  private async make({ names, slot }: Step, parent: Folder): Promise<Folder> {
    const name = names.at(-1)!;
    try {
      await this.ops.mkdir(parent.at(name));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      // A numbered folder is made for the first group that goes there, and found by the next.
      const folder = await this.enter({ names, slot, act: 'merge' }, parent, undefined);
      if (this.made.has(`${folder.identity} ${names.join('/')}`)) return folder;
      await folder.close();
      throw new Unplaceable(names.join('/'), 'came there while the outputs were put in place');
    }
    const done: Done = { did: 'made', names, identity: undefined };
    this.done.push(done);
    const folder = await parent.enter(name);
    done.identity = folder.identity;
    this.made.add(`${folder.identity} ${names.join('/')}`);
    return folder;
  }

  private async enter({ names }: Step, parent: Folder, identity: string | undefined): Promise<Folder> {
    const folder = await parent.enter(names.at(-1)!);
    if (identity === undefined || folder.identity === identity) return folder;
    await folder.close();
    throw new Unplaceable(names.join('/'), 'became another folder while the outputs were put in place');
  }

  private async put({ names }: Step, parent: Folder, file: StagedFile): Promise<undefined> {
    const name = names.at(-1)!;
    const from = this.staging.folder.at(file.name);
    const done: Done = { did: 'put', names, identity: file.identity };
    this.done.push(done);
    try {
      await this.ops.link(from, parent.at(name));
    } catch (error) {
      if (!hasNoLinks(error)) throw error;
      await this.putWithoutLinks(from, parent, name);
      this.consumed.add(file);
    }
    done.identity = identityOf(await this.ops.lstat(parent.at(name), { bigint: true }));
  }

  private async putWithoutLinks(from: string, parent: Folder, name: string): Promise<void> {
    const place = await this.ops.open(parent.at(name), 'wx');
    try {
      await this.ops.rename(from, parent.at(name));
    } catch (error) {
      await this.ops.unlink(parent.at(name));
      throw error;
    } finally {
      await place.close();
    }
  }

  private async replace({ names, identity: old = '' }: Step, parent: Folder, file: StagedFile): Promise<undefined> {
    const name = names.at(-1)!;
    const there = await this.lstat(parent, name);
    if (there === undefined || identityOf(there) !== old || !there.isFile())
      throw new Unplaceable(names.join('/'), 'became another file while the outputs were put in place');
    const backup = await this.keepOld(parent, name);
    // Written down first: where the rename fails, taking it back finds the old file under its name and has nothing to do.
    const done: Done = { did: 'replaced', names, identity: file.identity, old, backup };
    this.done.push(done);
    await this.ops.rename(this.staging.folder.at(file.name), parent.at(name));
    this.consumed.add(file);
    done.identity = identityOf(await this.ops.lstat(parent.at(name), { bigint: true }));
  }

  private async keepOld(parent: Folder, name: string): Promise<string | undefined> {
    const backup = this.staging.freshName();
    try {
      await this.ops.link(parent.at(name), this.staging.folder.at(backup));
      return backup;
    } catch (error) {
      // Not every file system has hard links, nor may every file be linked: then its replacement stays when the rest is taken back.
      if (hasNoLinks(error) || codeOf(error) === 'EACCES') return undefined;
      throw error;
    }
  }

  private async putBack(folder: Folder, name: string, done: Extract<Done, { did: 'replaced' }>): Promise<boolean> {
    const there = await this.lstat(folder, name);
    const is = there && identityOf(there);
    if (is === done.old) return true;
    if (is !== done.identity || done.backup === undefined) return false;
    await this.ops.rename(this.staging.folder.at(done.backup), folder.at(name));
    return true;
  }

  private async lstat(folder: Folder, name: string): Promise<BigIntStats | undefined> {
    try {
      return await this.ops.lstat(folder.at(name), { bigint: true });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

function stagedOf({ slot }: Step, staged: ReadonlyMap<Slot, StagedFile>): StagedFile {
  return staged.get(slot as FileSlot)!;
}

function isBelow(names: readonly string[], folder: readonly string[]): boolean {
  return names.length > folder.length && folder.every((name, n) => names[n] === name);
}

function refused(error: unknown, { names }: Step): never {
  const why = REFUSED[codeOf(error)];
  throw why === undefined ? error : new Unplaceable(names.join('/'), why);
}
