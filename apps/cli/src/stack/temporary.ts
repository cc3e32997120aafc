/**
 * The services' own temporary directory, below WEFT_HOME: no cleaner of /tmp and no batch job's end takes it away from under them.
 *
 * Invariant: what earlier services left there goes when a stack starts, before any of its programs runs; only names that weft gives.
 */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from './environment.js';

const OURS = 'weft-';
const DOOMED = 'weft-old-';

/** Resolves when what was left is gone; the directory can be used as soon as this returns. */
export async function freshTemporaryDirectory(root: string): Promise<void> {
  const directory = temporaryDirectory(root);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const left = readdirSync(directory).filter((name) => name.startsWith(OURS));
  // Out of the way of new ones first; large ones take their time to go.
  const doomed = left.map((name) => {
    if (name.startsWith(DOOMED)) return name;
    const aside = `${DOOMED}${process.pid}-${name}`;
    renameSync(join(directory, name), join(directory, aside));
    return aside;
  });
  await Promise.all(doomed.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}
