/**
 * What is to lie below the output folder: the output object as groups of named slots. Pure.
 *
 * Invariants:
 *  1. Every slot has a plain name: nothing of an output object leads out of the folder it is put in. Names and namesakes are by the rules of
 *     libs/plan (plain-names.ts, entries.ts); whoever made the output object, they are looked at again before anything is written.
 *  2. A File and its secondary files are one group and lie in one folder, under their own names.
 *  3. Equally named directories of one listing are one directory that holds what both hold; an equally named file is an error, but for the very same file (CWL
 *     v1.2, Directory): nobody gets fewer files than the output object names.
 *  4. The output object is rendered from the slots: a location is where the slot was put, size and checksum are what was found there.
 */
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import {
  type CwlObject,
  type CwlValue,
  type DirectoryValue,
  type FileValue,
  isFileOrDirectory,
  isObject,
  isSameFile,
  nameProblem,
  writeJson,
  type Entry,
} from '@weft/plan';
import { shownLine } from '../shown-text.js';
import { DeliveryError } from './delivery-error.js';
import { isRemote } from './remote-files.js';
import { isLocal } from './sources.js';

export type Source = { kind: 'local' | 'remote'; location: string } | { kind: 'text'; text: string };

export interface FileSlot {
  kind: 'file';
  /** Names from the folder in which the group is put. */
  rel: readonly string[];
  value: FileValue;
  source: Source;
  /** Bytes and "sha1$<hex>", as the output object says. */
  size?: number;
  checksum?: string;
}

export interface FolderSlot {
  kind: 'folder';
  rel: readonly string[];
  /** Where it lies, as far as it is on this machine: it may be the very folder that is found at its target. */
  locations: string[];
  slots: Slots;
}

export type Slot = FileSlot | FolderSlot;
export type Slots = Map<string, Slot>;

/** An output's File or Directory, with what is beside it. */
export interface Group {
  /** As people name it: `out`, `out[3]`, `out.member`. */
  label: string;
  slots: Slots;
  /** By name: equal where two groups want the same bytes under the same name, so that one will do. */
  keys: Map<string, string>;
  placement: Placement;
}

interface Placement {
  value: Entry;
  /** Absent: it stays where it is, its location is the answer. */
  slot?: Slot;
  beside: Placement[];
  listing: Placement[];
}

/** What came to lie in a slot. */
export interface Placed {
  path: string;
  size: number;
  checksum: string;
}

export function planOutputs(outputs: CwlObject): Group[] {
  const groups: Group[] = [];
  replaceEntries(outputs, '', (entry, label) => {
    const slots: Slots = new Map();
    const placement = inOutput(label, () => add(entry, slots, []));
    const keys = new Map([...slots].map(([name, slot]) => [name, keyOf(slot, groups.length)]));
    groups.push({ label, slots, keys, placement });
    return null;
  });
  return groups;
}

/** The output object as it is below the output folder. `pathOf`, `factsOf`: of a slot of the n-th group. */
export function renderOutputs(outputs: CwlObject, groups: readonly Group[], placed: (group: Group, slot: Slot) => Placed): CwlObject {
  let next = 0;
  return replaceEntries(outputs, '', () => {
    const group = groups[next++]!;
    return rendered(group.placement, (slot) => placed(group, slot));
  }) as CwlObject;
}

/** Files first found are first; the same order at every call. */
function replaceEntries(value: CwlValue, label: string, replace: (entry: Entry, label: string) => CwlValue): CwlValue {
  if (Array.isArray(value)) return value.map((item, n) => replaceEntries(item, `${label}[${n}]`, replace));
  if (isFileOrDirectory(value)) return replace(value, label);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [
    key,
    replaceEntries(member ?? null, label === '' ? key : `${label}.${key}`, replace),
  ]);
  return Object.fromEntries(members) as CwlObject;
}

function inOutput<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DeliveryError ? new DeliveryError(`output '${label}': ${error.message}`) : error;
  }
}

function add(entry: Entry, into: Slots, above: readonly string[]): Placement {
  if (entry.location !== undefined && !isLocal(entry.location) && !isRemote(entry.location))
    return { value: entry, beside: [], listing: [] };
  const name = entry.basename ?? '';
  const problem = nameProblem(name);
  if (problem !== undefined)
    throw new DeliveryError(`the name ${shownName(name)} of a ${entry.class} ${problem}; nothing is written under it`);
  const rel = [...above, name];
  return entry.class === 'File' ? addFile(entry as FileValue, name, rel, into) : addFolder(entry as DirectoryValue, name, rel, into);
}

