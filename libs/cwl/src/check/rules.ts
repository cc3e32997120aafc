/** What the tables cannot say field by field: rules over one map. */
import {
  field,
  fieldPlace,
  isList,
  isMap,
  itemsOf,
  stringField,
  stringOf,
  type MapNode,
  type Node,
  numbersTooLong,
} from '../source/node.js';
import { TOO_LONG_HINT, tooLongMessage } from '../source/exact-numbers.js';
import { idMapItems } from '../source/id-map.js';
import { shortName } from '../source/uri.js';
import { isBefore } from '../source/version.js';
import { booleanOrExpression, optional, required, string, type RecordShape, type Shape } from './shape.js';
import { checkRecord, checkShape, describe } from './validate.js';
import type { CheckContext } from './context.js';

const SECONDARY_FILE: RecordShape = {
  says: 'a secondaryFiles pattern',
  fields: { pattern: required(string), required: optional(booleanOrExpression) },
};

/** Strings in every version, `{pattern, required}` since v1.1. */
export const secondaryFiles: Shape = {
  kind: 'custom',
  says: 'a pattern, an expression, or a list of them',
  check(node, context, what) {
    for (const item of itemsOf(node)) {
      if (!isMap(item)) checkShape(item, string, context, isList(node) ? `an item of ${what}` : what);
      else if (isBefore(context.version, 'v1.1')) {
        const message = `patterns with 'required' in 'secondaryFiles' need CWL v1.1; this document declares ${context.version}`;
        context.reporter.error(fieldPlace(item, 'pattern'), 'field-needs-newer-version', message);
      } else checkRecord(item, SECONDARY_FILE, context);
    }
  },
};

const MEMBERS: Readonly<Record<string, string>> = { array: 'items', record: 'fields', enum: 'symbols' };

/** True for `type: array` beside `items`, a type whose parts stand where the parameter's should. */
export function isMisplacedType(node: MapNode): boolean {
  return misplacedMember(node) !== undefined;
}

/** The part that then stands beside the type. */
export function misplacedMember(node: MapNode): string | undefined {
  return MEMBERS[stringField(node, 'type') ?? ''];
}

/** Says once what `type: array` with `items` beside it should look like. */
export function typePlacement(node: MapNode, context: CheckContext): void {
  if (!isMisplacedType(node)) return;
  const type = stringField(node, 'type') ?? '';
  const member = MEMBERS[type] ?? '';
  const hint = `write type: {type: ${type}, ${member}: …}`;
  context.reporter.error(fieldPlace(node, 'type'), 'invalid-type', `'${type}' needs its '${member}' in the same mapping`, hint);
}

/** Whole numbers in a default have 64 bits; where the type is `float` or `double` the nearest double is what is meant. */
export function exactDefault(node: MapNode, context: CheckContext): void {
  const written = field(node, 'default');
  if (written === undefined || /^(float|double)(\[\])?\??$/.test(stringField(node, 'type') ?? '')) return;
  for (const number of numbersTooLong(written))
    context.reporter.error(number, 'inexact-number', tooLongMessage(number.digits ?? ''), TOO_LONG_HINT);
}

/** `stdout` and `stderr` outputs have no binding of their own. */
export function outputTypeRules(node: MapNode, context: CheckContext): void {
  const type = stringField(node, 'type');
  if ((type === 'stdout' || type === 'stderr') && field(node, 'outputBinding') !== undefined) {
    context.reporter.error(
      fieldPlace(node, 'outputBinding'),
      'conflicting-fields',
      `an output of type '${type}' cannot have an 'outputBinding'`,
    );
  }
}

/** A tool has at most one `stdin` input, and then no `stdin` field; inputs and outputs of a tool that names no command are useless. */
export function toolRules(node: MapNode, context: CheckContext): void {
  const inputs = idMapItems(field(node, 'inputs'), 'id', 'type').flatMap((item) => (isMap(item.node) ? [item.node] : []));
  const stdin = inputs.filter((input) => stringField(input, 'type') === 'stdin');
  for (const input of stdin) {
    if (field(node, 'stdin') !== undefined)
      context.reporter.error(
        fieldPlace(input, 'type'),
        'conflicting-fields',
        "an input of type 'stdin' and the field 'stdin' exclude each other",
      );
    else if (input !== stdin[0])
      context.reporter.error(fieldPlace(input, 'type'), 'conflicting-fields', "only one input can have the type 'stdin'");
    else if (field(input, 'inputBinding') !== undefined) {
      context.reporter.error(
        fieldPlace(input, 'inputBinding'),
        'conflicting-fields',
        "an input of type 'stdin' cannot have an 'inputBinding'",
      );
    }
    if (isBefore(context.version, 'v1.1')) {
      context.reporter.error(
        fieldPlace(input, 'type'),
        'field-needs-newer-version',
        `the type 'stdin' needs CWL v1.1; this document declares ${context.version}`,
      );
    }
  }
}

export function stepRules(node: MapNode, context: CheckContext): void {
  const { reporter } = context;
  const run = field(node, 'run');
  if (run !== undefined && stringOf(run) === undefined && !isMap(run)) {
    reporter.error(run, 'wrong-type', `'run' must be the address of a process or a process, not ${describe(run)}`);
  }
  const scatter = itemsOf(field(node, 'scatter'));
  if (scatter.length > 1 && field(node, 'scatterMethod') === undefined) {
    reporter.error(
      fieldPlace(node, 'scatter'),
      'missing-field',
      "a step that scatters over several inputs needs the field 'scatterMethod'",
    );
  }
  reportRepeated(scatter, 'scatter', context);
  reportRepeated(itemsOf(field(node, 'out')), 'out', context);
  const loops = field(node, 'loop') !== undefined;
  if (loops && isBefore(context.version, 'v1.3')) return;
  if (loops && scatter.length > 0)
    reporter.error(fieldPlace(node, 'loop'), 'conflicting-fields', "'loop' and 'scatter' exclude each other");
  if (loops && field(node, 'when') === undefined)
    reporter.error(fieldPlace(node, 'loop'), 'missing-field', "a step with 'loop' needs the field 'when'");
  if (!loops && field(node, 'outputMethod') !== undefined) {
    reporter.error(fieldPlace(node, 'outputMethod'), 'conflicting-fields', "'outputMethod' means nothing without 'loop'");
  }
}

/** A name that a list of names has twice. */
function reportRepeated(items: readonly Node[], what: string, context: CheckContext): void {
  const seen = new Set<string>();
  for (const item of items) {
    const name = stringOf(item) ?? (isMap(item) ? stringField(item, 'id') : undefined);
    if (name === undefined) continue;
    const short = shortName(name);
    if (seen.has(short)) context.reporter.error(item, 'duplicate-id', `'${what}' names '${short}' twice`);
    seen.add(short);
  }
}

/** Names that may not lead out of the working directory. */
export function direntRules(node: MapNode, context: CheckContext): void {
  const name = stringField(node, 'entryname');
  if (name !== undefined && (name === '..' || name.startsWith('../') || name.includes('/../'))) {
    context.reporter.error(
      fieldPlace(node, 'entryname'),
      'invalid-value',
      `'entryname' may not lead out of the working directory: '${name}'`,
    );
  }
}

/** Every `class: File` or `class: Directory` object below a node. */
export function isFileObject(node: Node): node is MapNode {
  return isMap(node) && ['File', 'Directory'].includes(stringField(node, 'class') ?? '');
}
