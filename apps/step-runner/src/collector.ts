/**
 * Looks at, reads and publishes what a finished task left.
 *
 * Invariants:
 *  1. What is (a link to) a staged input is never published again: its URI is the input's.
 *  2. Repeating a request gives the same answer.
 *  3. Size, checksum and contents of what is published are those of the bytes that lie where it was published.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { ServiceError, type ServiceErrorCode } from '@weft/platform';
import { mapLimited, StorageError, type StorageErrorCode, systemErrorCode } from '@weft/storage';
import type { Publisher } from './publisher.js';
import { isWithin } from './sandbox-layout.js';
import { sha1OfFile } from './sha1-file.js';
import { type Found, type WorkTree, WorkTreeError } from './work-tree.js';

const CONTENTS_BYTES = 64 * 1024;

/** What broke on the way may go through another time; stops compiling where storage learns to say something else. */
const PUBLISH_CODES: Record<StorageErrorCode, ServiceErrorCode> = {
  IO: 'UNAVAILABLE',
  CHECKSUM: 'UNAVAILABLE',
  CHANGED: 'FAILED_PRECONDITION',
  NOT_FOUND: 'FAILED_PRECONDITION',
  ACCESS: 'PERMISSION_DENIED',
  UNSUPPORTED: 'FAILED_PRECONDITION',
  TOO_LARGE: 'FAILED_PRECONDITION',
};

export interface CollectTarget {
  tree: WorkTree;
  /** The task's name for its working directory. */
  workDir: string;
  /** To what `publish_to` names; absent where nothing may be published. */
  publisher?: Publisher;
}

/** @throws ServiceError NOT_FOUND, OUT_OF_RANGE, PERMISSION_DENIED, INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
export async function collectItem(item: executor.CollectItem, target: CollectTarget): Promise<executor.CollectedFile> {
  const taskPath = target.tree.absolute(item.path);
  try {
    const found = target.tree.find(item.path);
    if (item.publish && found.inputUri === undefined && !isWithin(taskPath, target.workDir)) {
      throw new ServiceError('INVALID_ARGUMENT', `'${item.path}' is outside the working directory and cannot be published`);
    }
    return await collect(item, item.path, taskPath, found, target);
  } catch (error) {
    throw toServiceError(error, item.path);
  }
}

async function collect(
  item: executor.CollectItem,
  path: string,
  taskPath: string,
  found: Found,
  target: CollectTarget,
): Promise<executor.CollectedFile> {
  const file = executor.CollectedFile.create({ path, kind: found.kind, size: found.size });
  if (found.inputUri !== undefined) file.uri = found.inputUri;
  const published = item.publish && found.inputUri === undefined ? taskPath.slice(target.workDir.length) : undefined;
  if (found.kind === executor.EntryKind.DIRECTORY) {
    const entries = target.tree.entries(taskPath);
    if (published !== undefined) file.uri = await publisherOf(target).directory(published, entries.length === 0);
    file.listing = await mapLimited(entries, target.publisher?.atOnce ?? 1, ({ name, found: child }) =>
      collect({ ...item, contents: false }, join(path, name), join(taskPath, name), child, target),
    );
    return file;
  }
  let { hostPath } = found;
  let sha1: string | undefined;
  if (published !== undefined) {
    ({ uri: file.uri, hostPath, sha1 } = await publisherOf(target).file(published, hostPath));
    file.size = statSync(hostPath).size;
  }
  if (item.contents) file.contents = readContents(item, { size: file.size, hostPath });
  if (item.checksum) file.checksum = `sha1$${sha1 ?? (await sha1OfFile(hostPath))}`;
  return file;
}

function publisherOf({ publisher }: CollectTarget): Publisher {
  if (publisher === undefined) throw new ServiceError('INVALID_ARGUMENT', 'publish_to is empty');
  return publisher;
}

function readContents(item: executor.CollectItem, found: Pick<Found, 'size' | 'hostPath'>): string {
  const limit = item.contentsLimit > 0 ? item.contentsLimit : CONTENTS_BYTES;
  if (found.size > limit) {
    throw new ServiceError('OUT_OF_RANGE', `'${item.path}' has ${found.size} bytes; its contents may be read up to ${limit}`);
  }
  const fd = openSync(found.hostPath, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(found.size, limit));
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

function toServiceError(error: unknown, path: string): unknown {
  if (error instanceof WorkTreeError)
    return new ServiceError(error.code === 'NOT_FOUND' ? 'NOT_FOUND' : 'PERMISSION_DENIED', error.message);
  if (error instanceof StorageError) return new ServiceError(PUBLISH_CODES[error.code], `cannot publish '${path}': ${error.message}`);
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return new ServiceError('NOT_FOUND', `'${path}' does not exist`);
    case 'EACCES':
      return new ServiceError('PERMISSION_DENIED', `'${path}' may not be read by the runner`);
    case 'ENOSPC':
    case 'EDQUOT':
      return new ServiceError('RESOURCE_EXHAUSTED', `no space left to publish '${path}'`);
    default:
      return error;
  }
}
