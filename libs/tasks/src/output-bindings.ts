/**
 * Output bindings over the manifest: glob → loadContents, loadListing → outputEval → secondaryFiles → format.
 * Source: CWL v1.2 CommandLineTool, "CommandOutputBinding". Two passes, because contents of all outputs are fetched in one call.
 */
import type {
  CwlObject,
  CwlType,
  CwlValue,
  EffectiveRequirements,
  Entry,
  FileOptions,
  LoadListing,
  OutputBinding,
  RecordType,
} from '@weft/plan';
import { isDirectory, isFile, isFileOrDirectory } from '@weft/plan';
import { needsEvaluation } from '@weft/expressions';
import type { OutputCollector } from './api.js';
import { TaskError } from './api.js';
import { CONTENTS_LIMIT } from './file-values.js';
import { GlobSearch, isWild } from './glob.js';
import { defaultListing } from './input-values.js';
import type { OutputPublisher } from './output-publisher.js';
import type { Scope } from './scope.js';
import { brief, evaluate, evaluateString } from './scope.js';
import { expandPattern, patternRequired } from './secondary-files.js';
import { admits } from './type-check.js';
import type { WorkDirIndex } from './work-dir-index.js';

/** Globs of one output that are looked for through all paths; names are not. */
const MAX_WILD = 1_000;

/** An output parameter or a field of a record output. */
export interface OutputPort extends FileOptions {
  name: string;
  type: CwlType;
  outputBinding?: OutputBinding;
}

/** What the globs of one port matched, and the patterns they came from. */
interface Matches {
  patterns: string[];
  files: Entry[];
}

export interface OutputWork {
  scope: Scope;
  index: WorkDirIndex;
  publisher: OutputPublisher;
  workDir: string;
  effective: EffectiveRequirements;
  declaredVersion: string;
}

export class OutputBindings {
  private readonly matches = new Map<OutputPort, Matches>();

  private readonly globs: GlobSearch;

  constructor(private readonly work: OutputWork) {
    const { index, workDir } = work;
    const tree = { paths: index.paths, has: (path: string) => index.has(path), isDirectory: (path: string) => !index.isFile(path) };
    this.globs = new GlobSearch(tree, workDir);
  }

  /** Value of every port; publishes nothing. */
  async evaluate(ports: OutputPort[], collector: OutputCollector): Promise<CwlObject> {
    for (const port of ports) await this.match(port, `output '${port.name}'`);
    await this.load(collector);
    const values: CwlObject = {};
    for (const port of ports) values[port.name] = await this.value(port, `output '${port.name}'`);
    return values;
  }

  private async match(port: OutputPort, where: string): Promise<void> {
    if (port.outputBinding) {
      const patterns = await this.patterns(port.outputBinding.glob, where);
      const wild = patterns.filter(isWild).length;
      if (wild > MAX_WILD) throw new TaskError('OUTPUT_GLOB', `${where}: ${wild} globs with wildcards; ${MAX_WILD} are allowed`);
      const paths = new Set<string>();
      for (const pattern of patterns) for (const path of await this.globs.find(pattern)) paths.add(path);
      this.matches.set(port, { patterns, files: [...paths].map((path) => this.work.index.value(path)) });
      return;
    }
    const record = recordOf(port.type);
    for (const field of record?.fields ?? []) await this.match(field, `${where}.${field.name}`);
  }

