/**
 * Checks nodes against shapes. One mistake gives one message: a misspelt field is taken for the one that was meant (so that the meant one is
 * not reported as missing, nor what refers to it), and a value of the wrong kind is not looked into.
 */
import { alias, isFailed, isMap, isNull, startOf, type ListNode, type MapEntry, type MapNode, type Node } from '../source/node.js';
import { idMapItems } from '../source/id-map.js';
import { didYouMean, nearestName } from '../source/nearest-name.js';
import { isBefore } from '../source/version.js';
import type { CheckContext } from './context.js';
import type { FieldShape, RecordShape, Shape } from './shape.js';

/** Checks a value. `what` names it in messages: "'position'", "an item of 'arguments'". */
export function checkShape(node: Node, shape: Shape, context: CheckContext, what: string): void {
  if (isFailed(node)) return;
  switch (shape.kind) {
    case 'any':
      return;
    case 'custom':
      return shape.check(node, context, what);
    case 'record':
      return isMap(node) ? checkRecord(node, shape.record, context) : wrongKind(node, shape, context, what);
    case 'list':
      return checkList(node, shape, context, what);
    case 'idMap':
      return checkIdMap(node, shape, context, what);
    case 'union':
      return checkShape(node, pick(node, shape.of), context, what);
    case 'choice':
      return checkChoice(node, shape.of, context, what);
    case 'scalar':
      if (node.kind !== 'scalar' || !shape.accepts(node.value, context.version)) wrongKind(node, shape, context, what);
  }
}

/** Checks the fields of a map. Fields with a ':' are extensions and anybody's own. */
export function checkRecord(node: MapNode, shape: RecordShape, context: CheckContext): void {
  const meant = new Set<string>();
  const left = shape.leaves?.(node);
  for (const entry of [...node.entries.values()]) {
    const known = ownField(shape, entry.key);
    if (known) checkField(entry, known, shape, context);
    else if (!entry.key.includes(':') && entry.key !== left) checkUnknown(node, entry, shape, context, meant);
  }
  for (const [name, f] of Object.entries(shape.fields)) {
    if (!f.required || meant.has(name)) continue;
    const entry = node.entries.get(name);
    if (entry === undefined) context.reporter.error(startOf(node), 'missing-field', `${shape.says} needs the field '${name}'`);
    else if (isNull(entry.value) && !isFailed(entry.value))
      context.reporter.error(entry.place, 'missing-field', `the field '${name}' of ${shape.says} is empty`);
  }
  shape.also?.(node, context);
}

function ownField(shape: RecordShape, name: string): FieldShape | undefined {
  return Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
}

function checkField(entry: MapEntry, known: FieldShape, shape: RecordShape, context: CheckContext): void {
  if (known.since !== undefined && isBefore(context.version, known.since)) {
    const message = `the field '${entry.key}' of ${shape.says} needs CWL ${known.since}; this document declares ${context.version}`;
    context.reporter.error(entry.place, 'field-needs-newer-version', message);
  } else if (!isNull(entry.value)) {
    checkShape(entry.value, known.shape, context, `'${entry.key}'`);
  }
}

