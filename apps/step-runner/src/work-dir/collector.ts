/**
 * Looks at, reads and publishes what a finished task left.
 *
 * Invariants:
 *  1. What is (a link to) a staged input is never published again: its URI is the input's.
 *  2. Repeating a request gives the same answer.
 *  3. Size, checksum and contents of what is published are those of the bytes that lie where it was published.
 *  4. All of an item is looked at before any of it is published: what cannot be collected is refused as a whole, and the same every time.
 */
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { executor } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import { isWithin, mapLimited, openBeneath, type OpenEntry } from '@weft/storage';
import type { Publisher } from '../publishing/publisher.js';
import { sha1OfFile } from '../publishing/sha1-file.js';
import { collectError, WorkTreeError } from './faults.js';
import { Looked } from './looked.js';
import type { Found, WorkTree } from './work-tree.js';

const CONTENTS_BYTES = 64 * 1024;
/** Files between two turns of others. */
const TURN = 64;

export interface CollectTarget {
  tree: WorkTree;
  /** The task's name for its working directory. */
  workDir: string;
  /** To what `publish_to` names; absent where nothing may be published. */
  publisher?: Publisher;
}

/** One file or directory of an item. */
interface Part {
  found: Found;
  shown: string;
  /** Below the working directory; absent: it is not published. */
  publishAs: string | undefined;
  told: executor.CollectedFile;
}

/** @throws ServiceError INVALID_ARGUMENT, OUT_OF_RANGE, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE */
export async function collectItem(item: executor.CollectItem, target: CollectTarget): Promise<executor.CollectedFile> {
  let at = item.path;
  try {
    const taskPath = target.tree.absolute(item.path);
    const found = target.tree.find(item.path);
    if (item.publish && found.inputUri === undefined && !isWithin(taskPath, target.workDir))
      throw new ServiceError('INVALID_ARGUMENT', `'${item.path}' is outside the working directory and cannot be published`);
    const parts: Part[] = [];
    const looked = new Looked(`the directory '${item.path}'`);
    const told = await survey({ item, target, looked, parts }, { path: item.path, taskPath, found, above: [] });
    const files = parts.filter((part) => part.found.kind === executor.EntryKind.FILE);
    if (item.publish) for (const part of parts) if (part.found.kind === executor.EntryKind.DIRECTORY) await publishDirectory(part, target);
    let done = 0;
    await mapLimited(files, target.publisher?.atOnce ?? 1, async (part) => {
      at = part.shown;
      await collectFile(part, item, target, part.told === told);
      if (++done % TURN === 0) await yieldToOthers();
    });
    return told;
  } catch (error) {
    throw collectError(error, at);
  }
}

interface Survey {
  item: executor.CollectItem;
  target: CollectTarget;
  looked: Looked;
  parts: Part[];
}

interface Place {
  path: string;
  taskPath: string;
  found: Found;
  /** Directories on the way to it, by where they are in truth. */
  above: readonly string[];
}

async function survey(work: Survey, { path, taskPath, found, above }: Place): Promise<executor.CollectedFile> {
  const { item, target, looked, parts } = work;
  const told = executor.CollectedFile.create({ path, kind: found.kind, size: found.size });
  if (found.inputUri !== undefined) told.uri = found.inputUri;
  const publishAs = item.publish && found.inputUri === undefined ? taskPath.slice(target.workDir.length) : undefined;
  parts.push({ found, shown: path, publishAs, told });
  if (found.kind === executor.EntryKind.FILE) return told;
  if (above.includes(found.hostPath)) throw new WorkTreeError('LOOP', `'${path}' is a link to a directory that it lies in`);
  for (const { name, found: child } of target.tree.entries(found, path, looked, above.length + 1)) {
    await looked.pause();
    const place = { path: join(path, name), taskPath: join(taskPath, name), found: child, above: [...above, found.hostPath] };
    told.listing.push(await survey(work, place));
  }
  return told;
}

async function publishDirectory({ publishAs, told }: Part, target: CollectTarget): Promise<void> {
  if (publishAs !== undefined) told.uri = await publisherOf(target).directory(publishAs, told.listing.length === 0);
}

async function collectFile(
  { found, publishAs, told }: Part,
  item: executor.CollectItem,
  target: CollectTarget,
  top: boolean,
): Promise<void> {
  const contents = item.contents && top;
  if (publishAs === undefined && !contents && !item.checksum) return;
  let file = found.open().requireFile();
  try {
    let sha1: string | undefined;
    if (publishAs !== undefined) {
      const published = await publisherOf(target).file(publishAs, file, found.hostPath);
      ({ uri: told.uri, sha1 } = published);
      if (published.hostPath !== found.hostPath) {
        file.close();
        // Nobody's to replace: it lies where this installation publishes.
        file = openBeneath(published.hostPath, '').requireFile();
      }
      told.size = file.stats.size;
    }
    if (contents) told.contents = readContents(item, file);
    if (item.checksum) told.checksum = `sha1$${sha1 ?? (await sha1OfFile(file.handlePath))}`;
  } finally {
    file.close();
  }
}

function publisherOf({ publisher }: CollectTarget): Publisher {
  if (publisher === undefined) throw new ServiceError('INVALID_ARGUMENT', 'publish_to is empty');
  return publisher;
}

function readContents(item: executor.CollectItem, file: OpenEntry): string {
  const limit = item.contentsLimit > 0 ? item.contentsLimit : CONTENTS_BYTES;
  const { size } = file.stats;
  if (size > limit) throw new ServiceError('OUT_OF_RANGE', `'${item.path}' has ${size} bytes; its contents may be read up to ${limit}`);
  return file.read(0, size).toString('utf8');
}
