/**
 * Brings the outputs of a run into the output folder and says in the output object where they are now.
 *
 * Invariants:
 *  1. Nothing that the run did not make is removed or changed, but a plain file of an output's name, which is replaced whole (decide.ts has the table).
 *  2. All or nothing: everything is copied and checked under names of the delivery's own first (staging.ts), then gets its names while no other
 *     delivery does the same here; where that fails or is interrupted, what had its name already is taken back (placing.ts).
 *  3. What the output object says is true when this returns: the path, the size and the checksum of every file.
 *  4. What the run published stays as it was: files are copied (as clones where the file system can), never moved or linked.
 */
import * as files from 'node:fs/promises';
import { join } from 'node:path';
import type { CwlObject } from '@weft/plan';
import { shownLine } from '../shown-text.js';
import { DeliveryError, codeOf, messageOf, whatSystemSaid } from './delivery-error.js';
import { type FileOps, Folder } from './folder.js';
import { homeIdentity } from './home-identity.js';
import { InputsHere } from './inputs-here.js';
import { NamePlan, foldedName } from './name-plan.js';
import { type OutputFolder, makeOutdir } from './outdir.js';
import { whileLocked } from './outdir-lock.js';
import { type FileSlot, type Group, type Placed, type Slot, type Slots, planOutputs, renderOutputs } from './output-plan.js';
import { Placing, Unplaceable } from './placing.js';
import { RemoteFiles } from './remote-files.js';
import { Sources, localPath } from './sources.js';
import { type Means, type StagedFile, Staging, checkSays, digest } from './staging.js';
import { type Ground, type Look, type Step, Survey, pathIn } from './survey.js';

export interface Delivery {
  outputs: CwlObject;
  /** The run's input object: its files and folders are not touched. */
  inputs: CwlObject;
  /** URIs of other files that are not replaced: the document, the job. */
  alsoInputs: readonly string[];
  folder: OutputFolder;
  signal: AbortSignal;
  /** A line for the user: what went beside, what is waited for. */
  tell(line: string): void;
  ops?: FileOps;
}

/** Tries until nobody else changes the folder in between. */
const TRIES = 50;
const AT_ONCE = 4;

/** @throws DeliveryError, or what the signal was aborted with; then nothing is left in the output folder */
export async function deliver(delivery: Delivery): Promise<CwlObject> {
  const { ops = files, signal, folder } = delivery;
  const means: Means = { ops, signal, remote: new RemoteFiles() };
  const madeFolders: string[] = [];
  try {
    const outputs = await new Sources(ops, means.remote, delivery.tell).complete(delivery.outputs);
    const groups = planOutputs(outputs);
    await makeOutdir(folder, ops, madeFolders);
    const real = await ops.realpath(folder.path);
    const outdir = await Folder.open(ops, real, folder.path);
    try {
      const placed = await new Work(delivery, means, groups, outdir, real).do();
      return renderOutputs(outputs, groups, placed);
    } finally {
      await outdir.close();
    }
  } catch (error) {
    for (const made of madeFolders.reverse()) await ops.rmdir(made).catch(() => undefined);
    signal.throwIfAborted();
    throw error instanceof DeliveryError ? error : new DeliveryError(inWords(error, folder.path));
  } finally {
    await means.remote.close();
  }
}

function inWords(error: unknown, path: string): string {
  return /^E[A-Z0-9]+$/.test(codeOf(error)) ? whatSystemSaid(error, path) : shownLine(messageOf(error));
}

interface Chosen {
  group: Group;
  folder: string;
  steps: Step[];
  /** What was in the way at the place that it would have had. */
  inTheWay?: { path: string; why: string };
}

class Work {
  private readonly staged = new Map<Slot, StagedFile>();
  private readonly blocked = new Map<string, string>();
  private readonly putBack = new Set<string>();
  /** Path from the output folder → what lies there now. */
  private readonly facts = new Map<string, { size: number; checksum: string }>();
  private fold: ((name: string) => string) | undefined;

  constructor(
    private readonly delivery: Delivery,
    private readonly means: Means,
    private readonly groups: readonly Group[],
    private readonly outdir: Folder,
    private readonly real: string,
  ) {}

  async do(): Promise<(group: Group, slot: Slot) => Placed> {
    if (this.groups.every(({ slots }) => slots.size === 0)) return this.teller([]);
    const staging = await Staging.open(this.outdir, this.means);
    try {
      const chosen = await this.untilPlaced(staging);
      for (const { group, folder, inTheWay } of chosen) this.tellBeside(group, folder, inTheWay);
      return this.teller(chosen);
    } finally {
      await staging.close().catch(() => undefined);
    }
  }

  private async untilPlaced(staging: Staging): Promise<Chosen[]> {
    const ground = await this.ground();
    this.fold = await this.foldOf(staging);
    await this.stage(staging, await this.choose(ground));
    for (let tries = 1; ; tries += 1) {
      const outcome = await whileLocked(this.outdir, staging, this.means, this.delivery.tell, async () => {
        const chosen = await this.choose(ground);
        if (this.unstaged(chosen).length > 0) return chosen;
        return { placed: await this.place(staging, chosen), chosen };
      });
      if (Array.isArray(outcome)) await this.stage(staging, outcome);
      else if (outcome.placed) return outcome.chosen;
      if (tries === TRIES) throw new DeliveryError(`${shownLine(this.outdir.path)} is changed by others all the time`);
    }
  }

  private async ground(): Promise<Ground> {
    const { ops } = this.means;
    const { inputs, alsoInputs, folder } = this.delivery;
    const here = await InputsHere.of(inputs, alsoInputs, ops);
    const home = await homeIdentity(ops, (why) => new DeliveryError(why));
    return {
      ops,
      outdir: this.outdir,
      mark: folder.mark,
      inputs: here,
      isInput: await here.holds(this.real),
      own: new Set(home === undefined ? [] : [home]),
      blocked: this.blocked,
      putBack: this.putBack,
    };
  }