function checkUnknown(node: MapNode, entry: MapEntry, shape: RecordShape, context: CheckContext, meant: Set<string>): void {
  const free = context.reporter.isFull ? [] : Object.keys(shape.fields).filter((name) => !node.entries.has(name));
  const nearest = nearestName(entry.key, free);
  const known = nearest === undefined ? undefined : shape.fields[nearest];
  const guess = nearest === undefined ? undefined : `did you mean '${nearest}'?`;
  const hint = /\$[({]/.test(entry.key) ? "text that contains ': ' must be in quotes" : guess;
  context.reporter[context.isHint ? 'warning' : 'error'](entry.place, 'unknown-field', `${shape.says} has no field '${entry.key}'`, hint);
  if (nearest === undefined || known === undefined) return;
  meant.add(nearest);
  alias(node, entry, nearest);
  if (!isNull(entry.value)) checkShape(entry.value, known.shape, context, `'${entry.key}'`);
}

function checkList(node: Node, shape: Extract<Shape, { kind: 'list' }>, context: CheckContext, what: string): void {
  if (node.kind === 'list') {
    for (const item of (node as ListNode).items) checkShape(item, shape.of, context, `an item of ${what}`);
  } else if (shape.orOne) {
    checkShape(node, shape.of, context, what);
  } else {
    wrongKind(node, shape, context, what);
  }
}

function checkIdMap(node: Node, shape: Extract<Shape, { kind: 'idMap' }>, context: CheckContext, what: string): void {
  if (node.kind === 'scalar') return wrongKind(node, shape, context, what);
  const seen = new Set<string>();
  for (const item of idMapItems(node, shape.subject, shape.predicate)) {
    if (isFailed(item.node)) continue;
    if (!isMap(item.node)) {
      context.reporter.error(item.node, 'wrong-type', `an item of ${what} must be a mapping, not ${describe(item.node)}`);
      continue;
    }
    if (item.name === undefined) context.reporter.error(item.place, 'missing-field', `${shape.of.says} needs the field '${shape.subject}'`);
    else if (item.name === '') context.reporter.error(item.place, 'invalid-value', `${shape.of.says} needs a name that is not empty`);
    else if (seen.has(item.name)) context.reporter.error(item.place, 'duplicate-id', `${what} has two items named '${item.name}'`);
    if (item.name !== undefined) seen.add(item.name);
    checkRecord(item.node, shape.of, context);
  }
}

function checkChoice(node: Node, of: readonly string[], context: CheckContext, what: string): void {
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    if (of.includes(node.value)) return;
    const { value } = node;
    context.reporter.error(
      node,
      'invalid-value',
      () => `${what} must be ${oneOf(of)}, not '${value}'`,
      () => didYouMean(value, of),
    );
  } else {
    context.reporter.error(startOf(node), 'wrong-type', `${what} must be ${oneOf(of)}, not ${describe(node)}`);
  }
}

/** The alternative that fits the value on its surface: the one the author evidently meant. */
function pick(node: Node, of: readonly Shape[]): Shape {
  const fits = of.find((shape) => {
    if (shape.kind === 'any' || shape.kind === 'custom') return true;
    if (shape.kind === 'list') return node.kind === 'list' || (shape.orOne && node.kind === 'scalar');
    if (shape.kind === 'record') return node.kind === 'map';
    if (shape.kind === 'idMap') return node.kind !== 'scalar';
    return node.kind === 'scalar';
  });
  return fits ?? { kind: 'scalar', says: of.map(kindOf).join(' or '), accepts: () => false };
}

function wrongKind(node: Node, shape: Shape, context: CheckContext, what: string): void {
  const quoted = shape.kind === 'scalar' && shape.says === 'a string' && node.kind === 'scalar' && node.value !== null;
  const hint = quoted ? `write "${String(node.value)}" in quotes` : undefined;
  context.reporter.error(startOf(node), 'wrong-type', `${what} must be ${kindOf(shape)}, not ${describe(node)}`, hint);
}

function kindOf(shape: Shape): string {
  switch (shape.kind) {
    case 'scalar':
    case 'custom':
      return shape.says;
    case 'choice':
      return oneOf(shape.of);
    case 'list':
      return shape.orOne ? `${kindOf(shape.of)} or a list` : 'a list';
    case 'record':
      return 'a mapping';
    case 'idMap':
      return 'a mapping or a list';
    default:
      return 'something else';
  }
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? `'${names[0]}'` : `one of ${names.map((n) => `'${n}'`).join(', ')}`;
}

/** What a value is, in plain words: "the number 5", "a list". */
export function describe(node: Node): string {
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'list') return 'a list';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return node.value.length <= 40 ? `'${node.value}'` : 'a string';
  return typeof node.value === 'number' ? `the number ${node.digits ?? node.value}` : String(node.value);
}
