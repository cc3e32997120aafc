/**
 * Input object and bindings → argument vector.
 * Source: CWL v1.2 CommandLineTool §4.1 "Input binding" (sorting) and "CommandLineBinding" (rendering).
 *
 * Invariants:
 *  1. A binding's key is [position, name or index, …] with the keys of what it is nested in before its own; numbers sort before strings.
 *  2. Null inputs give no binding at all, so `valueFrom` is not evaluated for them.
 */
import type { CommandLineTool, CwlType, CwlValue, InputBinding } from '@weft/plan';
import { isFileOrDirectory, isObject } from '@weft/plan';
import { interpolatedText } from '@weft/expressions';
import { TaskError } from './api.js';
import { shellQuote } from './shell-quote.js';
import type { Scope } from './scope.js';
import { brief, evaluate } from './scope.js';
import { memberFor } from './type-check.js';

export type SortKey = (number | string)[];

/** A binding with the value it renders and its place in the command line. */
export interface BoundArgument {
  key: SortKey;
  binding: InputBinding;
  value: CwlValue;
}

/** The argument vector; with ShellCommandRequirement one `/bin/sh -c` line. */
export async function buildCommandLine(tool: CommandLineTool, scope: Scope, shell: boolean): Promise<string[]> {
  const bound = await collectArguments(tool, scope);
  const words: string[] = shell ? tool.baseCommand.map(shellQuote) : [...tool.baseCommand];
  for (const argument of bound) {
    const rendered = await renderArgument(argument, scope);
    const isQuoted = shell && argument.binding.shellQuote !== false;
    for (const word of rendered) words.push(isQuoted ? shellQuote(word) : word);
  }
  return shell ? ['/bin/sh', '-c', words.join(' ')] : words;
}

/** Arguments and inputs with a binding, sorted. */
async function collectArguments(tool: Pick<CommandLineTool, 'arguments' | 'inputs'>, scope: Scope): Promise<BoundArgument[]> {
  const bound: BoundArgument[] = [];
  for (const [index, argument] of tool.arguments.entries()) {
    const binding: InputBinding = typeof argument === 'string' ? { valueFrom: argument } : argument;
    bound.push({ key: [...(await positionOf(binding, null, scope)), index], binding, value: null });
  }
  for (const input of tool.inputs) {
    const value = scope.inputs[input.name] ?? null;
    for (const one of await bind({ type: input.type, binding: input.inputBinding, value, lead: [], tail: [input.name] }, scope))
      bound.push(one);
  }
  return bound.sort((a, b) => compareKeys(a.key, b.key));
}

interface Bindable {
  type: CwlType;
  binding: InputBinding | undefined;
  value: CwlValue;
  /** Key parts before the position (the index of an array item). */
  lead: SortKey;
  /** Key parts after it (the name of the parameter or field). */
  tail: SortKey;
}

/** The bindings that a value gives: its own, and those nested in its type, whose keys come after its own. */
async function bind(item: Bindable, scope: Scope): Promise<BoundArgument[]> {
  const { binding, value } = item;
  if (value === null) return [];
  const member = memberFor(item.type, value);
  if (member === undefined) throw new TaskError('INPUT_TYPE', `no member of its type fits ${brief(value)}`);
  const nested = binding?.valueFrom !== undefined ? [] : await bindNested({ ...item, type: member }, scope);
  if (!binding) return nested;
  const key = [...item.lead, ...(await positionOf(binding, value, scope)), ...item.tail];
  return [{ key, binding, value }, ...nested.map((inner) => ({ ...inner, key: [...key, ...inner.key] }))];
}