  /** Where every group goes, and what that takes. Only looks. */
  private async choose(ground: Ground): Promise<Chosen[]> {
    const names = new NamePlan(this.fold);
    const survey = new Survey(ground);
    const chosen: Chosen[] = [];
    for (const group of this.groups) {
      this.means.signal.throwIfAborted();
      if (group.slots.size > 0) chosen.push(await this.chooseFor(group, names, survey));
    }
    return chosen;
  }

  private async chooseFor(group: Group, names: NamePlan, survey: Survey): Promise<Chosen> {
    let first: Chosen['inTheWay'];
    for (const folder of names.candidates(group.keys)) {
      const slots = new Map([...group.slots].filter(([name]) => !names.has(folder, name)));
      const look: Look = slots.size === 0 ? { steps: [] } : await survey.look({ ...group, slots }, folder);
      if ('steps' in look) {
        names.take(folder, group.keys);
        return { group, folder, steps: look.steps, inTheWay: first };
      }
      first ??= { path: look.inTheWay, why: look.why };
    }
    throw new DeliveryError(
      `output '${group.label}': ${shownLine(first?.path ?? '')} ${first?.why ?? 'is taken'}, and so is every place beside it`,
    );
  }

  private unstaged(chosen: readonly Chosen[]): Step[] {
    const isToBeWritten = ({ act, slot }: Step): boolean => (act === 'write' || act === 'replace') && !this.staged.has(slot);
    const isToBeChecked = ({ act, slot, names }: Step): boolean =>
      act === 'keep' && slot.kind === 'file' && !this.facts.has(names.join('/'));
    return chosen.flatMap(({ steps }) => steps.filter((step) => isToBeWritten(step) || isToBeChecked(step)));
  }

  private async stage(staging: Staging, chosen: readonly Chosen[]): Promise<void> {
    const steps = this.unstaged(chosen);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let step = steps[next++]; step !== undefined; step = steps[next++]) {
        const slot = step.slot as FileSlot;
        if (step.act === 'keep') this.facts.set(step.names.join('/'), await this.check(slot));
        else this.staged.set(slot, await staging.stage(slot));
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** A file that lies where it belongs already. */
  private async check(slot: FileSlot): Promise<{ size: number; checksum: string }> {
    const path = localPath(slot.source.kind === 'text' ? '' : slot.source.location);
    const checksum = await digest(this.means.ops, path, this.means.signal);
    const found = { checksum, size: (await this.means.ops.stat(path)).size };
    checkSays(slot, found, path);
    return found;
  }

  /** Answers false where somebody else was quicker at one of the paths: it has to be looked at again. */
  private async place(staging: Staging, chosen: readonly Chosen[]): Promise<boolean> {
    const placing = new Placing(this.outdir, staging, this.means.ops, this.means.signal);
    try {
      for (const { steps } of chosen) await placing.place(steps, this.staged);
      await placing.verify();
    } catch (error) {
      for (const identity of await placing.takeBack()) this.putBack.add(identity);
      if (!(error instanceof Unplaceable)) throw error;
      this.blocked.set(error.path, error.why);
      for (const [slot, file] of this.staged) if (placing.consumed.has(file)) this.staged.delete(slot);
      return false;
    }
    for (const { slot, names } of chosen.flatMap(({ steps }) => steps)) {
      const file = this.staged.get(slot);
      if (file !== undefined) this.facts.set(names.join('/'), file);
    }
    return true;
  }

  /** Asked of the file system only where names differ in nothing but their case or spelling. */
  private async foldOf(staging: Staging): Promise<((name: string) => string) | undefined> {
    const inGroups = this.groups.flatMap((group) => twinsIn(group.slots).map((twins) => ({ group, twins })));
    const all = new Set(this.groups.flatMap(({ slots }) => [...slots.keys()]));
    if (inGroups.length === 0 && new Set([...all].map(foldedName)).size === all.size) return undefined;
    if (!(await staging.takesCasesForOne())) return undefined;
    for (const { group, twins } of inGroups)
      throw new DeliveryError(`output '${group.label}': the file system does not tell ${shownLine(twins.join(' from '))}`);
    return foldedName;
  }

  private tellBeside(group: Group, folder: string, inTheWay: Chosen['inTheWay']): void {
    if (inTheWay === undefined) return;
    const { path } = this.delivery.folder;
    const where = [...group.slots.values()].map((slot) => join(path, pathIn(folder, slot))).join(', ');
    const what = inTheWay.path === '' ? path : join(path, inTheWay.path);
    this.delivery.tell(shownLine(`${what} ${inTheWay.why}: it stays as it is, and output '${group.label}' is ${where}`));
  }

  private teller(chosen: readonly Chosen[]): (group: Group, slot: Slot) => Placed {
    const folders = new Map(chosen.map(({ group, folder }) => [group, folder]));
    return (group, slot) => {
      const path = pathIn(folders.get(group) ?? '', slot);
      const { size = 0, checksum = '' } = this.facts.get(path) ?? {};
      return { path: join(this.delivery.folder.path, path), size, checksum };
    };
  }
}

/** Names of one folder that differ in nothing but their case or spelling. */
function twinsIn(slots: Slots): [string, string][] {
  const seen = new Map<string, string>();
  const found: [string, string][] = [];
  for (const [name, slot] of slots) {
    const twin = seen.get(foldedName(name));
    if (twin !== undefined) found.push([twin, name]);
    seen.set(foldedName(name), name);
    if (slot.kind === 'folder') for (const twins of twinsIn(slot.slots)) found.push(twins);
  }
  return found;
}
