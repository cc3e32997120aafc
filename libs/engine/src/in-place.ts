/**
 * Files that tasks of this run change in place (InplaceUpdateRequirement), and who else has to do with them.
 *
 * The standard: only one step at a time may have a writable file; it is an error where any other step that runs independently reads or writes it;
 * a step may take what an earlier one has updated. Source: CWL v1.2 CommandLineTool "InplaceUpdateRequirement".
 *
 * Invariants:
 *  1. Two tasks are independent where the graph says so, whenever they happen to run: the same run fails every time, or never.
 *     Shards of one scatter are independent, an iteration of a loop depends on the one before.
 *  2. What a task changes is known from the document where that names it by `$(inputs.x)`, before anything runs; else from what its runner was
 *     told (events). Attempts of one task are one user of a file.
 *  3. A directory stands for all below it.
 *  4. A run whose plan has no such requirement keeps nothing and looks at nothing.
 */
import {
  type CommandLineTool,
  type CwlObject,
  type CwlValue,
  type EffectiveRequirements,
  type ExpressionTool,
  find,
  hasAnywhere,
  inherit,
  isObject,
  type Plan,
  visitFiles,
} from '@weft/plan';
import type { FileUser, InPlaceBook, Owner, Place, RunState } from './state.js';
import type { Topology } from './topology.js';

export interface Conflict {
  code: 'INPLACE_CONFLICT';
  message: string;
  step: string;
}

export function bookFor(plan: Plan): InPlaceBook | undefined {
  const changes = hasAnywhere(plan, (one) => one.class === 'InplaceUpdateRequirement' && one.inplaceUpdate);
  return changes ? { at: new Map(), below: new Map(), users: new Map() } : undefined;
}

export function userOf(taskId: string, at: { path: string; index: string; owner: Owner }): FileUser {
  const places: Place[] = [];
  for (let { owner } = at; owner.kind === 'shard'; owner = owner.step.scope.owner) {
    const { step, shard } = owner;
    const { node, workflow } = step.scope;
    places.unshift({ scope: node, workflow: workflow.id, step: step.step.name, shard, iteration: step.iteration });
  }
  return { taskId, step: at.path, index: at.index, places };
}

/** Takes a task's inputs into the book. The first that it cannot have beside others: then nothing is taken. */
export function useInputs(
  state: RunState,
  user: FileUser,
  process: CommandLineTool | ExpressionTool,
  inputs: CwlObject,
  inherited: EffectiveRequirements,
): Conflict | undefined {
  const book = state.inPlace;
  if (book === undefined) return undefined;
  const effective = inherit(inherited, process);
  if (process.class === 'ExpressionTool' && !looksInside(process, effective)) return undefined;
  const written = declaredWrites(state.runId, effective, inputs);
  const locations = locationsOf(inputs);
  for (const location of locations) {
    const conflict = conflictAt(state, book, user, location, written.has(location));
    if (conflict !== undefined) return conflict;
  }
  book.users.set(user.taskId, user);
  for (const location of locations) enter(book, user, location, written.has(location));
  return undefined;
}

/** A task turned out to change these. The first that another one has to do with. */
export function useInPlace(state: RunState, taskId: string, locations: readonly string[]): Conflict | undefined {
  const book = state.inPlace;
  const user = book?.users.get(taskId);
  if (book === undefined || user === undefined) return undefined;
  for (const location of locations) enter(book, user, withoutSlash(location), true);
  for (const location of locations) {
    const conflict = conflictAt(state, book, user, withoutSlash(location), true);
    if (conflict !== undefined) return conflict;
  }
  return undefined;
}

function enter(book: InPlaceBook, user: FileUser, location: string, writes: boolean): void {
  let users = book.at.get(location);
  if (users === undefined) {
    users = { readers: new Map(), writers: new Map() };
    book.at.set(location, users);
    for (const directory of directoriesAbove(location)) {
      const inside = book.below.get(directory);
      if (inside) inside.add(location);
      else book.below.set(directory, new Set([location]));
    }
  }
  (writes ? users.writers : users.readers).set(user.taskId, user);
}

function conflictAt(state: RunState, book: InPlaceBook, user: FileUser, location: string, writes: boolean): Conflict | undefined {
  for (const place of [location, ...directoriesAbove(location), ...(book.below.get(location) ?? [])]) {
    const users = book.at.get(place);
    if (users === undefined) continue;
    for (const other of users.writers.values()) if (!areOrdered(state, user, other)) return between(location, other, user, writes);
    if (!writes) continue;
    for (const other of users.readers.values()) if (!areOrdered(state, user, other)) return between(location, user, other, false);
  }
  return undefined;
}

