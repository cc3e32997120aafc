/**
 * Where weft keeps its things: everything below `$WEFT_HOME` (default ~/.weft).
 *
 * Invariants:
 *  1. Directories that hold sockets are private to the user (mode 0700).
 *  2. No socket path is longer than the 107 bytes that Unix allows: a long WEFT_HOME gets its sockets in a short directory below
 *     /tmp, keyed by a hash of WEFT_HOME. (Not below TMPDIR, which differs between a command and its services.)
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const MAX_SOCKET_PATH_BYTES = 107;
/** What is put in front of the longest socket name while it is being set up: ".<pid>". */
const LONGEST_SOCKET_NAME = '/scheduler.sock.4194304';

export interface Home {
  root: string;
  /** Sockets and the state file. */
  run: string;
  redis: string;
  logs: string;
  sandboxes: string;
  /** URI ending in '/': where outputs are published. */
  dataUri: string;
}

export function homeOf(env: NodeJS.ProcessEnv = process.env): Home {
  const root = resolve(env['WEFT_HOME'] || join(homedir(), '.weft'));
  return {
    root,
    run: runDirectory(root),
    redis: join(root, 'redis'),
    logs: join(root, 'logs'),
    sandboxes: env['WEFT_SANDBOX_ROOT'] || join(root, 'sandboxes'),
    dataUri: env['WEFT_DATA_URI'] || `${pathToFileURL(join(root, 'data')).href}/`,
  };
}

function runDirectory(root: string): string {
  const plain = join(root, 'run');
  if (Buffer.byteLength(plain + LONGEST_SOCKET_NAME) <= MAX_SOCKET_PATH_BYTES) return plain;
  const key = createHash('sha256').update(root).digest('hex').slice(0, 16);
  return join(existsSync('/tmp') ? '/tmp' : tmpdir(), `weft-${userInfo().uid}-${key}`);
}

/** Makes the directories. Throws where the socket directory belongs to somebody else. */
export function prepareHome(home: Home): void {
  for (const directory of [home.root, home.run, home.redis, home.logs]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const status = lstatSync(home.run);
  if (!status.isDirectory() || status.uid !== userInfo().uid) {
    throw new Error(`${home.run} belongs to another user or is no directory: set WEFT_HOME to a directory of your own`);
  }
  if ((status.mode & 0o077) !== 0) chmodSync(home.run, 0o700);
}

export function socketPath(home: Home, name: string): string {
  return join(home.run, `${name}.sock`);
}
