/**
 * Looks at, reads and publishes what a finished task left.
 *
 * Invariants:
 *  1. What is (a link to) a staged input is never published again: its URI is the input's.
 *  2. Repeating a request gives the same answer.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { executor } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { pathToFileUri, publishFile, systemErrorCode } from '@weft/storage';
import { isWithin } from './sandbox-layout.js';
import { type Found, type WorkTree, WorkTreeError } from './work-tree.js';

const CONTENTS_BYTES = 64 * 1024;
/** Up to this size a file is hashed in one synchronous read. */
const SMALL_BYTES = 64 * 1024;

export interface CollectTarget {
  tree: WorkTree;
  /** The task's name for its working directory. */
  workDir: string;
  /** Host directory that `publish_to` names; absent where nothing may be published. */
  publishDirectory?: string;
  fsync: boolean;
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
  else if (item.publish) file.uri = await publish(taskPath, found, target);
  if (found.kind === executor.EntryKind.DIRECTORY) {
    for (const { name, found: child } of target.tree.entries(taskPath)) {
      file.listing.push(await collect({ ...item, contents: false }, join(path, name), join(taskPath, name), child, target));
    }
    return file;
  }
  if (item.contents) file.contents = readContents(item, found);
  if (item.checksum) file.checksum = `sha1$${await sha1(found)}`;
  return file;
}

async function publish(taskPath: string, found: Found, target: CollectTarget): Promise<string> {
  if (target.publishDirectory === undefined) throw new ServiceError('INVALID_ARGUMENT', 'publish_to is empty');
  const to = join(target.publishDirectory, taskPath.slice(target.workDir.length));
  if (found.kind === executor.EntryKind.DIRECTORY) mkdirSync(to, { recursive: true });
  else await publishFile(found.hostPath, to, { fsync: target.fsync });
  return pathToFileUri(to);
}

function readContents(item: executor.CollectItem, found: Found): string {
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

async function sha1(found: Found): Promise<string> {
  const hash = createHash('sha1');
  if (found.size <= SMALL_BYTES) hash.update(readFileSync(found.hostPath));
  else await pipeline(createReadStream(found.hostPath, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

function toServiceError(error: unknown, path: string): unknown {
  if (error instanceof WorkTreeError)
    return new ServiceError(error.code === 'NOT_FOUND' ? 'NOT_FOUND' : 'PERMISSION_DENIED', error.message);
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
