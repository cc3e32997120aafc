/**
 * YAML 1.2 (core schema) or JSON text → nodes with places. Nothing here knows CWL.
 *
 * Invariants:
 *  1. Duplicate keys are errors; dates stay strings; numbers are finite.
 *  2. Aliases may not blow a document up (MAX_ALIASED), nor contain themselves.
 *  3. Of several syntax errors only the first is reported: the others are its consequences.
 */
import { isAlias, isMap, isScalar, isSeq, type Document, type ParsedNode, type YAMLError } from 'yaml';
import { shortened, type Reporter } from '../diagnostics.js';
import { MAX_DEPTH, MAX_NODES, MAX_YAML_CHARS, TOO_DEEP, TOO_MANY_NODES, TOO_MANY_TOKENS, TOO_MANY_YAML_CHARS } from '../limits.js';
import { joinFlowLines } from './flow-lines.js';
import { lostDigits } from './exact-numbers.js';
import { parseJson } from './parse-json.js';
import { scalarNode, type MapEntry, type MapNode, type Node, type Place, type ScalarNode, type SourceFile } from './node.js';
import { composeYaml, SECOND_DOCUMENT, type Composed } from './yaml-document.js';

/** How much larger aliases may make a document: this many nodes, or ten times its own. */
const MAX_ALIASED = 100_000;

/** The root node, or undefined after an error was reported. */
export function parseYaml(file: SourceFile, reporter: Reporter): Node | undefined {
  const plainJson = parseJson(file, MAX_DEPTH, MAX_NODES);
  if (plainJson !== undefined && plainJson !== 'large') return plainJson;
  const document = plainJson ?? (file.text.length > MAX_YAML_CHARS ? 'longText' : parseTolerantly(file.text));
  if (typeof document === 'string') {
    const message = { deep: TOO_DEEP, long: TOO_MANY_TOKENS, longText: TOO_MANY_YAML_CHARS, large: TOO_MANY_NODES }[document];
    reporter.error({ file, start: 0, end: 0 }, 'document-limit', message);
    return undefined;
  }
  if (reportSyntax(document.errors, file, reporter)) return undefined;
  if (document.contents === null) {
    reporter.error({ file, start: 0, end: 0 }, 'yaml-syntax', 'the document is empty');
    return undefined;
  }
  return new Converter(file, reporter).root(document);
}

function reportSyntax(errors: YAMLError[], file: SourceFile, reporter: Reporter): boolean {
  const place = (e: YAMLError): Place => ({ file, start: e.pos[0], end: e.pos[1] });
  const [first] = errors;
  if (first && /call stack/i.test(first.message)) reporter.error(place(first), 'document-limit', TOO_DEEP);
  else if (first) reporter.error(place(first), 'yaml-syntax', `not valid YAML: ${plain(first.message)}`);
  return errors.length > 0;
}