async function bindNested(item: Bindable, scope: Scope): Promise<BoundArgument[]> {
  const { value, binding, lead, tail } = item;
  const bound: BoundArgument[] = [];
  // A list that comes as Any is one all the same: its items are words.
  const type: CwlType = item.type === 'Any' && Array.isArray(value) ? { type: 'array', items: 'Any' } : item.type;
  if (typeof type === 'string' || Array.isArray(type)) return bound;
  if (type.type === 'record' && isObject(value)) {
    for (const field of type.fields) {
      const inner: Bindable = { type: field.type, binding: field.inputBinding, value: value[field.name] ?? null, lead, tail: [field.name] };
      for (const one of await bind(inner, scope)) bound.push(one);
    }
    // A binding on the record type itself, as opposed to the parameter's, applies to the record as a whole.
    return type.inputBinding ? bindOwn(type.inputBinding, item, bound, scope) : bound;
  }
  if (type.type === 'array' && Array.isArray(value)) {
    // The array type's own binding applies to each item; one on the parameter is for the array as a whole and leaves items bare.
    const itemBinding = type.inputBinding ?? (binding && binding.itemSeparator === undefined ? {} : undefined);
    for (const [index, element] of value.entries()) {
      for (const one of await bind({ type: type.items, binding: itemBinding, value: element, lead: [...lead, index], tail }, scope))
        bound.push(one);
    }
    return bound;
  }
  return type.type === 'enum' && type.inputBinding ? bindOwn(type.inputBinding, item, bound, scope) : bound;
}

async function bindOwn(binding: InputBinding, item: Bindable, inner: BoundArgument[], scope: Scope): Promise<BoundArgument[]> {
  const key = [...item.lead, ...(await positionOf(binding, item.value, scope)), ...item.tail];
  return [{ key, binding, value: item.value }, ...inner.map((one) => ({ ...one, key: [...key, ...one.key] }))];
}

/** Position as key parts; an expression that gives null counts as 0. */
async function positionOf(binding: InputBinding, self: CwlValue, scope: Scope): Promise<SortKey> {
  if (binding.position === undefined) return [0];
  const value = (await evaluate(scope, binding.position, self)) ?? 0;
  if (typeof value !== 'number')
    throw new TaskError(
      'EXPRESSION',
      `position must be a number; ${brief(binding.position)} gave ${brief(value)}`,
      String(binding.position),
    );
  return [value];
}

/** Numbers before strings, shorter keys before longer ones. */
export function compareKeys(a: SortKey, b: SortKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === y) continue;
    if (typeof x === 'number' && typeof y === 'number') return x - y;
    if (typeof x === 'number') return -1;
    if (typeof y === 'number') return 1;
    return String(x) < String(y) ? -1 : 1;
  }
  return a.length - b.length;
}

/** The words of one binding. */
async function renderArgument(argument: BoundArgument, scope: Scope): Promise<string[]> {
  const { binding } = argument;
  const value = binding.valueFrom === undefined ? argument.value : await evaluate(scope, binding.valueFrom, argument.value);
  const alone = binding.prefix ? [binding.prefix] : [];
  if (value === null) return [];
  if (typeof value === 'boolean') return value ? alone : [];
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    if (binding.itemSeparator !== undefined) return attach(binding, value.map(argumentText).join(binding.itemSeparator));
    // Items of an input have bindings of their own; those of a computed list are rendered here.
    return binding.valueFrom === undefined ? alone : [...alone, ...value.map(argumentText)];
  }
  if (isObject(value) && !isFileOrDirectory(value)) return alone;
  return attach(binding, argumentText(value));
}

/** An empty prefix is a word of its own in front of a single value, as the reference implementation has it; lists, records and flags get none. */
function attach({ prefix, separate }: InputBinding, text: string): string[] {
  if (prefix === undefined) {
    if (separate === false) throw new TaskError('BINDING', `"separate: false" needs a prefix (value ${brief(text)})`);
    return [text];
  }
  return separate === false ? [prefix + text] : [prefix, text];
}

/** A scalar, File or Directory as one word. */
function argumentText(value: CwlValue): string {
  if (isFileOrDirectory(value)) {
    if (!value.path)
      throw new TaskError(
        'INPUT_FILE',
        `${value.class} ${value.basename ?? value.location ?? ''} on the command line is not an input of the tool`,
      );
    return value.path;
  }
  return interpolatedText(value);
}
