/**
 * Output objects made comparable: what is in them, without where it lies. The bytes themselves are read, so that a checksum that is
 * not true is found.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Looked {
  /** Stable JSON: class, basename, size, checksum, contents of directories. */
  text: string;
  /** Files that are not there or do not have the checksum they are said to have. */
  problems: string[];
}

export function lookAt(outputs: unknown): Looked {
  const problems: string[] = [];
  return { text: JSON.stringify(comparable(outputs, problems)), problems };
}

function comparable(value: unknown, problems: string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item, problems));
  if (typeof value !== 'object' || value === null) return value;
  const entry = value as Record<string, unknown>;
  const rest = Object.entries(entry)
    .filter(([name]) => !['location', 'path', 'dirname', 'listing'].includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]): [string, unknown] => [name, comparable(item, problems)]);
  const found = Object.fromEntries(rest);
  if (entry['class'] === 'File') found['bytes'] = looked(entry, problems, (path) => checkedFile(path, entry, problems));
  if (entry['class'] === 'Directory') found['tree'] = looked(entry, problems, tree);
  return found;
}

function looked(entry: Record<string, unknown>, problems: string[], look: (path: string) => unknown): unknown {
  const location = String(entry['location']);
  try {
    return look(fileURLToPath(location));
  } catch (error) {
    problems.push(`${location}: ${(error as Error).message}`);
    return undefined;
  }
}

function checkedFile(path: string, entry: Record<string, unknown>, problems: string[]): string {
  const checksum = checksumOf(path);
  if (entry['checksum'] !== checksum) problems.push(`${path} has checksum ${checksum}, not ${String(entry['checksum'])}`);
  return checksum;
}

function tree(path: string): Record<string, unknown> {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(
    entries.map((entry) => [entry.name, entry.isDirectory() ? tree(join(path, entry.name)) : checksumOf(join(path, entry.name))]),
  );
}

function checksumOf(path: string): string {
  return `sha1$${createHash('sha1').update(readFileSync(path)).digest('hex')}`;
}

/** Takes a file of an output object away, or puts another in its place, as somebody may who does not know what it is good for. */
export function spoil(outputs: unknown, pick: number, how: 'deleted' | 'replaced'): void {
  const paths = filesIn(outputs);
  const path = paths[Math.floor(pick * paths.length)];
  if (path === undefined) return;
  const bytes = readFileSync(path);
  // Unlinked first: other runs may have the same file by other names.
  rmSync(path);
  if (how === 'replaced')
    writeFileSync(
      path,
      bytes.map((byte) => byte ^ 1),
    );
}

function filesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(filesIn);
  if (typeof value !== 'object' || value === null) return [];
  const entry = value as Record<string, unknown>;
  return entry['class'] === 'File' ? [fileURLToPath(String(entry['location']))] : Object.values(entry).flatMap(filesIn);
}
