/** A job file (the input object as its author wrote it): text → nodes that know their places. */
import { isObject, type CwlObject } from '@weft/plan';
import type { Diagnostic } from '../api.js';
import { Reporter } from '../diagnostics.js';
import { fromJson, isMap, isNull, setOwn, stringOf, toJson, type MapNode, type SourceFile } from '../source/node.js';
import { MAX_DEPTH } from '../limits.js';
import { isOverridesKey } from '../overrides.js';
import { parseYaml } from '../source/parse-yaml.js';

const CWL = 'https://w3id.org/cwl/cwl#';

export interface ParsedJob {
  uri: string;
  /** The job as plain JSON, nothing resolved or checked. Absent where the text could not be read. */
  value?: CwlObject;
  /** The same with places. */
  root?: MapNode;
  diagnostics: Diagnostic[];
}

/** YAML or JSON text. An empty text is an empty job. */
export function parseJob(text: string, uri: string): ParsedJob {
  const reporter = new Reporter();
  const file: SourceFile = { uri, text, namespaces: {} };
  if (isBlank(text)) return { uri, value: {}, root: emptyMap(file), diagnostics: [] };
  const node = parseYaml(file, reporter);
  if (node === undefined) return { uri, diagnostics: reporter.diagnostics() };
  if (isNull(node)) return { uri, value: {}, root: emptyMap(file), diagnostics: [] };
  if (!isMap(node)) {
    const found = node.kind === 'list' ? 'a list' : 'a single value';
    reporter.error(
      node,
      'wrong-type',
      `a job maps the names of inputs to values; this is ${found}`,
      'write one line per input: name: value',
    );
    return { uri, diagnostics: reporter.diagnostics() };
  }
  file.namespaces = namespacesOf(node);
  return { uri, value: toJson(node) as CwlObject, root: node, diagnostics: [] };
}

/** Nodes for a job that came as JSON: messages know the file but no line. */
export function jobFromObject(value: CwlObject, uri: string): ParsedJob {
  const file: SourceFile = { uri, text: '', namespaces: {} };
  if (isTooDeep(value)) {
    const reporter = new Reporter();
    reporter.error({ file, start: -1, end: -1 }, 'document-limit', `the job is nested more than ${MAX_DEPTH} levels deep`);
    return { uri, diagnostics: reporter.diagnostics() };
  }
  const node = fromJson(value, { file, start: -1, end: -1 });
  const root = isMap(node) ? node : emptyMap(file);
  file.namespaces = namespacesOf(root);
  return { uri, value, root, diagnostics: [] };
}

/** Level by level, because recursion is what deep values break. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH + 1) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

/** The process that a job names itself (`cwl:tool`), as written: relative to the job. */
export function jobToolReference(job: CwlObject | ParsedJob): string | undefined {
  const value = isParsedJob(job) ? job.value : job;
  const tool = value?.['cwl:tool'] ?? value?.[`${CWL}tool`];
  return typeof tool === 'string' ? tool : undefined;
}

export function isParsedJob(job: CwlObject | ParsedJob): job is ParsedJob {
  const { uri, diagnostics, root, value } = job as Partial<ParsedJob>;
  return typeof uri === 'string' && Array.isArray(diagnostics) && (isObject(root) || value === undefined);
}

/** `cwl:x` for the key of a job that is not an input but speaks to the engine; undefined for inputs. */
export function engineKey(key: string, namespaces: Readonly<Record<string, string>>): string | undefined {
  if (isOverridesKey(key, namespaces)) return 'cwltool:overrides';
  if (key.startsWith(CWL)) return `cwl:${key.slice(CWL.length)}`;
  return key.startsWith('cwl:') || key === '$namespaces' || key === '$schemas' ? key : undefined;
}

function isBlank(text: string): boolean {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end).trim();
    if (line !== '' && line !== '---' && line !== '...' && !line.startsWith('#')) return false;
    at = end < 0 ? text.length : end + 1;
  }
  return true;
}

function emptyMap(file: SourceFile): MapNode {
  return { kind: 'map', file, start: -1, end: -1, entries: new Map() };
}

function namespacesOf(root: MapNode): Record<string, string> {
  const namespaces: Record<string, string> = {};
  const node = root.entries.get('$namespaces')?.value;
  if (!isMap(node)) return namespaces;
  for (const { key, value } of node.entries.values()) setOwn(namespaces, key, stringOf(value) ?? '');
  return namespaces;
}
