/**
 * Mutations of documents and jobs. Everything is decided by numbers that fast-check draws, so that a case can be drawn again and shrunk.
 * Invariant: pure; the values that come in are never changed.
 */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { NAMES, SELF, SNIPPETS, VALUES, type Json } from './mutation-tables.js';

export type { Json };

/** `at` and `other` (0 to 1) pick places, `pick` picks from a table. */
export interface Edit {
  kind: (typeof KINDS)[number];
  at: number;
  other: number;
  pick: number;
}

export interface TextEdit {
  at: number;
  cut: number;
  pick: number;
}

const KINDS = ['delete', 'duplicate', 'rename', 'replace', 'swap', 'copy', 'wrap', 'nest', 'key', 'graph', 'retype'] as const;

const fraction = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
export const edit: fc.Arbitrary<Edit> = fc.record({ kind: fc.constantFrom(...KINDS), at: fraction, other: fraction, pick: fc.nat(10_000) });
export const textEdit: fc.Arbitrary<TextEdit> = fc.record({ at: fraction, cut: fc.nat(40), pick: fc.nat(10_000) });

interface Slot {
  get(): Json;
  set(value: Json): void;
  remove(): void;
  /** Puts a value beside this one. */
  beside(value: Json, pick: number): void;
  rename?(to: string): void;
  key?: string;
}

/** The value after the edits. `self` is the name of the file it stands in. */
export function mutate(value: Json, edits: readonly Edit[], self: string): Json {
  const holder: { [key: string]: Json } = { root: structuredClone(value) };
  for (const one of edits) apply(one, holder, self);
  return holder['root'] ?? null;
}

export function mutateText(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce((now, { at, cut, pick }) => {
    const from = Math.floor(at * (now.length + 1));
    return now.slice(0, from) + choose(SNIPPETS, pick) + now.slice(from + cut);
  }, text);
}

export function print(value: Json, how: 'json' | 'pretty' | 'yaml'): string {
  return how === 'yaml'
    ? stringify(value, { aliasDuplicateObjects: false })
    : JSON.stringify(value, null, how === 'pretty' ? 2 : undefined);
}

function choose<T>(table: readonly T[], pick: number): T {
  return table[pick % table.length] as T;
}

function apply({ kind, at, other, pick }: Edit, holder: { [key: string]: Json }, self: string): void {
  const slots = slotsOf(holder);
  const slot = choose(slots, Math.floor(at * slots.length));
  const second = choose(slots, Math.floor(other * slots.length));
  switch (kind) {
    case 'delete':
      return slot.remove();
    case 'duplicate':
      return slot.beside(structuredClone(slot.get()), pick);
    case 'rename':
      return slot.rename?.(misspelt(slot.key ?? '', pick));
    case 'replace':
      return slot.set(structuredClone(pick % 8 === 0 ? { [choose(SELF, pick)]: self } : choose(VALUES, pick)));
    case 'swap': {
      const [mine, theirs] = [structuredClone(slot.get()), structuredClone(second.get())];
      slot.set(theirs);
      return second.set(mine);
    }
    case 'copy':
      return slot.set(structuredClone(second.get()));
    case 'wrap':
      return slot.set(pick % 2 === 0 ? [slot.get()] : { [choose(NAMES, pick)]: slot.get() });
    case 'nest':
      return slot.set(nested(slot.get(), 2 + (pick % 300), pick % 2 === 0));
    case 'key':
      return slot.beside(structuredClone(choose(VALUES, pick)), pick);
    case 'graph':
      return graph(holder, pick, self);
    case 'retype':
      return slot.set(retyped(slot.get()));
  }
}

/** Every place in the tree, the root first. */
function slotsOf(holder: { [key: string]: Json }): Slot[] {
  const slots: Slot[] = [];
  const open: Slot[] = [memberOf(holder, 'root')];
  for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
    slots.push(slot);
    const value = slot.get();
    if (Array.isArray(value)) for (let i = value.length - 1; i >= 0; i -= 1) open.push(itemOf(value, i));
    else if (typeof value === 'object' && value !== null) for (const key of Object.keys(value).reverse()) open.push(memberOf(value, key));
  }
  return slots;
}

function itemOf(list: Json[], index: number): Slot {
  return {
    get: () => list[index] ?? null,
    set: (value) => void (list[index] = value),
    remove: () => void list.splice(index, 1),
    beside: (value) => void list.splice(index, 0, value),
  };
}

function memberOf(map: { [key: string]: Json }, key: string): Slot {
  return {
    key,
    get: () => map[key] ?? null,
    set: (value) => define(map, key, value),
    remove: () => void delete map[key],
    beside: (value, pick) => define(map, map === undefined ? key : choose(NAMES, pick), value),
    rename: (to) => {
      const value = map[key] ?? null;
      delete map[key];
      define(map, to, value);
    },
  };
}

function define(map: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

function misspelt(key: string, pick: number): string {
  const at = pick % (key.length + 1);
  const ways = [
    key.slice(0, at) + key.slice(at + 1),
    `${key.slice(0, at)}x${key.slice(at)}`,
    choose(NAMES, pick),
    `#main/${key}`,
    key.toUpperCase(),
  ];
  return choose(ways, Math.floor(pick / 7));
}

function nested(value: Json, depth: number, lists: boolean): Json {
  let now = value;
  for (let n = 0; n < depth; n += 1) now = lists ? [now] : { type: 'array', items: now };
  return now;
}

/** Packs the document, beside copies of itself, things that run each other, or nothing. */
function graph(holder: { [key: string]: Json }, pick: number, self: string): void {
  const root = holder['root'] ?? null;
  const named =
    typeof root === 'object' && root !== null && !Array.isArray(root) ? { ...root, id: choose(['main', '#main', 'a/b', ''], pick) } : root;
  const runs = {
    id: 'r',
    class: 'Workflow',
    inputs: {},
    outputs: {},
    steps: { s: { run: choose(['#r', '#main', self, '#'], pick), in: {}, out: [] } },
  };
  const packed = choose<Json>(
    [[named], [named, structuredClone(named)], [named, runs], [runs], [], { main: named }, [root, null, 5, [named]], 'x'],
    Math.floor(pick / 4),
  );
  holder['root'] = { cwlVersion: choose(['v1.0', 'v1.2', 'v1.3'], pick), $graph: packed };
}

function retyped(value: Json): Json {
  if (Array.isArray(value)) return Object.fromEntries(value.map((item, i) => [`k${i}`, item]));
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([id, member]) => ({ id, member }));
  if (typeof value === 'string') return value.length;
  return String(value);
}