function plain(message: string): string {
  if (message.startsWith(SECOND_DOCUMENT)) return "a second document starts at '---'; only one is read";
  if (message.startsWith('Implicit keys need to be on a single line')) return "a key that starts on this line is not followed by ':'";
  const bracket = /^Unexpected flow-(seq|map)-start at node end/.exec(message);
  if (bracket) return `text that contains '${bracket[1] === 'seq' ? '[' : '{'}' must be in quotes here`;
  const flow = /^Flow (map|sequence) in block collection/.exec(message);
  if (flow)
    return `what starts with '${flow[1] === 'map' ? '{' : '['}' is not closed before this line, or this line is not indented enough`;
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** Text that is refused for its indentation gets a second chance with its flow collections joined. */
function parseTolerantly(text: string): Composed {
  const document = composeYaml(text);
  if (typeof document === 'string' || document.errors[0]?.code !== 'BAD_INDENT') return document;
  const joined = composeYaml(joinFlowLines(text));
  return typeof joined === 'string' || joined.errors.length > 0 ? document : joined;
}

class Converter {
  private readonly anchors = new Map<string, { node: Node; size: number; height: number } | 'open'>();
  /** Nodes with aliases written out, and nodes as written. */
  private size = 0;
  private written = 0;
  /** Deepest level met in the node being converted, aliases written out. */
  private deepest = 0;
  private failed = false;
  private repeats = false;

  constructor(
    private readonly file: SourceFile,
    private readonly reporter: Reporter,
  ) {}

  root(document: Document.Parsed): Node | undefined {
    const node = this.convert(document.contents, 0, 0);
    return this.failed || this.repeats ? undefined : node;
  }

  private convert(yaml: ParsedNode | null, at: number, depth: number): Node {
    const start = yaml?.range?.[0] ?? at;
    const place: Place = { file: this.file, start, end: yaml?.range?.[1] ?? start };
    this.size += 1;
    this.written += 1;
    if (yaml === null || this.failed) return scalarNode(place, null);
    if (depth > MAX_DEPTH) return this.fail(place, 'document-limit', TOO_DEEP);
    if (this.written > MAX_NODES) return this.fail(place, 'document-limit', TOO_MANY_NODES);
    if (isAlias(yaml)) return this.aliased(yaml.source, place, depth);
    this.deepest = Math.max(this.deepest, depth);
    const { anchor } = yaml as { anchor?: string };
    if (anchor !== undefined) this.anchors.set(anchor, 'open');
    if (anchor === undefined) return this.convertPlain(yaml, place, depth);
    const [size, deepest] = [this.size, this.deepest];
    this.deepest = depth;
    const node = this.convertPlain(yaml, place, depth);
    this.anchors.set(anchor, { node, size: this.size - size + 1, height: this.deepest - depth });
    this.deepest = Math.max(this.deepest, deepest);
    return node;
  }

  private convertPlain(yaml: ParsedNode, place: Place, depth: number): Node {
    if (isMap(yaml)) return this.map(yaml.items as { key: ParsedNode; value: ParsedNode | null }[], place, depth);
    if (isSeq(yaml))
      return { kind: 'list', ...place, items: yaml.items.map((item) => this.convert(item as ParsedNode, place.start, depth + 1)) };
    return isScalar(yaml)
      ? this.scalar(yaml.value, yaml.source ?? '', place)
      : this.fail(place, 'yaml-syntax', 'not a mapping, list or scalar');
  }

  private scalar(value: unknown, source: string, place: Place): Node {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return scalarNode(place, value);
    if (typeof value === 'number' && Number.isFinite(value)) {
      const digits = lostDigits(source, value);
      return digits === undefined ? scalarNode(place, value) : { ...scalarNode(place, value), digits };
    }
    return this.fail(place, 'yaml-syntax', `${shortened(source === '' ? String(value) : source, 100)} is not a number that JSON can hold`);
  }

  private map(items: { key: ParsedNode; value: ParsedNode | null }[], place: Place, depth: number): MapNode {
    const entries = new Map<string, MapEntry>();
    const merged: Node[] = [];
    let isMerged = false;
    for (const { key, value } of items) {
      const start = key?.range?.[0] ?? place.start;
      const keyPlace: Place = { file: this.file, start, end: key?.range?.[1] ?? start };
      const name = this.keyName(key, keyPlace);
      const node = this.convert(value, keyPlace.end, depth + 1);
      if (name === '<<' ? isMerged : entries.has(name)) this.repeated(name, keyPlace);
      if (name === '<<') merged.push(node);
      else entries.set(name, { key: name, place: keyPlace, value: node });
      if (name === '<<') isMerged = true;
    }
    for (const node of merged) this.merge(entries, node);
    return { kind: 'map', ...place, entries };
  }

  /** Each is reported: they do not hide one another. */
  private repeated(name: string, place: Place): void {
    this.repeats = true;
    this.reporter.error(place, 'duplicate-key', `key '${name}' is written twice in one mapping`);
  }

  /** `<<: *base`: fields of other maps that this map does not write itself. */
  private merge(entries: Map<string, MapEntry>, node: Node): void {
    for (const from of node.kind === 'list' ? node.items : [node]) {
      if (from.kind !== 'map') {
        this.fail(from, 'yaml-syntax', "'<<' must name a mapping or a list of mappings");
        continue;
      }
      for (const entry of from.entries.values()) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    }
  }

  private keyName(key: ParsedNode | null, place: Place): string {
    if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    this.fail(place, 'yaml-syntax', 'a key must be plain text');
    return '';
  }

  private aliased(name: string, place: Place, depth: number): Node {
    const target = this.anchors.get(name);
    if (target === undefined) return this.fail(place, 'yaml-syntax', `alias '*${name}' names no anchor above it`);
    if (target === 'open') return this.fail(place, 'document-limit', `alias '*${name}' is part of what it names`);
    this.size += target.size;
    this.deepest = Math.max(this.deepest, depth + target.height);
    if (depth + target.height > MAX_DEPTH) return this.fail(place, 'document-limit', TOO_DEEP);
    const most = Math.min(MAX_NODES, MAX_ALIASED + 10 * this.written);
    if (this.size <= most) return target.node;
    return this.fail(place, 'document-limit', `with its aliases written out the document would have more than ${most} nodes`);
  }

  private fail(place: Place, code: string, message: string): ScalarNode {
    if (!this.failed) this.reporter.error(place, code, message);
    this.failed = true;
    return scalarNode(place, null);
  }
}
