/**
 * Scatter: one step over arrays. Expands input arrays into shards, one at a time, and gathers the shards' outputs back into arrays.
 * Source: CWL v1.2 Workflow §4.1.2 "Scatter/gather".
 *
 * Invariant: shards are numbered in row-major order of `dimensions`; gathering is the inverse of expanding.
 */
import type { CwlObject, CwlValue, WorkflowStep } from '@weft/plan';

export interface ScatterShape {
  /** Lengths along each axis: one for dotproduct, one per scattered input otherwise. */
  dimensions: number[];
  /** Whether the outputs are nested arrays (one level per axis) or one flat array. */
  nested: boolean;
}

/** The shards of a step: the values of each are made when they are asked for (`shardValues`), so that those to come cost nothing. */
export interface Shards {
  readonly count: number;
  /** Of all of them: what is scattered as whole arrays. */
  readonly values: CwlObject;
  /** Where each combination of items is one: how many there are of each input that is scattered. Absent: shard n has the nth of each. */
  readonly lengths?: readonly number[];
}

/** `code`: SCATTER where the arrays do not fit each other, SCATTER_LIMIT where there would be too many shards. */
export type Expanded = { ok: true; shape: ScatterShape; shards: Shards } | { ok: false; code: 'SCATTER' | 'SCATTER_LIMIT'; reason: string };

/** The step's shards, or why the arrays do not fit, or why they are too many: a product of a few short arrays has billions. */
export function expand(step: WorkflowStep, values: CwlObject, maxShards: number): Expanded {
  const arrays: CwlValue[][] = [];
  for (const name of step.scatter) {
    const value = values[name] ?? null;
    if (!Array.isArray(value)) {
      return {
        ok: false,
        code: 'SCATTER',
        reason: `scatters over input '${name}', which is ${value === null ? 'null' : `a ${typeName(value)}`}, not an array`,
      };
    }
    arrays.push(value);
  }
  const lengths = arrays.map((array) => array.length);
  if (step.scatter.length === 1 || step.scatterMethod === 'dotproduct' || step.scatterMethod === undefined) {
    if (new Set(lengths).size > 1) {
      const told = step.scatter.map((name, i) => `'${name}' has ${lengths[i]}`).join(', ');
      return { ok: false, code: 'SCATTER', reason: `scatters by dotproduct over arrays of different lengths: ${told}` };
    }
    const count = lengths[0] ?? 0;
    if (count > maxShards) return tooMany(count, maxShards, lengths.slice(0, 1));
    return { ok: true, shape: { dimensions: [count], nested: false }, shards: { count, values } };
  }
  const count = lengths.reduce((product, length) => product * length, 1);
  if (count > maxShards) return tooMany(count, maxShards, lengths);
  const shape = { dimensions: lengths, nested: step.scatterMethod === 'nested_crossproduct' };
  return { ok: true, shape, shards: { count, values, lengths } };
}

/** The values of one shard. */
export function shardValues({ scatter }: WorkflowStep, { values, lengths }: Shards, shard: number): CwlObject {
  if (scatter.length === 0) return values;
  const position = lengths && unravel(shard, lengths);
  const own: CwlObject = { ...values };
  scatter.forEach((name, axis) => {
    const array = values[name];
    own[name] = (Array.isArray(array) ? array[position ? (position[axis] ?? 0) : shard] : undefined) ?? null;
  });
  return own;
}

function tooMany(count: number, maxShards: number, lengths: readonly number[]): Expanded {
  const product = lengths.length > 1 ? ` (${lengths.join(' × ')})` : '';
  const reason = `scatters into ${count} tasks${product}; ${maxShards} are allowed: let each task do more, or scatter in several steps`;
  return { ok: false, code: 'SCATTER_LIMIT', reason };
}

/** Position along each axis of the shard with this number. */
export function unravel(shard: number, dimensions: readonly number[]): number[] {
  const position: number[] = [];
  let rest = shard;
  for (let axis = dimensions.length - 1; axis >= 0; axis--) {
    const length = dimensions[axis] ?? 1;
    position[axis] = rest % length;
    rest = Math.floor(rest / length);
  }
  return position;
}

/** The outputs of all shards as arrays, by output name. */
export function gather(shape: ScatterShape, names: string[], results: readonly (CwlObject | undefined)[]): CwlObject {
  const gathered: CwlObject = {};
  for (const name of names) {
    const flat = results.map((result) => result?.[name] ?? null);
    gathered[name] = shape.nested ? nest(flat, shape.dimensions) : flat;
  }
  return gathered;
}

function nest(flat: CwlValue[], dimensions: number[]): CwlValue[] {
  const [first = 0, ...inner] = dimensions;
  if (inner.length === 0) return flat;
  const size = inner.reduce((product, length) => product * length, 1);
  return Array.from({ length: first }, (_, i) => nest(flat.slice(i * size, (i + 1) * size), inner));
}

function typeName(value: CwlValue): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && typeof value['class'] === 'string') return value['class'];
  return typeof value === 'object' ? 'record' : typeof value;
}