function addFile(file: FileValue, name: string, rel: readonly string[], into: Slots): Placement {
  // Only what can be compared counts: an object that others wrote may hold anything.
  const size = typeof file.size === 'number' ? file.size : undefined;
  const checksum = typeof file.checksum === 'string' ? file.checksum : undefined;
  const slot: FileSlot = { kind: 'file', rel, value: file, source: sourceOf(file), size, checksum };
  const there = into.get(name);
  if (there !== undefined && !(there.kind === 'file' && isSameFile(there.value, slot.value))) throw clash(there, slot);
  if (there === undefined) into.set(name, slot);
  const beside = (file.secondaryFiles ?? []).map((item) => add(item, into, rel.slice(0, -1)));
  return { value: file, slot: there ?? slot, beside, listing: [] };
}

function addFolder(directory: DirectoryValue, name: string, rel: readonly string[], into: Slots): Placement {
  const there = into.get(name);
  const slot: FolderSlot = there?.kind === 'folder' ? there : { kind: 'folder', rel, locations: [], slots: new Map() };
  if (there !== undefined && there !== slot) throw clash(there, slot);
  into.set(name, slot);
  if (directory.location !== undefined && isLocal(directory.location)) slot.locations.push(directory.location);
  const listing = (directory.listing ?? []).map((item) => add(item, slot.slots, rel));
  return { value: directory, slot, beside: [], listing };
}

function sourceOf(file: FileValue): Source {
  if (file.location !== undefined) return { kind: isRemote(file.location) ? 'remote' : 'local', location: file.location };
  if (typeof file.contents !== 'string') throw new DeliveryError(`File ${shownName(file.basename)} has neither a location nor contents`);
  return { kind: 'text', text: file.contents };
}

/** How long a name is shown in a message. */
const SHOWN_NAME = 80;

/** A name in a message; in an object that others wrote it may be no text at all. */
function shownName(name: unknown): string {
  const text = typeof name === 'string' ? name : name === undefined ? '' : writeJson(name);
  return `"${shownLine(text.length > SHOWN_NAME ? `${text.slice(0, SHOWN_NAME)}…` : text)}"`;
}

function clash(one: Slot, other: Slot): DeliveryError {
  const name = shownName(other.rel.join('/'));
  if (one.kind === 'file' && other.kind === 'file')
    return new DeliveryError(`two different files are both called ${name}: ${shownSource(one)} and ${shownSource(other)}`);
  return new DeliveryError(`a file and a folder are both called ${name}`);
}

function shownSource({ source }: FileSlot): string {
  return source.kind === 'text' ? 'one made of text' : source.location;
}

/** A literal is like nothing but itself. */
function keyOf(slot: Slot, group: number): string {
  if (slot.kind === 'file') return slot.source.kind === 'text' ? `text ${group}` : `file ${slot.source.location}`;
  const hash = createHash('sha256');
  describe(slot, hash.update.bind(hash), group);
  return `folder ${hash.digest('hex')}`;
}

function describe(slot: Slot, write: (text: string) => unknown, group: number): void {
  write(`${JSON.stringify(slot.rel)} ${slot.kind === 'file' ? keyOf(slot, group) : JSON.stringify(slot.locations)}\n`);
  if (slot.kind === 'folder') for (const inner of slot.slots.values()) describe(inner, write, group);
}

function rendered({ value, slot, beside, listing }: Placement, placed: (slot: Slot) => Placed): Entry {
  if (slot === undefined) return value;
  const { path, size, checksum } = placed(slot);
  const location = pathToFileURL(path).href;
  const inside = listing.map((item) => rendered(item, placed));
  if (value.class === 'Directory') {
    const { dirname: _dirname, ...kept } = value as DirectoryValue;
    return { ...kept, class: 'Directory', location, path, listing: inside };
  }
  const { contents, dirname: _dirname, nameroot: _nameroot, nameext: _nameext, secondaryFiles: _secondary, ...kept } = value as FileValue;
  const result: FileValue = { ...kept, class: 'File', location, path };
  if (value.location !== undefined && contents !== undefined) result.contents = contents;
  result.size = size;
  result.checksum = checksum;
  if (beside.length > 0) result.secondaryFiles = beside.map((item) => rendered(item, placed));
  return result;
}
