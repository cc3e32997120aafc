/**
 * file: URI ↔ absolute path (RFC 8089, WHATWG URL percent-encoding).
 *
 * Invariant: `fileUriToPath(pathToFileUri(p)) === p` for every normalised absolute path, whatever characters its names hold.
 */
import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StorageError } from './ports.js';

export function isFileUri(uri: string): boolean {
  return /^file:/i.test(uri);
}

/** @throws StorageError UNSUPPORTED where the path is relative or holds a NUL. */
export function pathToFileUri(path: string): string {
  if (!isAbsolute(path) || path.includes('\0')) throw new StorageError('UNSUPPORTED', `'${path}' is not an absolute path`, path);
  return pathToFileURL(path).href;
}

/**
 * The path that a file: URI names. A fragment or query is refused: in a name, `#` and `?` are written `%23` and `%3F`.
 * @throws StorageError UNSUPPORTED
 */
export function fileUriToPath(uri: string): string {
  const refuse = (why: string): StorageError => new StorageError('UNSUPPORTED', `'${uri}' is not a usable file: URI: ${why}`, uri);
  if (!isFileUri(uri))
    throw new StorageError('UNSUPPORTED', `'${uri}' cannot be read or written: only file:, s3:, http: and https: can`, uri);
  let url: URL;
  try {
    url = new URL(uri);
  } catch {
    throw refuse('it cannot be parsed');
  }
  if (url.hash !== '' || url.search !== '') throw refuse("'#' and '?' in a name must be written %23 and %3F");
  let path: string;
  try {
    path = fileURLToPath(url);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (path.includes('\0')) throw refuse('it holds a NUL');
  return path;
}
