/**
 * Removes what deliveries left in an output folder that were killed.
 *
 * Invariant: only a folder with the name that a delivery gives, of this user and open to nobody else, whose process is certainly dead; and in it only
 * files, because a delivery's folder is flat.
 */
import { type FileOps, type Folder } from './folder.js';
import { isCertainlyDead } from './owner.js';
import { STAGING_PREFIX } from './staging.js';

/** More names than this in the output folder are not looked through. */
const SWEEP_LIMIT = 10_000;

/** Answers whether there was anything. */
export async function sweep(outdir: Folder, ops: FileOps): Promise<boolean> {
  const names: string[] = [];
  try {
    let looked = 0;
    for await (const { name } of await ops.opendir(outdir.at('.'))) {
      if (++looked > SWEEP_LIMIT) break;
      if (name.startsWith(STAGING_PREFIX)) names.push(name);
    }
  } catch {
    // Not every folder that may be written in may be listed.
    return false;
  }
  let isSwept = false;
  for (const name of names) {
    const [, owner = ''] = /^\.weft-delivery-(.*)-[0-9a-f]{8}$/.exec(name) ?? [];
    if (!isCertainlyDead(owner)) continue;
    isSwept = true;
    await removeFlat(outdir, name, ops).catch(() => undefined);
  }
  return isSwept;
}

async function removeFlat(outdir: Folder, name: string, ops: FileOps): Promise<void> {
  const stat = await ops.lstat(outdir.at(name));
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) return;
  const folder = await outdir.enter(name);
  try {
    for (const inner of await ops.readdir(folder.at('.'))) await ops.unlink(folder.at(inner));
    await ops.rmdir(outdir.at(name));
  } finally {
    await folder.close();
  }
}