  private async patterns(glob: string | string[] | undefined, where: string): Promise<string[]> {
    const patterns: string[] = [];
    for (const pattern of typeof glob === 'string' ? [glob] : (glob ?? [])) {
      const value = await evaluate(this.work.scope, pattern);
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item === null || item === '') continue;
        if (typeof item !== 'string')
          throw new TaskError('OUTPUT_GLOB', `${where}: glob must give text or a list of texts; ${pattern} gave ${brief(value)}`, pattern);
        patterns.push(item);
      }
    }
    return patterns;
  }

  /** Listings from the manifest; contents and checksums, where asked for, of all ports in one call. */
  private async load(collector: OutputCollector): Promise<void> {
    const wanted: { file: Entry; contents: boolean; checksum: boolean }[] = [];
    for (const [port, { files }] of this.matches) {
      const { loadContents = false, outputEval } = port.outputBinding ?? {};
      const checksum = /checksum|JSON/.test(outputEval ?? '');
      const loading = this.listing(port);
      for (const file of files) {
        if (isDirectory(file)) {
          if (loading !== 'no_listing') file.listing = this.work.index.listing(this.relative(file), loading === 'deep_listing');
        } else if (loadContents || checksum) {
          if (loadContents && (file.size ?? 0) > CONTENTS_LIMIT) {
            throw new TaskError(
              'CONTENTS_LIMIT',
              `output '${port.name}': loadContents: ${file.basename ?? ''} has ${file.size ?? 0} bytes; at most ${CONTENTS_LIMIT} may be loaded`,
            );
          }
          wanted.push({ file, contents: loadContents, checksum });
        }
      }
    }
    if (wanted.length === 0) return;
    const items = wanted.map((one) => ({
      path: this.relative(one.file),
      contents: one.contents,
      contentsLimit: CONTENTS_LIMIT,
      checksum: one.checksum,
      publish: false,
    }));
    const collected = await collector.collect(items, { publish: false, release: false });
    for (const [i, { file, contents, checksum }] of wanted.entries()) {
      const answer = collected[i];
      if (contents) file['contents'] = answer?.contents ?? '';
      if (checksum && answer?.checksum) file['checksum'] = answer.checksum;
    }
  }

  private listing(port: OutputPort): LoadListing {
    const { effective, declaredVersion } = this.work;
    return (
      port.outputBinding?.loadListing ??
      port.loadListing ??
      defaultListing(effective, declaredVersion, port.outputBinding?.outputEval ?? '')
    );
  }

  private relative(entry: Entry): string {
    return (entry.path ?? '').slice(this.work.workDir.length + 1);
  }

  private async value(port: OutputPort, where: string): Promise<CwlValue> {
    const found = this.matches.get(port);
    if (!found) return this.record(recordOf(port.type), where);
    const outputEval = port.outputBinding?.outputEval;
    // What an expression gives may share structure with the inputs, and secondary files and formats are written into it below.
    const evaluated: CwlValue =
      outputEval === undefined ? found.files : structuredClone(await evaluate(this.work.scope, outputEval, found.files));
    const value = this.shape(port, evaluated, found.patterns, where);
    if (port.secondaryFiles) for (const primary of entriesOf(value)) await this.secondaries(port, primary, where);
    if (port.format)
      for (const primary of entriesOf(value)) if (isFile(primary)) primary.format = await this.format(port.format, primary, where);
    return value;
  }

  private async record(record: RecordType | undefined, where: string): Promise<CwlValue> {
    if (!record) return null;
    const value: CwlObject = {};
    for (const field of record.fields) value[field.name] = await this.value(field, `${where}.${field.name}`);
    return value;
  }

  /** One match for a single File or Directory; no match for an optional one is null. */
  private shape(port: OutputPort, value: CwlValue, patterns: string[], where: string): CwlValue {
    const allowed = admits(port.type);
    const empty = value === null || (Array.isArray(value) && value.length === 0);
    if (empty && allowed.nothing) return null;
    if (!allowed.single) return value;
    if (empty && !allowed.list) {
      const by = patterns.length > 0 ? `glob ${patterns.map((pattern) => `'${pattern}'`).join(', ')} matched nothing` : 'has no value';
      throw new TaskError('OUTPUT_MISSING', `${where}: ${by}; the tool left: ${this.work.index.summary()}`);
    }
    if (!Array.isArray(value)) return value;
    if (value.length === 1) return value[0] ?? null;
    if (allowed.list) return value;
    const names = value.map((item) => (isFileOrDirectory(item) ? (item.basename ?? '') : brief(item)));
    throw new TaskError(
      'OUTPUT_TYPE',
      `${where}: one File or Directory is wanted, ${value.length} matched: ${names.slice(0, 10).join(', ')}`,
    );
  }

  private async secondaries(port: OutputPort, primary: Entry, where: string): Promise<void> {
    if (!isFile(primary)) return;
    const directory = (primary.path ?? '').slice(0, (primary.path ?? '').lastIndexOf('/') + 1);
    const present = [...(primary.secondaryFiles ?? [])];
    for (const schema of port.secondaryFiles ?? []) {
      const required = await patternRequired(this.work.scope, schema, primary, false);
      for (const item of await expandPattern(this.work.scope, schema.pattern, primary)) {
        const entry: Entry = typeof item === 'string' ? this.atPath(item.startsWith('/') ? item : directory + item) : { ...item };
        if (this.work.publisher.exists(entry)) {
          if (!present.some((other) => other.basename === entry.basename)) present.push(entry);
        } else if (required) {
          const name = entry.basename ?? entry.path ?? entry.location ?? '';
          throw new TaskError(
            'OUTPUT_MISSING',
            `${where}: ${primary.basename ?? ''} lacks its required secondary file ${name}; the tool left: ${this.work.index.summary()}`,
          );
        }
      }
    }
    if (present.length > 0) primary.secondaryFiles = present;
  }

  private atPath(path: string): Entry {
    const relative = path.startsWith(`${this.work.workDir}/`) ? path.slice(this.work.workDir.length + 1) : undefined;
    return relative !== undefined && this.work.index.has(relative)
      ? this.work.index.value(relative)
      : { class: 'File', path, basename: path.slice(path.lastIndexOf('/') + 1) };
  }

  private async format(format: string | string[], primary: Entry, where: string): Promise<string> {
    const [first = ''] = typeof format === 'string' ? [format] : format;
    return needsEvaluation(first) ? evaluateString(this.work.scope, first, `${where}: format`, primary) : first;
  }
}

function entriesOf(value: CwlValue): Entry[] {
  return (Array.isArray(value) ? value : [value]).filter(isFileOrDirectory);
}

/** The record that a port may be, where its fields carry the bindings. */
function recordOf(type: CwlType): RecordType | undefined {
  for (const option of Array.isArray(type) ? type : [type]) {
    if (typeof option === 'object' && !Array.isArray(option) && option.type === 'record') return option;
  }
  return undefined;
}
