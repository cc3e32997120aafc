/**
 * Whose a home is, looked at before anything is made in it: files of root in a user's home would keep that user out for ever.
 */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isWritable } from '@weft/storage/host-paths';

/** Nobody else works with these. */
const OWN = ['run', 'redis', 'logs', 'lock', 'sockets', 'programs'];
/** Their entries are opened by name. */
const LOOKED_INTO = ['redis', 'redis/appendonlydir', 'logs', 'lock', 'run'];
/** May belong to others, as long as this user can write. */
const WRITTEN = ['', 'sandboxes', 'hosts', 'data', 'data/runs', 'data/archive'];

interface HomeRoot {
  root: string;
}

export interface Owner {
  uid: number;
  env: NodeJS.ProcessEnv;
  passwd: string;
}

/** @throws Error, one sentence: whose file is in the way, and what to do. */
export function refuseForeignHome(home: HomeRoot, self: Owner = thisUser()): void {
  if (self.uid < 0) return;
  if (self.uid === 0) refuseRoot(home, self);
  else refuseWhatIsNotOwn(home, self.uid);
}

/** Root can write everywhere. Where the place belongs to a person of this machine, root's files would be in that person's way. */
function refuseRoot({ root }: HomeRoot, { env, passwd }: Owner): void {
  const place = nearest(root);
  const owner = lstatSync(place).uid;
  if (owner === 0) return;
  const name = passwd
    .split('\n')
    .find((line) => line.split(':')[2] === String(owner))
    ?.split(':')[0];
  // A container's root in a directory of whoever started it harms nobody: here, that user does not exist.
  if (name === undefined && env['SUDO_UID'] !== String(owner)) return;
  const who = name ?? `uid ${owner}`;
  throw new Error(
    `this is root, and ${place} belongs to ${who}, whom files of root would keep out of ${root}: ` +
      `call weft as ${who}, or set WEFT_HOME to a directory of root's own`,
  );
}

function refuseWhatIsNotOwn({ root }: HomeRoot, uid: number): void {
  const entries = LOOKED_INTO.flatMap((name) => entriesOf(join(root, name)).map((entry) => join(root, name, entry)));
  for (const path of [...OWN.map((name) => join(root, name)), ...entries]) {
    const owner = lstatSync(path, { throwIfNoEntry: false })?.uid ?? uid;
    if (owner !== uid) throw refusal(path, owner, uid, root);
  }
  for (const path of WRITTEN.map((name) => join(root, name))) {
    const owner = lstatSync(path, { throwIfNoEntry: false })?.uid;
    if (owner !== undefined && owner !== uid && !isWritable(path)) throw refusal(path, owner, uid, root);
  }
}

function refusal(path: string, owner: number, uid: number, root: string): Error {
  return new Error(
    `${path} belongs to ${owner === 0 ? 'root' : `uid ${owner}`}, so this user cannot work in ${root}: ` +
      `give it back with \`sudo chown -R ${uid} ${root}\`, or set WEFT_HOME to a directory of your own`,
  );
}

function nearest(path: string): string {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined ? nearest(dirname(path)) : path;
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // Not there, no directory, or not ours: the entry itself is looked at above.
    return [];
  }
}

function thisUser(): Owner {
  let passwd = '';
  try {
    passwd = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // A system without that file names its users elsewhere.
  }
  return { uid: process.getuid?.() ?? -1, env: process.env, passwd };
}
