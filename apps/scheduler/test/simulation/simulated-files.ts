/**
 * Files of the simulation: texts by URI. A file's version follows from its text, as the validators of object stores do; a directory is there
 * as long as something lies in it.
 */
import { withoutEndSlashes } from '@weft/plan';
import { type Storage, StorageError, type StoredEntry, type StoredStat } from '@weft/storage';

export const DATA_URI = 'mem://data/';
const DIRECTORY: StoredStat = { kind: 'directory', size: 0, version: '' };
const unused = (): Promise<never> => Promise.reject(new Error('the simulation has no streams'));

export class SimulatedFiles implements Storage {
  readonly texts = new Map<string, string>();
  readonly open = unused;
  readonly publish = unused;

  async stat(uri: string): Promise<StoredStat> {
    const text = this.texts.get(plain(uri));
    if (text !== undefined) return { kind: 'file', size: text.length, version: `version of ${text}` };
    if (this.below(uri).length === 0) throw notFound(uri);
    return DIRECTORY;
  }

  async readText(uri: string): Promise<string> {
    const text = this.texts.get(plain(uri));
    if (text === undefined) throw notFound(uri);
    return text;
  }

  async list(uri: string): Promise<StoredEntry[]> {
    const prefix = `${plain(uri)}/`;
    const names = new Set(this.below(uri).map((path) => path.slice(prefix.length).split('/')[0] ?? ''));
    if (names.size === 0) throw notFound(uri);
    return Promise.all([...names].sort().map(async (name) => ({ name, uri: prefix + name, ...(await this.stat(prefix + name)) })));
  }

  async writeText(uri: string, text: string): Promise<void> {
    this.texts.set(plain(uri), text);
  }

  async copyTree(from: string, to: string): Promise<void> {
    for (const [path, text] of this.tree(from)) this.texts.set(plain(to) + path, text);
  }

  async moveTree(from: string, to: string): Promise<void> {
    const tree = this.tree(from);
    for (const [path] of tree) this.texts.delete(plain(from) + path);
    for (const [path, text] of tree) this.texts.set(plain(to) + path, text);
  }

  async removeTree(uri: string): Promise<void> {
    this.texts.delete(plain(uri));
    for (const path of this.below(uri)) this.texts.delete(path);
  }

  /** URIs of the files below a directory. */
  below(uri: string): string[] {
    const prefix = `${plain(uri)}/`;
    return [...this.texts.keys()].filter((path) => path.startsWith(prefix));
  }

  /** What is to be copied: '' stands for the file itself. @throws StorageError NOT_FOUND */
  private tree(uri: string): [string, string][] {
    const own = plain(uri);
    const paths = this.texts.has(own) ? [own] : this.below(uri);
    if (paths.length === 0) throw notFound(uri);
    return paths.map((path) => [path.slice(own.length), this.texts.get(path) ?? '']);
  }
}

function plain(uri: string): string {
  return withoutEndSlashes(uri);
}

function notFound(uri: string): StorageError {
  return new StorageError('NOT_FOUND', `${uri} is not there`, uri);
}
