/**
 * The programs a stack runs: a copy below the home, named by what is in it. The clone may be moved, removed or built anew below a running stack.
 *
 * Invariants:
 *  1. A copy is used only when it is whole: its parts appear under a mark that is written last.
 *  2. Where home and clone lie on one file system nothing is copied: the files are linked, and a build never writes into a file that is there.
 *  3. Copies that no stack has used for weeks are removed.
 */
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Home } from '../home.js';

export type Part = 'core' | 'extra';

interface Build {
  id: string;
  core: string[];
  extra: string[];
}

const UNUSED_MS = 14 * 86_400_000;
const TREE = 'tree';

/** The directory of the programs that run here: this file is bundled into one of them. */
export function distDirectory(): string {
  return dirname(fileURLToPath(import.meta.url));
}

/** What distinguishes this build from any other: what is in its files, not where they lie or when they were made. */
export function buildId(): string {
  return readBuild(distDirectory()).id;
}

/** Makes a part of the copy where it is not there yet. Answers with the directory of its programs. */
export function copyPrograms(home: Home, part: Part, from = distDirectory()): string {
  const build = readBuild(from);
  const directory = join(home.programs, build.id);
  const dist = join(directory, TREE, 'dist');
  const mark = join(directory, part);
  // Run from a copy: it is whole, and is the copy.
  if (resolve(from) === resolve(dist) && isThere(mark)) return dist;
  if (!isThere(mark)) {
    for (const path of build[part]) place(resolve(from, '..', path), join(directory, TREE, path));
    writeFileSync(join(dist, 'programs.json'), JSON.stringify(build));
    linkPackages(directory, from);
    writeFileSync(mark, '');
  }
  return dist;
}

/** Tells that the copy is in use; now and then while it is. */
export function touchPrograms(dist: string): void {
  const now = new Date();
  try {
    utimesSync(resolve(dist, '../../core'), now, now);
  } catch {
    // Not a copy, or somebody removed it: nothing depends on the mark's time but its removal.
  }
}

/** Beside the copy that is in use. */
export function removeUnusedPrograms(dist: string): void {
  const inUse = resolve(dist, '../..');
  const programs = dirname(inUse);
  // Run from a clone: what lies beside that is nobody's copy.
  if (!isThere(join(inUse, 'core'))) return;
  for (const id of readdirSync(programs)) {
    const directory = join(programs, id);
    if (directory === inUse) continue;
    const used = statSync(join(directory, 'core'), { throwIfNoEntry: false }) ?? statSync(directory, { throwIfNoEntry: false });
    if (used !== undefined && Date.now() - used.mtimeMs > UNUSED_MS) rmSync(directory, { recursive: true, force: true });
  }
}

/** Two clients may do this at the same time: each file appears whole, by rename. */
function place(source: string, target: string): void {
  if (isThere(target)) return;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const beside = `${target}.${process.pid}`;
  rmSync(beside, { force: true });
  try {
    linkSync(source, beside);
  } catch {
    // Another file system, one without links, or somebody else's file that must not be linked.
    copyFileSync(source, beside);
  }
  renameSync(beside, target);
}

/** Native add-ons are found beside the clone while it is there; what loads them does without. */
function linkPackages(directory: string, from: string): void {
  try {
    symlinkSync(resolve(from, '../node_modules'), join(directory, 'node_modules'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function readBuild(dist: string): Build {
  try {
    return JSON.parse(readFileSync(join(dist, 'programs.json'), 'utf8')) as Build;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${dist} is not a whole build, or was moved away: build it with \`npm run build\``);
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
