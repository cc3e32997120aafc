/**
 * CWL values as they travel through plans, input objects, logs and output objects: plain JSON, read and written by json.ts.
 * Source: CWL v1.2 CommandLineTool specification §4 (data model), "File" and "Directory".
 */

/**
 * Any CWL value. A File or Directory is an object whose `class` is "File" or "Directory". `bigint`: a whole number of up to 64 bits whose digits a
 * `number` would not print (json.ts).
 */
export type CwlValue = null | boolean | number | bigint | string | CwlValue[] | CwlObject;

/** A record, a File, a Directory, or any JSON object. `undefined` members count as absent. */
export interface CwlObject {
  [key: string]: CwlValue | undefined;
}

/** A File. `location` is an absolute URI, or absent where `contents` makes it a literal. */
export interface FileValue extends CwlObject {
  class: 'File';
  location?: string;
  /** Absolute path as the tool sees it; only set while a task is being built or its outputs collected. */
  path?: string;
  basename?: string;
  dirname?: string;
  nameroot?: string;
  nameext?: string;
  /** "sha1$" and 40 hex digits. */
  checksum?: string;
  /** Bytes. */
  size?: number;
  secondaryFiles?: Entry[];
  /** IRI of the format. */
  format?: string;
  /** UTF-8 text, at most 64 KiB. */
  contents?: string;
}

/** A Directory. `location` is an absolute URI, or absent where `listing` makes it a literal. */
export interface DirectoryValue extends CwlObject {
  class: 'Directory';
  location?: string;
  path?: string;
  basename?: string;
  listing?: Entry[];
}

/** What lies in a folder: a value that is a File or a Directory. */
export type Entry = FileValue | DirectoryValue;

export function isObject(value: unknown): value is CwlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isFile(value: unknown): value is FileValue {
  return isObject(value) && value['class'] === 'File';
}

export function isDirectory(value: unknown): value is DirectoryValue {
  return isObject(value) && value['class'] === 'Directory';
}

export function isFileOrDirectory(value: unknown): value is Entry {
  return isFile(value) || isDirectory(value);
}

/** True where a value holds a File or Directory anywhere. */
export function holdsFiles(value: CwlValue | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsFiles);
  if (!isObject(value)) return false;
  return isFileOrDirectory(value) || Object.keys(value).some((key) => holdsFiles(value[key]));
}

/** Calls `visit` for every File and Directory in a value, depth first, secondaryFiles and listings after their owner. */
export function visitFiles(value: CwlValue | undefined, visit: (file: Entry) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visitFiles(item, visit);
  } else if (isFile(value)) {
    visit(value);
    for (const item of value.secondaryFiles ?? []) visitFiles(item, visit);
  } else if (isDirectory(value)) {
    visit(value);
    for (const item of value.listing ?? []) visitFiles(item, visit);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) visitFiles(value[key], visit);
  }
}

/** A copy of the value in which every File and Directory is what `replace` returned for it (outermost first, result not descended into). */
export function mapFiles(value: CwlValue, replace: (file: Entry) => CwlValue): CwlValue {
  if (Array.isArray(value)) return value.map((item) => mapFiles(item, replace));
  if (isFileOrDirectory(value)) return replace(value);
  if (!isObject(value)) return value;
  // Not by assignment: a tool may call a member `__proto__`.
  return Object.fromEntries(
    Object.keys(value).flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [[key, mapFiles(member, replace)]];
    }),
  ) as CwlObject;
}
