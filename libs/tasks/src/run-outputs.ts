/**
 * The output object of a whole run, completed for the user: Files that were only passed on get size and checksum, Directories their listing.
 * Outputs of tasks carry all that already; inputs that come out again, and what ExpressionTools make of them, do not.
 */
import type { CwlObject, CwlValue, Entry } from '@weft/plan';
import { isDirectory, isFile, isFileOrDirectory, isObject } from '@weft/plan';
import type { FileAccess } from './api.js';
import { describeLiteral, fillListing, fillSize, isLiteral, uniteTwins } from './file-values.js';

export interface RunOutputsDeps {
  files: FileAccess;
  /** "sha1$" and 40 hex digits of what lies at a URI. */
  checksum(uri: string): Promise<string>;
}

/** The outputs themselves where nothing is missing, else a completed copy. Rejects with TaskError where a file is no longer there. */
export async function completeRunOutputs(outputs: CwlObject, deps: RunOutputsDeps): Promise<CwlObject> {
  if (!lacksAnything(outputs)) return outputs;
  const copy = structuredClone(outputs);
  await uniteTwins(copy, deps.files);
  await complete(copy, deps);
  return copy;
}

function lacksAnything(value: CwlValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(lacksAnything);
  if (isDirectory(value)) return value.listing === undefined || value.listing.some(lacksAnything);
  if (isFile(value)) return value.size === undefined || value.checksum === undefined || (value.secondaryFiles ?? []).some(lacksAnything);
  return isObject(value) && Object.keys(value).some((key) => lacksAnything(value[key]));
}

async function complete(value: CwlValue | undefined, deps: RunOutputsDeps): Promise<void> {
  if (Array.isArray(value)) for (const item of value) await complete(item, deps);
  else if (isFileOrDirectory(value)) await completeEntry(value, deps);
  else if (isObject(value)) for (const key of Object.keys(value)) await complete(value[key], deps);
}

async function completeEntry(entry: Entry, deps: RunOutputsDeps): Promise<void> {
  if (isDirectory(entry)) {
    if (entry.listing === undefined) await fillListing(entry, 'deep_listing', deps.files);
    for (const item of entry.listing ?? []) await completeEntry(item, deps);
    return;
  }
  if (isLiteral(entry)) describeLiteral(entry);
  else {
    await fillSize(entry, deps.files);
    entry.checksum ??= await deps.checksum(entry.location ?? '');
  }
  if (isFile(entry)) for (const secondary of entry.secondaryFiles ?? []) await completeEntry(secondary, deps);
}
