/**
 * Looks at the files of an input object where they are: adds the secondary files that the root process asks for, checks that
 * everything exists and is of the right kind and format. All problems are collected, each with its input's name.
 */
import {
  encodeUriPath,
  holdsFiles,
  isFile,
  isFileOrDirectory,
  isObject,
  type CwlObject,
  type CwlType,
  type CwlValue,
  type DirectoryValue,
  type FileOptions,
  type FileValue,
  type Plan,
  withoutEndSlashes,
  type Entry,
} from '@weft/plan';
import type { Diagnostic } from '../api.js';
import { displayName } from '../diagnostics.js';
import { setOwn } from '../source/node.js';
import { isExpression } from '../source/uri.js';
import { formatMatches } from './formats.js';
import { expectedFiles, type Expected, type FileExpressionEvaluator } from './secondary-files.js';

export type { FileExpressionEvaluator };

/** Looks at stored files. `stat` rejects with an error whose `code` is NOT_FOUND, ACCESS, UNSUPPORTED or another. */
export interface InputFileAccess {
  stat(uri: string): Promise<{ kind: 'file' | 'directory' }>;
  /** Entries of a directory. */
  list(uri: string): Promise<{ name: string }[]>;
}

export interface ResolveOptions {
  /** Needed where secondaryFiles or format are expressions. */
  evaluator?: FileExpressionEvaluator;
  /** What diagnostics call the job. Default "inputs". */
  file?: string;
}

export interface ResolvedInputs {
  /** Absent where a problem was found. */
  inputs?: CwlObject;
  diagnostics: Diagnostic[];
}

/** How many files are looked at at the same time. */
const PARALLEL = 16;

type Found = { kind: 'file' | 'directory' } | { code: string; message: string };

export async function resolveInputFiles(
  plan: Plan,
  inputs: CwlObject,
  access: InputFileAccess,
  options: ResolveOptions = {},
): Promise<ResolvedInputs> {
  const resolver = new Resolver(plan, inputs, access, options);
  const resolved: CwlObject = { ...inputs };
  for (const parameter of plan.processes[plan.root]?.inputs ?? []) {
    const value = inputs[parameter.name];
    if (value !== undefined) resolved[parameter.name] = await resolver.value(value, parameter.type, parameter, `input '${parameter.name}'`);
  }
  await resolver.checkExistence();
  const { diagnostics } = resolver;
  return diagnostics.some((d) => d.severity === 'error') ? { diagnostics } : { inputs: resolved, diagnostics };
}

class Resolver {
  readonly diagnostics: Diagnostic[] = [];
  private readonly stats = new Map<string, Promise<Found>>();
  private readonly checks: { file: Entry; subject: string }[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly inputs: CwlObject,
    private readonly access: InputFileAccess,
    private readonly options: ResolveOptions,
  ) {}

  /** The value with secondary files added. `wanted` are the options that apply to Files at this place. */
  async value(value: CwlValue, type: CwlType, wanted: FileOptions, subject: string): Promise<CwlValue> {
    // Most values hold none: nothing is waited for then, nor copied.
    if (!holdsFiles(value)) return value;
    if (Array.isArray(value)) {
      const items = membersOf(type).find((t) => typeof t === 'object' && !Array.isArray(t) && t.type === 'array');
      const itemType: CwlType = typeof items === 'object' && !Array.isArray(items) && items.type === 'array' ? items.items : 'Any';
      return inBatches(value, (item, index) => this.value(item, itemType, wanted, `item ${index + 1} of ${subject}`));
    }
    if (isFileOrDirectory(value)) return this.file(value, wanted, subject);
    return isObject(value) ? this.record(value, type, subject) : value;
  }

  async checkExistence(): Promise<void> {
    await inBatches(this.checks, async ({ file, subject }) => {
      if (file.location === undefined) return;
      const found = await this.stat(file.location);
      const name = displayName(file.location);
      if ('message' in found) {
        if (found.code === 'UNSUPPORTED') return;
        this.problem('missing-file', `${subject}: ${found.code === 'NOT_FOUND' ? `${name} does not exist` : found.message}`);
      } else if (found.kind !== (isFile(file) ? 'file' : 'directory')) {
        const [is, wanted] = isFile(file) ? ['directory', 'File'] : ['file', 'Directory'];
        this.problem('wrong-kind', `${subject}: ${name} is a ${is}, not a ${wanted}`);
      }
    });
  }

  private async record(value: CwlObject, type: CwlType, subject: string): Promise<CwlObject> {
    const keys = Object.keys(value);
    const record = membersOf(type)
      .flatMap((t) => (typeof t === 'object' && !Array.isArray(t) && t.type === 'record' ? [t] : []))
      .find((t) => keys.every((key) => t.fields.some((f) => f.name === key)));
    const copy: CwlObject = {};
    for (const key of keys) {
      const member = value[key];
      if (member === undefined) continue;
      const field = record?.fields.find((f) => f.name === key);
      setOwn<CwlValue | undefined>(copy, key, await this.value(member, field?.type ?? 'Any', field ?? {}, `field '${key}' of ${subject}`));
    }
    return copy;
  }

