/**
 * The folder that `--outdir` names, looked at before the first task: what would keep the outputs from it is said now.
 *
 * Invariants:
 *  1. Nothing is left behind: a file of a block is made in it (where it does not exist yet, in the folder where it would be made) and removed.
 *  2. The times of that file are the mark: what has been made or changed in the folder since the run began has a time not before it, by the
 *     clock of the file system itself, also where that is another host's.
 *  3. What deliveries left in it that were killed is removed (sweep.ts).
 *  4. It ends, also where the file system does not answer.
 */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import * as files from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError } from '../errors.js';
import { homeOf } from '../home.js';
import { shownLine } from '../shown-text.js';
import { codeOf, whatSystemSaid } from './delivery-error.js';
import { type FileOps, Folder, identityOf } from './folder.js';
import { homeIdentity } from './home-identity.js';
import { ownerName } from './owner.js';
import { sweep } from './sweep.js';
import { answered } from './unanswered.js';

export const PROBE_PREFIX = '.weft-probe-';
const ANSWER_LIMIT_MS = 30_000;
const PROBE_BYTES = 4096;
/** Of a look at what comes and goes. */
const TRIES = 20;

export interface OutputFolder {
  /** Absolute, as the user wrote it: what locations in the output object begin with. */
  path: string;
  /** Nanoseconds by the file system's clock: what changed at or after it changed while the run was under way. */
  mark: bigint;
}

/** @throws CommandError with one sentence where outputs could not be put there */
export async function lookAtOutdir(given: string, ops: FileOps = files, limitMs = ANSWER_LIMIT_MS): Promise<OutputFolder> {
  return answered(`--outdir ${shownLine(given)}`, limitMs, look(given, ops));
}

async function look(given: string, ops: FileOps): Promise<OutputFolder> {
  const refuse = (why: string): CommandError => new CommandError(`--outdir ${shownLine(given)}: ${why}`);
  const path = await absolute(given, ops, refuse);
  const { folder, missing } = await nearestFolder(path, ops, refuse);
  const real = await ops.realpath(folder);
  await refuseOwnHome(real, ops, refuse);
  const mark = await markIn(real, ops).catch((error: unknown) => {
    const why = whatSystemSaid(error, folder);
    throw refuse(missing.length === 0 ? why : `it does not exist and cannot be made: ${why}`);
  });
  // What the kernel shows of this process (/proc/self, /dev/fd) is something else for whoever reads the output object.
  return { path: /^\/(proc|dev)\//.test(path) ? join(real, ...missing) : path, mark };
}

type Refuse = (why: string) => CommandError;

async function absolute(given: string, ops: FileOps, refuse: Refuse): Promise<string> {
  if (given === '') throw new CommandError('--outdir is empty: name a folder, or leave it out for the current one');
  if (/^[a-z][a-z0-9+.-]*:\//i.test(given)) throw refuse('that is a URI; name a folder of this machine');
  const [first = ''] = given.split('/');
  if (first.startsWith('~') && !(await exists(resolve(first), ops)))
    throw refuse(`the shell has not replaced "${first}": write --outdir ${given} with a space, or the whole path`);
  try {
    return resolve(given);
  } catch {
    throw refuse('the current folder has been deleted: go to another one, or name the whole path');
  }
}

async function exists(path: string, ops: FileOps): Promise<boolean> {
  return ops.lstat(path).then(
    () => true,
    () => false,
  );
}

async function isLink(path: string, ops: FileOps): Promise<boolean> {
  return ops.lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

/** Another run may make it in the moment in which it is found missing. */
async function statOf(path: string, ops: FileOps): Promise<Stats> {
  for (let tries = 1; ; tries++) {
    try {
      return await ops.stat(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries >= TRIES || !(await exists(path, ops)) || (await isLink(path, ops))) throw error;
    }
  }
}

/** The folder itself, or the nearest one above it that exists, and the names that are missing. */
async function nearestFolder(path: string, ops: FileOps, refuse: Refuse): Promise<{ folder: string; missing: string[] }> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      const found = await statOf(at, ops);
      if (found.isDirectory()) return { folder: at, missing };
      throw refuse(at === path ? 'that is not a folder' : `${shownLine(at)} is not a folder`);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      const code = codeOf(error);
      if (code === 'EACCES') throw refuse(`you may not look into ${shownLine(dirname(at))}`);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw refuse(whatSystemSaid(error, at));
      if (code === 'ENOENT' && (await isLink(at, ops))) throw refuse(`${at === path ? 'it' : shownLine(at)} is a link that leads nowhere`);
      if (at === dirname(at)) throw refuse(whatSystemSaid(error, at));
    }
    missing.unshift(basename(at));
  }
}

/** What weft keeps for itself is no place for outputs: they would lie among its state. */
async function refuseOwnHome(real: string, ops: FileOps, refuse: Refuse): Promise<void> {
  const home = await homeIdentity(ops, refuse);
  if (home === undefined) return;
  for (let at = real; ; at = dirname(at)) {
    const above = await ops.stat(at, { bigint: true });
    if (identityOf(above) === home) throw refuse(`that is inside ${homeOf().root}, where weft keeps its own files`);
    if (at === dirname(at)) return;
  }
}

/** What killed deliveries left is removed first: it may be other names of files that lie there, whose times change with that. */
async function markIn(folder: string, ops: FileOps): Promise<bigint> {
  const mark = await probe(folder, ops);
  const opened = await Folder.open(ops, folder);
  const isSwept = await sweep(opened, ops).finally(() => opened.close());
  if (!isSwept) return mark;
  const after = await probe(folder, ops);
  for (let later = after; ; later = await probe(folder, ops)) if (later > after) return later;
}

async function probe(folder: string, ops: FileOps): Promise<bigint> {
  const path = join(folder, `${PROBE_PREFIX}${ownerName()}-${randomBytes(4).toString('hex')}`);
  const file = await ops.open(path, 'wx', 0o600);
  try {
    await file.write(Buffer.alloc(PROBE_BYTES));
    return (await file.stat({ bigint: true })).ctimeNs;
  } finally {
    await file.close().finally(() => ops.unlink(path));
  }
}

/** Makes what is missing of it, name by name: the recursive mkdir of Node never ends where the kernel takes no folders. What it makes is added to `made`. */
export async function makeOutdir({ path }: OutputFolder, ops: FileOps, made: string[]): Promise<void> {
  const { folder, missing } = await nearestFolder(path, ops, (why) => new CommandError(`${shownLine(path)}: ${why}`));
  let at = folder;
  for (const name of missing) {
    at = join(at, name);
    try {
      await ops.mkdir(at);
      made.push(at);
    } catch (error) {
      // Another delivery made it just now; what it is will be seen when it is entered.
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}
