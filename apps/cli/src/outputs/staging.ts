/**
 * A folder of this delivery's own inside the output folder, in which every file is made whole before it gets its name.
 *
 * Invariants:
 *  1. Its name says which process made it (owner.ts); nobody but its user may enter it; it is flat.
 *  2. What is staged has the size and checksum that the output object says, or the delivery fails: nobody is told one thing and given another.
 *  3. A staged file has the rights that a new file of the user gets (umask), and the right to be executed where its source has it; no other bits.
 *  4. It goes with the delivery: also when that fails, is interrupted, or the process exits. What a killed one left is removed by the next run here (sweep.ts).
 */
import { type Hash, createHash, randomBytes } from 'node:crypto';
import { constants, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { shownLine } from '../shown-text.js';
import { DeliveryError, codeOf } from './delivery-error.js';
import { type FileOps, Folder, identityOf, wayTo } from './folder.js';
import { whenExiting } from './interruption.js';
import type { FileSlot } from './output-plan.js';
import { ownerName } from './owner.js';
import type { RemoteFiles } from './remote-files.js';
import { localPath, missing } from './sources.js';

export const STAGING_PREFIX = '.weft-delivery-';
const CHUNK_BYTES = 1 << 20;
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;

export interface StagedFile {
  name: string;
  identity: string;
  size: number;
  checksum: string;
}

/** What a delivery needs of the world. */
export interface Means {
  ops: FileOps;
  remote: RemoteFiles;
  signal: AbortSignal;
}

export class Staging {
  private next = 0;
  /** Devices whose files cannot be cloned into this folder. */
  private readonly notCloned = new Set<bigint>();
  private readonly stayAtExit = whenExiting(() => this.removeNow());

  private constructor(
    private readonly means: Means,
    private readonly outdir: Folder,
    private readonly name: string,
    readonly folder: Folder,
    private readonly path: string,
  ) {}

  static async open(outdir: Folder, means: Means): Promise<Staging> {
    const name = `${STAGING_PREFIX}${ownerName()}-${randomBytes(4).toString('hex')}`;
    await means.ops.mkdir(outdir.at(name), { mode: 0o700 });
    try {
      return new Staging(means, outdir, name, await outdir.enter(name), join(outdir.path, name));
    } catch (error) {
      await means.ops.rmdir(outdir.at(name)).catch(() => undefined);
      throw error;
    }
  }

  /** A name in it that nothing has. */
  freshName(): string {
    this.next += 1;
    return String(this.next);
  }

  /** Whether the file system does not tell upper from lower case. */
  async takesCasesForOne(): Promise<boolean> {
    const name = this.freshName();
    await this.means.ops.writeFile(this.folder.at(`${name}-a`), '', { flag: 'wx' });
    return this.means.ops.lstat(this.folder.at(`${name}-A`)).then(
      () => true,
      () => false,
    );
  }

  /** @throws DeliveryError where what the output object names is not there, or is not what it says */
  async stage(slot: FileSlot): Promise<StagedFile> {
    const { ops, remote, signal } = this.means;
    signal.throwIfAborted();
    const name = this.freshName();
    const at = this.folder.at(name);
    if (slot.source.kind === 'text') await ops.writeFile(at, slot.source.text, { flag: 'wx' });
    const copied =
      slot.source.kind === 'local'
        ? await this.copy(localPath(slot.source.location), at)
        : slot.source.kind === 'remote'
          ? await remote.fetch(slot.source.location, at, slot.checksum, signal)
          : await digest(ops, at, signal);
    const stat = await ops.lstat(at, { bigint: true });
    const told = slot.source.kind === 'text' ? `the text of ${slot.rel.join('/')}` : slot.source.location;
    checkSays(slot, { size: Number(stat.size), checksum: copied }, told);
    return { name, identity: identityOf(stat), size: Number(stat.size), checksum: copied };
  }

  private async copy(source: string, at: string): Promise<string> {
    const { ops, signal } = this.means;
    const from = await openPlain(ops, source);
    try {
      const stat = await from.stat({ bigint: true });
      const rights = (stat.mode & 0o111n) === 0n ? 0o666 : 0o777;
      if (await this.cloned(wayTo(from, source), stat.dev, at)) {
        await ops.chmod(at, rights & ~process.umask());
        return await digest(ops, at, signal);
      }
      const to = await ops.open(at, 'wx', rights);
      try {
        return await throughHash(from, signal, async (bytes) => {
          for (let done = 0; done < bytes.length;) done += (await to.write(bytes, done)).bytesWritten;
        });
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  }

  /** A copy that shares its blocks, where the file system makes such: at once, and without room. */
  private async cloned(from: string, device: bigint, at: string): Promise<boolean> {
    if (this.notCloned.has(device)) return false;
    try {
      await this.means.ops.copyFile(from, at, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      if (!['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY', 'EPERM'].includes(codeOf(error))) throw error;
      this.notCloned.add(device);
      await this.means.ops.unlink(at).catch(() => undefined);
      return false;
    }
  }

  /** What it cannot remove now it tries again when the process exits. */
  async close(): Promise<void> {
    const { ops } = this.means;
    try {
      for (const name of await ops.readdir(this.folder.at('.'))) await ops.unlink(this.folder.at(name));
      await ops.rmdir(this.outdir.at(this.name));
      this.stayAtExit();
    } finally {
      await this.folder.close();
    }
  }

  /** Where the process ends in the middle: nothing can be waited for any more. */
  private removeNow(): void {
    try {
      for (const name of readdirSync(this.path)) unlinkSync(join(this.path, name));
      rmdirSync(this.path);
    } catch {
      // It is gone, or cannot be removed: the next run tries again.
    }
  }
}

/** @throws DeliveryError where size or checksum is another than the output object says */
export function checkSays(slot: FileSlot, found: { size: number; checksum: string }, where: string): void {
  const says = (what: string, is: unknown, said: unknown): DeliveryError =>
    new DeliveryError(`${shownLine(where)} has the ${what} ${is}, and the run said ${said}: it was changed after it was published`);
  if (slot.checksum?.startsWith('sha1$') && slot.checksum !== found.checksum) throw says('checksum', found.checksum, slot.checksum);
  if (slot.size !== undefined && slot.size !== found.size) throw says('size', found.size, slot.size);
}

/** Opened without waiting, and a plain file. */
export async function openPlain(ops: FileOps, path: string): Promise<FileHandle> {
  const file = await ops.open(path, READ_ONLY).catch((error: unknown) => missing(error, path));
  const isPlain = await file.stat().then((stat) => stat.isFile());
  if (isPlain) return file;
  await file.close();
  throw new DeliveryError(`${shownLine(path)} is not a plain file`);
}

export async function digest(ops: FileOps, path: string, signal: AbortSignal): Promise<string> {
  const file = await openPlain(ops, path);
  try {
    return await throughHash(file, signal, async () => undefined);
  } finally {
    await file.close();
  }
}

async function throughHash(file: FileHandle, signal: AbortSignal, each: (bytes: Buffer) => Promise<void>): Promise<string> {
  const hash: Hash = createHash('sha1');
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size + 1));
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return `sha1$${hash.digest('hex')}`;
    const bytes = buffer.subarray(0, bytesRead);
    hash.update(bytes);
    await each(bytes);
  }
}