  private async file(file: Entry, wanted: FileOptions, subject: string): Promise<Entry> {
    this.check(file, subject);
    if (!isFile(file)) return this.directory(file);
    await this.checkFormat(file, wanted, subject);
    if (!wanted.secondaryFiles?.length) return file;
    const secondaryFiles = [...(file.secondaryFiles ?? [])];
    for (const pattern of wanted.secondaryFiles) {
      try {
        for (const expected of await expectedFiles(file, pattern, this.inputs, this.options.evaluator)) {
          await this.addSecondary(expected, secondaryFiles, subject);
        }
      } catch (error) {
        this.problem('expression', `${subject}: secondaryFiles: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return secondaryFiles.length > 0 ? { ...file, secondaryFiles } : file;
  }

  /** One whose `listing` is not what lies at its `location` is what the listing says (libs/plan, entries.ts). */
  private async directory(directory: DirectoryValue): Promise<DirectoryValue> {
    if (directory.listing === undefined) return directory;
    const listing: Entry[] = [];
    for (const entry of directory.listing) listing.push(isFile(entry) ? entry : await this.directory(entry));
    const { location, ...made } = directory;
    if (location === undefined) return { ...made, listing } as DirectoryValue;
    const isWhole = listing.every((entry) => isEntryOf(location, entry)) && (await this.hasEntries(location, listing.length));
    return isWhole ? { ...directory, listing } : ({ ...made, listing } as DirectoryValue);
  }

  /** What cannot be listed is told of when its existence is checked. */
  private async hasEntries(location: string, count: number): Promise<boolean> {
    const entries = await this.access.list(location).catch(() => undefined);
    return entries === undefined || entries.length === count;
  }

  private async addSecondary(expected: Expected, known: Entry[], subject: string): Promise<void> {
    const { candidate, required } = expected;
    if (known.some((file) => file.basename === candidate.basename)) return;
    if ('class' in candidate) {
      this.check(candidate, `secondary file of ${subject}`);
      known.push(candidate);
      return;
    }
    const { uri, basename } = candidate;
    if (uri === undefined) {
      if (required) this.problem('missing-secondary-file', `${subject}: its secondary file ${basename} is not given`);
      return;
    }
    const found = await this.stat(uri);
    if ('kind' in found) known.push({ class: found.kind === 'file' ? 'File' : 'Directory', location: uri, basename });
    else if (!required) return;
    else if (found.code === 'UNSUPPORTED') known.push({ class: 'File', location: uri, basename });
    else {
      const why = found.code === 'NOT_FOUND' ? 'does not exist' : `cannot be read: ${found.message}`;
      this.problem('missing-secondary-file', `${subject}: its secondary file ${displayName(uri)} ${why}`);
    }
  }

  private check(file: Entry, subject: string): void {
    this.checks.push({ file, subject });
    const members = isFile(file) ? file.secondaryFiles : file.listing;
    const name = isFile(file) ? 'secondary file' : 'entry';
    for (const member of members ?? []) this.check(member, `${name} of ${subject}`);
  }

  private async checkFormat(file: FileValue, wanted: FileOptions, subject: string): Promise<void> {
    const formats = await this.wantedFormats(file, wanted, subject);
    if (formats === undefined || formats.length === 0) return;
    const asked = formats.join(' or ');
    if (file.format !== undefined) {
      if (!formatMatches(file.format, formats, this.plan.formats)) {
        this.problem('wrong-format', `${subject}: the format is ${file.format}; wanted is ${asked}`);
      }
    } else if (this.plan.processes[this.plan.root]?.class === 'Workflow') {
      this.problem('missing-format', `${subject}: the File says no format; wanted is ${asked}`, 'warning');
    } else
      this.problem('missing-format', `${subject}: the File says no format; wanted is ${asked}`, 'error', `add format: ${formats[0] ?? ''}`);
  }

  private async wantedFormats(file: FileValue, wanted: FileOptions, subject: string): Promise<string[] | undefined> {
    const formats = wanted.format === undefined ? [] : [wanted.format].flat();
    try {
      const values = await Promise.all(formats.map((format) => (isExpression(format) ? this.evaluate(format, file) : format)));
      return values.flat().filter((value) => typeof value === 'string');
    } catch (error) {
      this.problem('expression', `${subject}: format: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  private async evaluate(expression: string, file: FileValue): Promise<CwlValue> {
    if (!this.options.evaluator) throw new Error(`'${expression}' cannot be evaluated here`);
    return this.options.evaluator.evaluate(expression, { inputs: this.inputs, self: file, runtime: {} });
  }

  private stat(uri: string): Promise<Found> {
    const known = this.stats.get(uri) ?? this.access.stat(uri).catch(failureOf);
    this.stats.set(uri, known);
    return known;
  }

  private problem(code: string, message: string, severity: 'error' | 'warning' = 'error', hint?: string): void {
    this.diagnostics.push({
      severity,
      code,
      message,
      file: this.options.file ?? 'inputs',
      line: 0,
      column: 0,
      ...(hint !== undefined && { hint }),
    });
  }
}

/** Under its own name, with nothing beside it. Names of one listing differ. */
function isEntryOf(directory: string, entry: Entry): boolean {
  if (isFile(entry) && entry.secondaryFiles?.length) return false;
  return withoutEndSlashes(entry.location ?? '') === `${withoutEndSlashes(directory)}/${encodeUriPath(entry.basename ?? '')}`;
}

function failureOf(error: unknown): Found {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isMissing = code === 'NOT_FOUND' || code === 'ENOENT' || code === 'ENOTDIR';
  return { code: isMissing ? 'NOT_FOUND' : String(code), message: String(message) };
}

function membersOf(type: CwlType): CwlType[] {
  return Array.isArray(type) ? type.flatMap(membersOf) : [type];
}

async function inBatches<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += PARALLEL) {
    const batch = items.slice(start, start + PARALLEL);
    for (const result of await Promise.all(batch.map((item, offset) => work(item, start + offset)))) results.push(result);
  }
  return results;
}
