/**
 * secondaryFiles patterns of inputs: which files belong beside a File, and whether they are there.
 * Source: CWL v1.2 CommandLineTool, "SecondaryFileSchema". On inputs a pattern is required unless it says otherwise.
 */
import type { CwlValue, Entry, FileValue, SecondaryFile } from '@weft/plan';
import { isFileOrDirectory } from '@weft/plan';
import { needsEvaluation } from '@weft/expressions';
import type { FileAccess } from './api.js';
import { TaskError } from './api.js';
import { fillNames, isLiteral, isNotFound, onFile } from './file-values.js';
import { applyPattern, baseName, siblingUri } from './names.js';
import type { Scope } from './scope.js';
import { brief, evaluate } from './scope.js';

/** What a pattern yields for a primary file: names or paths relative to it, or whole File and Directory objects. */
export async function expandPattern(scope: Scope, pattern: string, primary: FileValue): Promise<(string | Entry)[]> {
  if (!needsEvaluation(pattern)) return [applyPattern(primary.basename ?? '', pattern)];
  const value = await evaluate(scope, pattern, primary);
  const found: (string | Entry)[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    if (item === null || item === '') continue;
    if (typeof item !== 'string' && !isFileOrDirectory(item)) {
      throw new TaskError('EXPRESSION', `secondaryFiles: ${pattern} must give names, Files or Directories; got ${brief(item)}`, pattern);
    }
    found.push(item);
  }
  return found;
}

/** `required` of a pattern; null counts as false. */
export async function patternRequired(scope: Scope, schema: SecondaryFile, primary: FileValue, otherwise: boolean): Promise<boolean> {
  if (schema.required === undefined) return otherwise;
  const value: CwlValue = await evaluate(scope, schema.required, primary);
  if (value !== null && typeof value !== 'boolean') {
    throw new TaskError(
      'EXPRESSION',
      `secondaryFiles: required of "${schema.pattern}" must be true or false; got ${brief(value)}`,
      String(schema.required),
    );
  }
  return value ?? false;
}

export interface InputSecondaries {
  scope: Scope;
  access: FileAccess;
  /** Look for files beside the primary; otherwise only those that its value already carries count. */
  discover: boolean;
  where: string;
}

/** Completes `secondaryFiles` of an input File. What it already carries is trusted unless discovery is on. */
export async function completeSecondaries(file: FileValue, schemas: SecondaryFile[], options: InputSecondaries): Promise<void> {
  if (file.secondaryFiles !== undefined && !options.discover) return;
  const present = (file.secondaryFiles ??= []);
  for (const schema of schemas) {
    const required = await patternRequired(options.scope, schema, file, true);
    for (const item of await expandPattern(options.scope, schema.pattern, file)) {
      const name = typeof item === 'string' ? baseName(item) : (item.basename ?? baseName(item.location ?? item.path ?? ''));
      if (present.some((other) => other.basename === name)) continue;
      const found = typeof item === 'string' ? await beside(file, item, options) : item;
      if (found) add(present, found, name);
      else if (required)
        throw new TaskError('SECONDARY_FILE', `${options.where}: ${file.basename ?? 'file'} lacks its required secondary file ${name}`);
    }
  }
  if (present.length === 0) delete file.secondaryFiles;
}

/** A File that is already there under another name takes the name that the pattern gives it. */
function add(present: Entry[], found: Entry, name: string): void {
  const same = found.location === undefined ? undefined : present.find((other) => other.location === found.location);
  const entry = same ?? { ...found };
  entry.basename = name;
  fillNames(entry, name);
  if (!same) present.push(entry);
}

async function beside(file: FileValue, name: string, options: InputSecondaries): Promise<Entry | undefined> {
  if (!options.discover || isLiteral(file)) return undefined;
  const location = siblingUri(file.location ?? '', name);
  const found = await onFile({ class: 'File', location }, () =>
    options.access.stat(location).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    }),
  );
  if (!found) return undefined;
  return found.kind === 'file' ? { class: 'File', location, size: found.size } : { class: 'Directory', location };
}
