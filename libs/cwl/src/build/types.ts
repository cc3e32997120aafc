/**
 * Types: the DSL (`T?`, `T[]`), named references and inline definitions, resolved to plan types; reports what is wrong with them.
 * Source: CWL v1.2 §4.1.1 and Schema Salad §4.4 "Type DSL". What was reported becomes `Any`, which is compatible with everything.
 */
import type { ArrayType, CwlType, EnumType, PrimitiveType, RecordField, RecordType } from '@weft/plan';
import { ARRAY_TYPE, ENUM_TYPE, RECORD_FIELD, RECORD_TYPE } from '../check/process-shapes.js';
import { checkRecord, checkShape, describe } from '../check/validate.js';
import { idMap } from '../check/shape.js';
import { isMisplacedType } from '../check/rules.js';
import { didYouMean } from '../source/nearest-name.js';
import {
  field,
  isList,
  isMap,
  stringField,
  stringOf,
  stringsOf,
  type ListNode,
  type MapNode,
  type Node,
  type Place,
} from '../source/node.js';
import { namedMaps } from '../source/id-map.js';
import { MAX_DEPTH, MAX_UNION } from '../limits.js';
import { shortName } from '../source/uri.js';
import { defined, type BuildContext } from './context.js';
import { docOf, fileOptions, inputBinding, outputBinding } from './bindings.js';

const PRIMITIVES = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'string',
  'File',
  'Directory',
  'Any',
] as const satisfies PrimitiveType[];
/** What people write who think of other languages. */
const SYNONYMS: Readonly<Record<string, string>> = {
  integer: 'int',
  number: 'double',
  bool: 'boolean',
  str: 'string',
  text: 'string',
  dir: 'Directory',
  folder: 'Directory',
  none: 'null',
  any: 'Any',
};

export function typeOf(node: Node | undefined, context: BuildContext): CwlType {
  if (node === undefined) return 'Any';
  if (node.kind === 'list') return unionIn(node, context);
  if (isMap(node)) return definedType(node, context);
  const text = stringOf(node);
  if (text !== undefined) checkShort(text, node, context);
  if (text !== undefined) return namedType(text, node, context);
  if (node.value === null) return 'null';
  context.reporter.error(node, 'wrong-type', `a type must be a name, a mapping or a list, not ${describe(node)}`);
  return 'Any';
}

