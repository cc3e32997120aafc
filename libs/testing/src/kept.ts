/**
 * Values as a fake keeps them: they went through JSON, and nobody can change them, so that whoever reads one may share it with the fake.
 */
import { readJson, writeJson } from '@weft/plan';

/** What went through JSON: nobody shares objects with the fake. */
export function copy<T>(value: T): T {
  return readJson(writeJson(value)) as T;
}

export function keep<T>(value: T): T {
  return freeze(copy(value));
}

/** Values that were kept for good: those that are large, and few. */
const known = new WeakSet<object>();

/** Kept once, whoever keeps it: what it gives is given back for itself. */
export function keepOnce<T extends object>(value: T): T {
  if (known.has(value)) return value;
  const kept = keep(value);
  known.add(kept);
  return kept;
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
