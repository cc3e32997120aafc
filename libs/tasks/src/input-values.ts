/**
 * An input object made ready for a tool: declared names only, types checked, files named, and completed with what their parameters ask
 * for (secondaryFiles, loadContents, loadListing, format).
 *
 * Invariant: without Files there is no I/O; with Files only what an expression or a parameter can see is looked up.
 */
import type {
  CwlObject,
  CwlType,
  CwlValue,
  DirectoryValue,
  EffectiveRequirements,
  FileOptions,
  FileValue,
  FormatOntology,
  InputParameter,
  LoadListing,
} from '@weft/plan';
import { find, holdsFiles, isDirectory, isFile, isObject } from '@weft/plan';
import type { FileAccess } from './api.js';
import { TaskError } from './api.js';
import { nameAndUnite, prepareFile } from './file-values.js';
import { checkFormat } from './format.js';
import type { Scope } from './scope.js';
import { brief, evaluate } from './scope.js';
import { completeSecondaries } from './secondary-files.js';
import { memberFor, mismatch } from './type-check.js';

export interface InputWork {
  parameters: InputParameter[];
  effective: EffectiveRequirements;
  declaredVersion: string;
  formats?: FormatOntology;
  access: FileAccess;
  /** Look for secondary files beside their primaries. */
  discover: boolean;
  /** Every expression that could look at the inputs, joined. */
  observed: string;
}

/** `scope.inputs` becomes the result (a copy of `inputs`), so that expressions of parameters see it grow. */
export async function prepareInputs(inputs: CwlObject, work: InputWork, scope: Scope): Promise<CwlObject> {
  const prepared: CwlObject = {};
  for (const parameter of work.parameters) {
    const value = inputs[parameter.name] ?? null;
    const wrong = mismatch(parameter.type, value, `input '${parameter.name}'`);
    if (wrong !== undefined) throw new TaskError('INPUT_TYPE', wrong);
    prepared[parameter.name] = value !== null && typeof value === 'object' ? structuredClone(value) : value;
  }
  scope.inputs = prepared;
  if (!holdsFiles(prepared)) return prepared;
  await nameAndUnite(prepared, work.access);
  const walk = new InputWalk(work, scope);
  for (const parameter of work.parameters)
    await walk.visit(parameter.type, prepared[parameter.name] ?? null, optionsOf(parameter), `input '${parameter.name}'`);
  return prepared;
}

function optionsOf(parameter: FileOptions & { inputBinding?: InputParameter['inputBinding'] }): FileOptions {
  const loadContents = parameter.loadContents ?? parameter.inputBinding?.loadContents;
  return {
    ...(parameter.secondaryFiles ? { secondaryFiles: parameter.secondaryFiles } : {}),
    ...(parameter.format ? { format: parameter.format } : {}),
    ...(loadContents ? { loadContents } : {}),
    ...(parameter.loadListing ? { loadListing: parameter.loadListing } : {}),
  };
}

/** What loadListing is where a parameter does not say: the requirement, or "no_listing" ("deep_listing" in v1.0, where anything can see it). */
export function defaultListing(effective: EffectiveRequirements, declaredVersion: string, observed: string): LoadListing {
  const wanted = find(effective, 'LoadListingRequirement')?.value.loadListing;
  if (wanted) return wanted;
  return declaredVersion.startsWith('v1.0') && /listing|JSON/.test(observed) ? 'deep_listing' : 'no_listing';
}

class InputWalk {
  private readonly listing: LoadListing;
  private readonly sizes: boolean;

  constructor(
    private readonly work: InputWork,
    private readonly scope: Scope,
  ) {
    this.listing = defaultListing(work.effective, work.declaredVersion, work.observed);
    this.sizes = /\bsize\b|JSON/.test(work.observed);
  }

  async visit(type: CwlType, value: CwlValue, options: FileOptions, where: string): Promise<void> {
    const member = memberFor(type, value);
    if (isFile(value)) await this.file(value, options, where);
    else if (isDirectory(value)) await this.directory(value, options);
    else if (Array.isArray(value)) {
      const items = typeof member === 'object' && member.type === 'array' ? member.items : 'Any';
      for (const [index, item] of value.entries()) await this.visit(item === null ? 'null' : items, item, options, `${where}[${index}]`);
    } else if (isObject(value)) await this.record(member, value, where);
  }

  private async record(member: CwlType | undefined, value: CwlObject, where: string): Promise<void> {
    if (typeof member === 'object' && !Array.isArray(member) && member.type === 'record') {
      for (const field of member.fields)
        await this.visit(field.type, value[field.name] ?? null, optionsOf(field), `${where}.${field.name}`);
      return;
    }
    for (const key of Object.keys(value)) await this.visit(value[key] === null ? 'null' : 'Any', value[key] ?? null, {}, `${where}.${key}`);
  }

  private async file(file: FileValue, options: FileOptions, where: string): Promise<void> {
    const { access, discover } = this.work;
    await prepareFile(file, { ...options, sizes: this.sizes }, access);
    if (options.secondaryFiles) {
      await completeSecondaries(file, options.secondaryFiles, { scope: this.scope, access, discover, where });
      if (this.sizes) for (const secondary of file.secondaryFiles ?? []) await prepareFile(secondary, { sizes: true }, access);
    }
    for (const secondary of file.secondaryFiles ?? []) if (isDirectory(secondary)) await this.directory(secondary, {});
    if (options.format) checkFormat(file, await this.formats(options.format, where), this.work.formats ?? {}, where);
  }

  private async directory(directory: DirectoryValue, options: FileOptions): Promise<void> {
    await prepareFile(directory, { loadListing: options.loadListing ?? this.listing, sizes: this.sizes }, this.work.access);
  }

  private async formats(format: string | string[], where: string): Promise<string[]> {
    const value = Array.isArray(format) ? format : await evaluate(this.scope, format);
    const list = value === null ? [] : Array.isArray(value) ? value : [value];
    return list.map((item) => {
      if (typeof item !== 'string')
        throw new TaskError('EXPRESSION', `${where}: format must be text or a list of texts; got ${brief(value)}`, String(format));
      return item;
    });
  }
}