function between(location: string, writer: FileUser, other: FileUser, bothWrite: boolean): Conflict {
  const [one, two] = [named(writer), named(other)];
  const what = bothWrite
    ? `${one} and ${two} both change ${location} in place, and neither waits for the other: an update could be lost`
    : `${one} changes ${location} in place, and ${two}, which neither waits for it nor is waited for, uses it`;
  const advice = 'InplaceUpdateRequirement lets one step at a time have a file; let the second take it from an output of the first';
  return { code: 'INPLACE_CONFLICT', message: `${what}. ${advice}`, step: other.step };
}

function named({ step, index }: FileUser): string {
  return index === '' ? `step '${step}'` : `step '${step}' [${index}]`;
}

/** Whether one of the two comes after the other by what the graph says. */
function areOrdered({ topologies }: RunState, a: FileUser, b: FileUser): boolean {
  if (a.taskId === b.taskId) return true;
  for (let level = 0; ; level += 1) {
    const [one, other] = [a.places[level], b.places[level]];
    if (one === undefined || other === undefined || one.scope !== other.scope) return false;
    if (one.step !== other.step) {
      const topology = topologies.get(one.workflow);
      return topology !== undefined && (leadsTo(topology, one.step, other.step) || leadsTo(topology, other.step, one.step));
    }
    if (one.iteration !== other.iteration) return true;
    if (one.shard !== other.shard) return false;
  }
}

const reached = new WeakMap<Topology, Map<string, Set<string>>>();

function leadsTo(topology: Topology, from: string, to: string): boolean {
  let known = reached.get(topology);
  if (known === undefined) reached.set(topology, (known = new Map()));
  let after = known.get(from);
  if (after === undefined) {
    after = new Set();
    const next = [from];
    for (const step of next) {
      for (const dependent of topology.dependents.get(step) ?? []) {
        if (!after.has(dependent)) next.push(dependent);
        after.add(dependent);
      }
    }
    known.set(from, after);
  }
  return after.has(to);
}

/** An expression has files handed to it, and reads them only where it is given what is in them. */
function looksInside(process: ExpressionTool, effective: EffectiveRequirements): boolean {
  const listing = find(effective, 'LoadListingRequirement')?.value.loadListing;
  if (listing !== undefined && listing !== 'no_listing') return true;
  return process.inputs.some(({ loadContents, loadListing }) => loadContents === true || (loadListing ?? 'no_listing') !== 'no_listing');
}

/** `entry: $(inputs.x)` with `writable: true`; of what this run published, as everything else is copied. */
function declaredWrites(runId: string, effective: EffectiveRequirements, inputs: CwlObject): Set<string> {
  const written = new Set<string>();
  if (find(effective, 'InplaceUpdateRequirement')?.value.inplaceUpdate !== true) return written;
  const listing = find(effective, 'InitialWorkDirRequirement')?.value.listing;
  for (const item of Array.isArray(listing) ? listing : []) {
    if (!isObject(item) || item['writable'] !== true || typeof item['entry'] !== 'string') continue;
    const [, plain, quoted] = /^\s*\$\(inputs(?:\.(\w+)|\[["']([^"'\\]+)["']\])\)\s*$/.exec(item['entry']) ?? [];
    const name = plain ?? quoted;
    if (name === undefined || !Object.hasOwn(inputs, name)) continue;
    for (const location of locationsOf(inputs[name])) {
      if (location.startsWith('file:') && location.includes(`/runs/${runId}/`)) written.add(location);
    }
  }
  return written;
}

function locationsOf(value: CwlValue | undefined): Set<string> {
  const found = new Set<string>();
  visitFiles(value, ({ location }) => {
    if (location !== undefined) found.add(withoutSlash(location));
  });
  return found;
}

function directoriesAbove(location: string): string[] {
  const above: string[] = [];
  for (let end = location.lastIndexOf('/'); end > 0 && location[end - 1] !== '/'; end = location.lastIndexOf('/', end - 1)) {
    above.push(location.slice(0, end));
  }
  return above;
}

function withoutSlash(location: string): string {
  return location.endsWith('/') ? location.slice(0, -1) : location;
}