/** Source: Schema Salad v1.2 and v1.3, "Type DSL": what may follow a name. */
function checkShort(text: string, at: Place, { version, reporter }: BuildContext): void {
  // What is longer is beyond other limits, which say so.
  if (version === 'v1.3' || text.length > 200 || /^[^[?]*(\[\])?\??$/.test(text)) return;
  const inner = text.replace(/(\[\]|\?)$/, '');
  const long = text.endsWith('?') ? `["null", "${inner}"]` : `{type: array, items: "${inner}"}`;
  reporter.error(at, 'field-needs-newer-version', `the type '${text}' needs CWL v1.3; this document declares ${version}`, `write ${long}`);
}

function unionIn(node: ListNode, context: BuildContext): CwlType {
  const union = unionOf(node.items.map((item) => typeOf(item, context)));
  if (!Array.isArray(union) || union.length <= MAX_UNION) return union;
  context.reporter.error(node, 'document-limit', `a type has more than ${MAX_UNION} alternatives`);
  return 'Any';
}

/** A union without unions in it and without repetitions. */
function unionOf(members: CwlType[]): CwlType {
  const named = new Set<string>();
  const flat = members.flatMap((m) => (Array.isArray(m) ? m : [m]));
  const unique = flat.filter((m) => {
    if (typeof m !== 'string') return true;
    const first = !named.has(m);
    named.add(m);
    return first;
  });
  const [only] = unique;
  return unique.length === 1 && only !== undefined ? only : unique;
}

function namedType(text: string, at: Place, context: BuildContext): CwlType {
  const { typeSizes } = context;
  if (typeSizes.depth >= MAX_DEPTH) return tooLarge(text, at, context);
  typeSizes.depth += 1;
  const type = typeOfName(text, at, context);
  typeSizes.depth -= 1;
  return type;
}

function typeOfName(text: string, at: Place, context: BuildContext): CwlType {
  if (text.endsWith('?')) return unionOf(['null', namedType(text.slice(0, -1), at, context)]);
  if (text.endsWith('[]')) return { type: 'array', items: namedType(text.slice(0, -2), at, context) };
  const primitive = PRIMITIVES.find((p) => p === text);
  if (primitive !== undefined) return primitive;
  const named = context.types.lookup(text, at);
  if (named === undefined) {
    reportUnknown(text, at, context);
    return 'Any';
  }
  if (named.type === 'open') {
    context.reporter.error(at, 'recursive-type', `the type '${shortName(text)}' contains itself`);
    return 'Any';
  }
  if (named.type === undefined) {
    named.type = 'open';
    named.type = definedType(named.node, context);
  }
  return context.typeSizes.admits(named.type) ? named.type : tooLarge(text, at, context);
}

/** Types that name others twice double with every name, and plans hold them written out. */
function tooLarge(text: string, at: Place, context: BuildContext): CwlType {
  if (!context.typeSizes.reported)
    context.reporter.error(at, 'document-limit', `the type '${shortName(text).slice(0, 60)}' written out would be too large`);
  context.typeSizes.reported = true;
  return 'Any';
}

function reportUnknown(text: string, at: Place, context: BuildContext): void {
  if (['array', 'record', 'enum'].includes(text)) {
    context.reporter.error(at, 'invalid-type', `'${text}' alone is no type`, `write {type: ${text}, …}`);
  } else if (['stdin', 'stdout', 'stderr'].includes(text)) {
    const where = text === 'stdin' ? 'an input' : 'an output';
    context.reporter.error(at, 'invalid-type', `'${text}' can only be the whole type of ${where} of a CommandLineTool`);
  } else {
    const names = (): string[] => [...PRIMITIVES, ...context.types.names()];
    context.reporter.error(at, 'unknown-type', `there is no type '${text}'`, () =>
      Object.hasOwn(SYNONYMS, text) ? `did you mean '${SYNONYMS[text]}'?` : didYouMean(shortName(text), names()),
    );
  }
}

function definedType(node: MapNode, context: BuildContext): CwlType {
  const kind = field(node, 'type');
  const name = stringOf(kind);
  if (stringField(node, 'name') !== undefined && context.types.lookup(stringField(node, 'name') ?? '', node) === undefined)
    context.types.declare(node);
  switch (name) {
    case 'array':
      return arrayType(node, context);
    case 'record':
      return recordType(node, context);
    case 'enum':
      return enumType(node, context);
    default:
      return wrapped(node, kind, context);
  }
}

/** `{type: T}` with nothing else is T; anything else cannot be told what it should have been. */
function wrapped(node: MapNode, kind: Node | undefined, context: BuildContext): CwlType {
  if (kind === undefined) {
    context.reporter.error(node, 'invalid-type', "a type written as a mapping needs the field 'type': array, record or enum");
    return 'Any';
  }
  checkRecord(node, { says: 'a type', fields: { type: { shape: { kind: 'any' } }, name: { shape: { kind: 'any' } } } }, context);
  return typeOf(kind, context);
}

const typeText = (node: MapNode): { name?: string; label?: string } => {
  const name = stringField(node, 'name');
  return { name: name === undefined ? undefined : shortName(name), label: stringField(node, 'label') };
};

function arrayType(node: MapNode, context: BuildContext): ArrayType {
  checkRecord(node, ARRAY_TYPE, context);
  const items = typeOf(field(node, 'items'), context);
  return defined({ type: 'array', items, ...typeText(node), inputBinding: inputBinding(node) });
}

function enumType(node: MapNode, context: BuildContext): EnumType {
  checkRecord(node, ENUM_TYPE, context);
  const written = field(node, 'symbols');
  const symbols = stringsOf(written).map(shortName);
  checkSymbols(written, context);
  return defined({ type: 'enum', ...typeText(node), symbols, inputBinding: inputBinding(node) });
}

/**
 * Symbols are identifiers: of `a/b` only `b` is compared. Documents that were packed have them whole, after '#' or an address, and mean that.
 * Source: CWL v1.2 CommandLineTool, "symbols"; Semantic Annotations for Linked Avro Data, "identity".
 */
function checkSymbols(written: Node | undefined, { reporter }: BuildContext): void {
  const seen = new Map<string, string>();
  for (const item of isList(written) ? written.items : []) {
    const symbol = stringOf(item);
    if (symbol === undefined) continue;
    const short = shortName(symbol);
    const other = seen.get(short);
    const why = `the symbol '${symbol}' counts as '${short}'`;
    if (other !== undefined && other !== symbol)
      reporter.error(item, 'invalid-value', `${why}, as '${other}' does: symbols have neither '/' nor '#'`);
    else if (short !== symbol && !/^#|:/.test(symbol))
      reporter.warning(item, 'shortened-symbol', `${why}: symbols have neither '/' nor '#'`);
    seen.set(short, symbol);
  }
}

function recordType(node: MapNode, context: BuildContext): RecordType {
  checkRecord(node, RECORD_TYPE, context);
  const written = field(node, 'fields');
  if (written) checkShape(written, idMap(RECORD_FIELD, 'name', 'type'), context, "'fields'");
  const fields = namedMaps(written, 'name', 'type').map(({ name, node: item }): RecordField => {
    const options = fileOptions(item, context.version);
    const type = parameterType(item, context);
    return defined({
      name,
      type,
      label: stringField(item, 'label'),
      doc: docOf(item),
      ...options,
      inputBinding: inputBinding(item),
      outputBinding: outputBinding(item),
    });
  });
  return defined({ type: 'record', ...typeText(node), fields, inputBinding: inputBinding(node) });
}

/** The type of a parameter or field; what `typePlacement` has reported is not reported again. */
export function parameterType(node: MapNode, context: BuildContext): CwlType {
  return isMisplacedType(node) ? 'Any' : typeOf(field(node, 'type'), context);
}
