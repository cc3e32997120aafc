/**
 * What lies where a group of outputs is to lie, and what is to be done about it. Only looks.
 *
 * Invariants:
 *  1. Everything that a group needs is looked at before anything of it is written; one thing in the way puts the whole group elsewhere.
 *  2. Nothing is looked at through a link.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import type { BigIntStats } from 'node:fs';
import { DeliveryError, codeOf } from './delivery-error.js';
import { type Around, type There, type Verdict, decide } from './decide.js';
import { type FileOps, Folder, identityOf } from './folder.js';
import type { InputsHere } from './inputs-here.js';
import type { FileSlot, FolderSlot, Group, Slot, Slots } from './output-plan.js';
import { OWN_NAME, isLocal, localPath } from './sources.js';

/** One step of placing a group; steps of a folder come after it. */
export interface Step {
  slot: Slot;
  /** Names from the output folder. */
  names: readonly string[];
  act: 'write' | 'make' | 'replace' | 'merge' | 'keep';
  /** Of what lies there. */
  identity?: string;
}

export type Look = { steps: Step[] } | { inTheWay: string; why: string };

/** What is known of the target, and of what this delivery has done with it so far. */
export interface Ground {
  ops: FileOps;
  outdir: Folder;
  mark: bigint;
  inputs: InputsHere;
  /** Whether the output folder is an input directory or lies in one. */
  isInput: boolean;
  /** Identities of folders that are weft's own. */
  own: ReadonlySet<string>;
  /** Path from the output folder → why it could not be done there. */
  blocked: ReadonlyMap<string, string>;
  /** Files that were to be replaced before, and were put back: their times say nothing any more. */
  putBack: ReadonlySet<string>;
}

class InTheWay extends Error {
  constructor(
    readonly path: string,
    readonly why: string,
  ) {
    super(why);
  }
}

export class Survey {
  /** Identity → the path under which this delivery uses it: two names may be one on a file system that does not tell upper from lower case. */
  private readonly used = new Map<string, string>();

  private readonly device: bigint;

  constructor(private readonly ground: Ground) {
    this.device = BigInt(ground.outdir.identity.split(':')[0] ?? '');
  }

  /** @param folder '' or the number of a folder in the output folder */
  async look(group: Group, folder: string): Promise<Look> {
    const { outdir, isInput } = this.ground;
    const steps: Step[] = [];
    const uses = new Map<string, string>();
    try {
      await this.walk(outdir, treeOf(group, folder), [], { isInput: false, isClosed: false }, isInput, { steps, uses });
    } catch (error) {
      if (error instanceof InTheWay) return { inTheWay: error.path, why: error.why };
      throw error;
    }
    for (const [identity, path] of uses) this.used.set(identity, path);
    return { steps };
  }

  private async walk(
    folder: Folder | undefined,
    slots: Slots,
    above: readonly string[],
    around: Around,
    liesInInput: boolean,
    found: { steps: Step[]; uses: Map<string, string> },
  ): Promise<void> {
    for (const [name, slot] of slots) {
      const names = [...above, name];
      const stat = folder === undefined ? undefined : await this.lstat(folder, name, names);
      const there = await this.there(stat, slot, names, liesInInput, found.uses);
      const verdict: Verdict = decide(slot.kind, there, around);
      if (verdict.act === 'beside') throw new InTheWay(names.join('/'), verdict.why);
      const identity = stat && identityOf(stat);
      found.steps.push({ slot, names, act: verdict.act, identity });
      if (identity !== undefined && verdict.act !== 'keep') found.uses.set(identity, names.join('/'));
      if (slot.kind !== 'folder') continue;
      const inner = folder !== undefined && verdict.act === 'merge' ? await folder.enter(name) : undefined;
      try {
        await this.walk(inner, slot.slots, names, await this.inside(inner, there), liesInInput || there.isInput, found);
      } finally {
        await inner?.close();
      }
    }
  }

  private async inside(folder: Folder | undefined, there: There): Promise<Around> {
    if (folder === undefined) return { isInput: false, isClosed: false };
    const isClosed = await this.ground.ops.access(folder.at('.'), constants.W_OK | constants.X_OK).then(
      () => false,
      () => true,
    );
    return { isInput: there.isInput, isClosed };
  }

  private async lstat(folder: Folder, name: string, names: readonly string[]): Promise<BigIntStats | undefined> {
    try {
      return await this.ground.ops.lstat(folder.at(name), { bigint: true });
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      if (codeOf(error) === 'EACCES') throw new InTheWay(names.slice(0, -1).join('/'), 'is a folder into which you may not look');
      if (codeOf(error) === 'ENAMETOOLONG') throw new DeliveryError(`the name ${names.join('/')} is too long for the file system`);
      throw error;
    }
  }

  private async there(
    stat: BigIntStats | undefined,
    slot: Slot,
    names: readonly string[],
    liesInInput: boolean,
    uses: ReadonlyMap<string, string>,
  ): Promise<There> {
    const { mark, inputs, own, blocked, putBack } = this.ground;
    const path = names.join('/');
    const isOwn = names.length === 1 && OWN_NAME.test(names[0] ?? '');
    if (stat === undefined) return { kind: 'absent', isInput: false, isSource: false, isNew: false, isOwn, blocked: blocked.get(path) };
    const identity = identityOf(stat);
    const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
    const isSource = kind === slot.kind && (await this.isSource(identity, slot));
    const usedAs = kind === 'folder' || stat.nlink === 1n ? (uses.get(identity) ?? this.used.get(identity)) : undefined;
    const isTwice = usedAs !== undefined && usedAs !== path ? 'is another output on this file system' : undefined;
    // Files get their names from the staging folder, which takes one file system.
    const isAway = kind === 'folder' && !isSource && stat.dev !== this.device ? 'is on another file system' : undefined;
    return {
      kind,
      isInput: liesInInput || (kind !== 'link' && (await inputs.has(identity, stat.nlink))),
      isSource,
      isNew: kind === 'file' && stat.ctimeNs >= mark && !putBack.has(identity),
      isOwn: isOwn || own.has(identity),
      blocked: blocked.get(path) ?? isTwice ?? isAway ?? inputs.doubt,
    };
  }

  private async isSource(identity: string, slot: FileSlot | FolderSlot): Promise<boolean> {
    const locations = slot.kind === 'folder' ? slot.locations : slot.source.kind === 'text' ? [] : [slot.source.location];
    for (const location of locations.filter(isLocal)) {
      const stat = await this.ground.ops.stat(localPath(location), { bigint: true }).catch(() => undefined);
      if (stat !== undefined && identityOf(stat) === identity) return true;
    }
    return false;
  }
}

/** The group's slots as they hang below the output folder. */
function treeOf(group: Group, folder: string): Slots {
  if (folder === '') return group.slots;
  return new Map([[folder, { kind: 'folder', rel: [], locations: [], slots: group.slots }]]);
}

/** Where a slot of a group lies, by the group's folder. */
export function pathIn(folder: string, slot: Slot): string {
  return folder === '' ? slot.rel.join('/') : join(folder, ...slot.rel);
}
