/**
 * Names, paths and URIs of files: pure string work. Paths are POSIX; nothing here touches a disk.
 */
import { encodeUriPath } from '@weft/plan';

/** Last segment of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Everything before the last segment, without its slash; "" where there is none. */
export function dirName(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : slash === 0 ? '/' : path.slice(0, slash);
}

/** "reads.tar.gz" → ["reads.tar", ".gz"]; a leading dot is part of the root (CWL v1.2, File.nameroot). */
export function splitExtension(name: string): [root: string, extension: string] {
  const firstOther = name.search(/[^.]/);
  const dot = name.lastIndexOf('.');
  return firstOther < 0 || dot <= firstOther ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
}

/** URI of a file beside another one. `name` is a plain name or a relative path. */
export function siblingUri(uri: string, name: string): string {
  return `${uri.slice(0, uri.lastIndexOf('/') + 1)}${encodeUriPath(name)}`;
}

export function fileUri(path: string): string {
  return `file://${encodeUriPath(path)}`;
}

/** Resolves "." and ".." by text alone; a leading ".." stays, which is how an escape is recognised. Absolute paths never escape "/". */
export function normalizePath(path: string): string {
  const absolute = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (part !== '..' || !absolute) kept.push(part);
  }
  return absolute ? `/${kept.join('/')}` : kept.join('/');
}

/** True where a normalised relative path leaves the directory it is relative to. */
export function escapes(normalized: string): boolean {
  return normalized === '..' || normalized.startsWith('../');
}

/** The path relative to a directory: "" for the directory itself, undefined where it is not below it. Both absolute. */
export function relativeTo(path: string, directory: string): string | undefined {
  const normal = normalizePath(path);
  const base = normalizePath(directory);
  if (normal === base) return '';
  return normal.startsWith(base === '/' ? '/' : `${base}/`) ? normal.slice(base.length + 1) : undefined;
}

/** CWL secondaryFiles pattern: each leading caret strips one extension, the rest is appended. */
export function applyPattern(name: string, pattern: string): string {
  const carets = pattern.search(/[^^]|$/);
  let base = name;
  for (let i = 0; i < carets; i += 1) {
    const [root, extension] = splitExtension(base);
    if (extension === '') break;
    base = root;
  }
  return base + pattern.slice(carets);
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray '%' in a name that nobody encoded: the text is the name.
    return text;
  }
}
