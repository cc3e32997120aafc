/** A store with what a run published and a folder to deliver into, and what lies in a folder by name, kind, identity and bytes. */
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CwlObject, DirectoryValue, Entry, FileValue } from '@weft/plan';
import { visitFiles } from '@weft/plan';
import { type Delivery, deliver } from '../outputs/deliver.js';
import { lookAtOutdir } from '../outputs/outdir.js';

export const sha1 = (bytes: string | Buffer): string => `sha1$${createHash('sha1').update(bytes).digest('hex')}`;

export class OutputWorld {
  readonly root = mkdtempSync(join(tmpdir(), 'weft-out-'));
  readonly store = join(this.root, 'store');
  readonly outdir = join(this.root, 'out');

  constructor() {
    mkdirSync(this.store);
    mkdirSync(this.outdir);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** A file of the user. */
  write(path: string, text: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  /** A published file, as an output object names it. */
  file(path: string, text: string, more: Partial<FileValue> = {}): FileValue {
    const location = pathToFileURL(this.write(join('store', path), text)).href;
    return { class: 'File', location, basename: path.split('/').at(-1), size: Buffer.byteLength(text), checksum: sha1(text), ...more };
  }

  folder(basename: string, ...listing: Entry[]): DirectoryValue {
    return { class: 'Directory', basename, listing };
  }

  uri(path: string): string {
    return pathToFileURL(join(this.root, path)).href;
  }

  /** Delivers, as a run does that begins now. Files that are there already are older than the run by the file system's clock. */
  async deliver(outputs: CwlObject, more: Partial<Delivery> & { to?: string } = {}): Promise<{ outputs: CwlObject; told: string[] }> {
    const told: string[] = [];
    passTick(this.root);
    const folder = more.folder ?? (await lookAtOutdir(more.to ?? this.outdir));
    const signal = more.signal ?? new AbortController().signal;
    const delivery = { outputs, inputs: {}, alsoInputs: [], folder, signal, tell: (line: string) => void told.push(line), ...more };
    return { outputs: await deliver(delivery), told };
  }
}

/** Until the clock of the file system has gone on: what is made afterwards has another time. */
export function passTick(folder: string): void {
  const path = join(folder, '.tick');
  const now = (): bigint => {
    writeFileSync(path, '');
    return statSync(path, { bigint: true }).ctimeNs;
  };
  for (const before = now(); now() === before;);
  unlinkSync(path);
}

/** Path → kind, identity and bytes of everything in a folder; links are not followed. */
export function snapshot(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string): void => {
    for (const name of readdirSync(join(root, path))) {
      const at = join(path, name);
      const stat = lstatSync(join(root, at), { bigint: true });
      const content = stat.isFile() ? sha1(readFileSync(join(root, at))) : stat.isSymbolicLink() ? readlinkSync(join(root, at)) : '';
      found.set(at, `${stat.dev}:${stat.ino} ${(stat.mode & 0o170000n).toString(8)} ${content}`);
      if (stat.isDirectory()) walk(at);
    }
  };
  walk('');
  return found;
}

/** What the output object says that is not so. */
export function untruths(outputs: CwlObject): string[] {
  const found: string[] = [];
  visitFiles(outputs, ({ class: kind, path = '', location, basename, size, checksum }) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (location !== pathToFileURL(path).href) found.push(`${path} is not ${location}`);
    if (!path.endsWith(`/${basename}`)) found.push(`${path} is not called ${basename}`);
    if (kind === 'Directory') return void (stat?.isDirectory() || found.push(`${path} is no folder`));
    if (!stat?.isFile()) return void found.push(`${path} is no file`);
    const bytes = readFileSync(path);
    if (bytes.length !== size || sha1(bytes) !== checksum) found.push(`${path} holds other bytes`);
  });
  return found;
}
