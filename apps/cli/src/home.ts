/**
 * Where weft keeps its things: everything below `$WEFT_HOME` (default ~/.weft).
 *
 * Invariants:
 *  1. A home is its real path: by whatever name it is reached, run directory and lock follow from that alone, and from no other variable.
 *  2. Directories that hold sockets are private to the user (mode 0700).
 *  3. No socket path is longer than the 107 bytes that Unix allows: a long WEFT_HOME gets its sockets in a short directory below /tmp, keyed by
 *     a hash of the real path. (Not below TMPDIR, which differs from call to call, nor /run/user, which goes when the user logs out.)
 *  4. Nothing is made in a home that belongs to another user.
 *  5. No path of a sandbox has a dot that the user did not put there (libs/storage, sandbox-root.ts).
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { sandboxRootOf } from '@weft/storage/sandbox-root';
import { CommandError } from './errors.js';
import { refuseForeignHome } from './home-owner.js';
import { makeWithParents } from './make-directory.js';

const MAX_SOCKET_PATH_BYTES = 107;
/** What is put in front of the longest socket name while it is being set up: ".<pid>". */
const LONGEST_SOCKET_NAME = '/scheduler.sock.4194304';
/** Below a home: states of hosts that found the home's own in use (stack/state.ts). */
const HOSTS = 'hosts';

export interface Home {
  root: string;
  /** Sockets and the state file. */
  run: string;
  /** The same sockets by other names, for when `run` is removed. */
  spare: string;
  /** Who has this home's state. */
  claims: string;
  redis: string;
  logs: string;
  sandboxes: string;
  /** Inputs from other hosts. */
  cache: string;
  /** Copies of the programs that a stack runs. */
  programs: string;
  /** URI ending in '/': where outputs are published. */
  dataUri: string;
}

export function homeOf(env: NodeJS.ProcessEnv = process.env): Home {
  const root = realPath(resolve(env['WEFT_HOME'] || join(homeOfUser(), '.weft')));
  const dataUri = env['WEFT_DATA_URI'] || `${pathToFileURL(join(root, 'data')).href}/`;
  const { WEFT_SANDBOX_ROOT: given, WEFT_CACHE_DIR: cache } = env;
  return {
    root,
    run: runDirectory(root),
    spare: spareDirectory(root),
    claims: join(root, 'lock'),
    redis: join(root, 'redis'),
    logs: join(root, 'logs'),
    sandboxes: given || sandboxRootOf(root, dataUri.startsWith('file:') ? fileURLToPath(dataUri) : undefined),
    cache: cache || join(given || join(root, 'sandboxes'), '.cache'),
    programs: join(root, 'programs'),
    dataUri,
  };
}

/** A home of its own, below another, for a host that must not use the other's state. */
export function homeOfHost(home: Home, host: string, number: number, env: NodeJS.ProcessEnv = process.env): Home {
  const name = `${host.replaceAll(/[^A-Za-z0-9.-]/g, '-')}${number === 1 ? '' : `-${number}`}`;
  const own = homeOf({ ...env, WEFT_HOME: join(home.root, HOSTS, name) });
  // Two runners in one sandbox root would tidy up each other's tasks.
  return env['WEFT_SANDBOX_ROOT'] ? withSandboxes(own, join(env['WEFT_SANDBOX_ROOT'], HOSTS, withoutDots(name)), env) : own;
}

export function withSandboxes(home: Home, sandboxes: string, env: NodeJS.ProcessEnv): Home {
  return { ...home, sandboxes, cache: env['WEFT_CACHE_DIR'] || join(sandboxes, '.cache') };
}

/** Another for each name. */
function withoutDots(name: string): string {
  if (!name.includes('.')) return name;
  return `${name.replaceAll('.', '-')}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

export const hostsDirectory = (home: Home): string => join(home.root, HOSTS);

/** As the file system names it; what is not there yet keeps its name below the part that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(realPath(dirname(path)), basename(path));
  }
}

function runDirectory(root: string): string {
  const plain = join(root, 'run');
  if (Buffer.byteLength(plain + LONGEST_SOCKET_NAME) <= MAX_SOCKET_PATH_BYTES) return plain;
  const key = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return join(existsSync('/tmp') ? '/tmp' : tmpdir(), `weft-${thisUser()}-${key}`);
}

/** On the file system of the run directory. */
function spareDirectory(root: string): string {
  const run = runDirectory(root);
  return run === join(root, 'run') ? join(root, 'sockets') : `${run}.sockets`;
}

/** Makes the directories. Throws where the home or its socket directory belongs to somebody else. */
export function prepareHome(home: Home): void {
  refuseForeignHome(home);
  for (const directory of [home.root, home.redis, home.logs]) make(directory, home.root);
  makePrivate(home.run);
  makePrivate(home.spare);
}

function make(directory: string, root: string): void {
  try {
    makeWithParents(directory);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT', 'EEXIST'].includes(code)) throw error;
    throw new CommandError(`nothing can be stored in ${root} (${message}): set WEFT_HOME to a directory that you may write`);
  }
}

/** Not every user has one: containers and CI run under uids that no password file knows. */
function homeOfUser(): string {
  try {
    return homedir();
  } catch {
    throw new CommandError(`HOME is not set and uid ${thisUser()} is not in the password file: set WEFT_HOME to a directory of your own`);
  }
}

/** A directory that only this user can enter. */
export function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const status = lstatSync(directory);
  if (!status.isDirectory() || status.uid !== thisUser()) {
    throw new Error(`${directory} belongs to another user or is no directory: set WEFT_HOME to a directory of your own`);
  }
  if ((status.mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

export function socketPath(home: Home, name: string): string {
  return join(home.run, `${name}.sock`);
}

/** Not userInfo(): containers and CI run under uids that no passwd file knows. */
function thisUser(): number {
  return process.getuid?.() ?? -1;
}
