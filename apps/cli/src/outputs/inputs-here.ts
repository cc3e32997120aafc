/**
 * What of this machine a run was given, by device and inode: it is an input by whatever path, link, hard link, bind mount or spelling it is reached.
 *
 * Invariants:
 *  1. What lies below input directories is looked through only when something could be in the way, once, and to a limit; beyond it, and beyond what
 *     cannot be looked at, a file with several names counts as an input, because one of the names may be there.
 *  2. An input that cannot be looked at, for another reason than that it is not there, may be whatever lies in the way.
 */
import type { Dirent } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CwlValue, isFile, visitFiles } from '@weft/plan';
import { codeOf, isNotThere, messageOf } from './delivery-error.js';
import { type FileOps, identityOf } from './folder.js';
import { shownLine } from '../shown-text.js';
import { isLocal, localPath } from './sources.js';

const LOOK_LIMIT = 100_000;

export class InputsHere {
  private below: Promise<{ identities: Set<string>; isWhole: boolean }> | undefined;

  private constructor(
    private readonly ops: FileOps,
    private readonly files: ReadonlySet<string>,
    /** Identity of each input directory → its path. */
    private readonly directories: ReadonlyMap<string, string>,
    /** Why nothing in the way can be told from an input. */
    readonly doubt: string | undefined,
  ) {}

  /** `more`: URIs of files that count as inputs, such as the document. */
  static async of(inputs: CwlValue, more: readonly string[], ops: FileOps): Promise<InputsHere> {
    const files = new Set<string>(more.filter(isLocal));
    const directories = new Set<string>();
    visitFiles(inputs, (entry) => {
      if (typeof entry.location === 'string' && isLocal(entry.location)) (isFile(entry) ? files : directories).add(entry.location);
    });
    const identities = new Map<string, string>();
    const known = new Set<string>();
    let doubt: string | undefined;
    const identify = async (location: string): Promise<{ identity: string; path: string } | undefined> => {
      const path = pathIn(location);
      if (path === undefined) return undefined;
      try {
        return { identity: identityOf(await ops.stat(path, { bigint: true })), path };
      } catch (error) {
        // What is not here any more is not in the way either.
        if (!isNotThere(error))
          doubt ??= `may be an input of the run: ${shownLine(path)} cannot be looked at (${codeOf(error) || messageOf(error)})`;
        return undefined;
      }
    };
    for (const location of files) known.add((await identify(location))?.identity ?? '');
    for (const location of directories) {
      const found = await identify(location);
      if (found !== undefined) identities.set(found.identity, found.path);
    }
    return new InputsHere(ops, known, identities, doubt);
  }

  /** Whether a directory is an input directory or lies in one. @param real its real path */
  async holds(real: string): Promise<boolean> {
    if (this.directories.size === 0) return false;
    for (let at = real; ; at = dirname(at)) {
      if (this.directories.has(identityOf(await this.ops.stat(at, { bigint: true })))) return true;
      if (at === dirname(at)) break;
    }
    return this.has(identityOf(await this.ops.stat(real, { bigint: true })), 1n);
  }

  /** `names`: how many names the file has. */
  async has(identity: string, names: bigint): Promise<boolean> {
    if (this.files.has(identity) || this.directories.has(identity)) return true;
    if (this.directories.size === 0) return false;
    const { identities, isWhole } = await (this.below ??= this.look());
    return identities.has(identity) || (!isWhole && names > 1n);
  }

  private async look(): Promise<{ identities: Set<string>; isWhole: boolean }> {
    const identities = new Set<string>();
    const open = [...this.directories.values()];
    let isWhole = true;
    const unlessGone =
      <T>(nothing: T) =>
      (error: unknown): T => {
        isWhole &&= isNotThere(error);
        return nothing;
      };
    for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
      const names = await this.ops.readdir(directory, { withFileTypes: true }).catch(unlessGone<Dirent[]>([]));
      for (const entry of names) {
        if (identities.size >= LOOK_LIMIT) return { identities, isWhole: false };
        const path = join(directory, entry.name);
        const stat = await this.ops.lstat(path, { bigint: true }).catch(unlessGone(undefined));
        if (stat === undefined || identities.has(identityOf(stat))) continue;
        identities.add(identityOf(stat));
        if (stat.isDirectory()) open.push(path);
      }
    }
    return { identities, isWhole };
  }
}

/** Undefined where the location cannot be that of a file. */
function pathIn(location: string): string | undefined {
  try {
    return localPath(location);
  } catch {
    return undefined;
  }
}
