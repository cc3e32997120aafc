/**
 * Directories of a storage that has none: keys below a prefix that ends in '/'. An empty directory is an empty object of that name.
 */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { mapLimited } from '../map-limited.js';
import { StorageError, type StoredEntry } from '../ports.js';
import { decodeListedKey, encodeKey, s3Uri } from './s3-uri.js';

/** Requests under way together for one tree. */
export const AT_ONCE = 8;
/** What one request copies at most (S3: 5 GiB). */
const COPY_BYTES = 5 * 1024 ** 3;
const COPY_PART_BYTES = 1024 ** 3;
/** DeleteObjects takes no more. */
const DELETE_AT_ONCE = 1000;

export interface ListedObject {
  key: string;
  size: number;
  etag: string;
}

/** Everything below a prefix, page by page. */
export async function* objectsBelow(client: S3Client, bucket: string, prefix: string): AsyncGenerator<ListedObject[]> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, EncodingType: 'url' })) {
    yield (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '' }) => ({
      key: decodeListedKey(Key, page.EncodingType),
      size: Size,
      etag: ETag,
    }));
  }
}

/** Whether anything lies below a prefix; the bucket itself is always there. @throws NoSuchBucket */
export async function hasObjectsBelow(client: S3Client, bucket: string, prefix: string): Promise<boolean> {
  const pages = paginateListObjectsV2({ client, pageSize: 1 }, { Bucket: bucket, Prefix: prefix, MaxKeys: 1 });
  for await (const page of pages) return prefix === '' || (page.Contents ?? []).length > 0;
  return false;
}

/** Entries of a directory; undefined where there is none. `prefix` is '' or ends in '/'. */
export async function listDirectory(client: S3Client, bucket: string, prefix: string): Promise<StoredEntry[] | undefined> {
  const entries: StoredEntry[] = [];
  let there = prefix === '';
  const query = { Bucket: bucket, Prefix: prefix, Delimiter: '/', EncodingType: 'url' as const };
  for await (const page of paginateListObjectsV2({ client }, query)) {
    for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
      const key = decodeListedKey(Prefix, page.EncodingType);
      const name = key.slice(prefix.length, -1);
      entries.push({ name, uri: s3Uri(bucket, key.slice(0, -1)), kind: 'directory', size: 0, version: '' });
    }
    for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? []) {
      const key = decodeListedKey(Key, page.EncodingType);
      there = true;
      if (key === prefix) continue;
      entries.push({ name: key.slice(prefix.length), uri: s3Uri(bucket, key), kind: 'file', size: Size, version: ETag });
    }
  }
  if (!there && entries.length === 0) return undefined;
  for (const { name } of entries) refuseName(name, s3Uri(bucket, prefix));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A key may hold what no directory of a host can: it must not lead anywhere else when it becomes a path. */
function refuseName(name: string, uri: string): void {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('\0')) return;
  throw new StorageError('UNSUPPORTED', `${uri} holds a key whose part '${name}' is no name of a file`, uri);
}

export async function copyObject(client: S3Client, from: S3Object, to: S3Object): Promise<void> {
  const { ContentLength: size = 0, ETag: etag } = await client.send(new HeadObjectCommand({ Bucket: from.bucket, Key: from.key }));
  const source = `/${from.bucket}/${encodeKey(from.key)}`;
  const target = { Bucket: to.bucket, Key: to.key };
  if (size <= COPY_BYTES) {
    await client.send(new CopyObjectCommand({ ...target, CopySource: source, CopySourceIfMatch: etag }));
    return;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const numbers = Array.from({ length: Math.ceil(size / COPY_PART_BYTES) }, (_, index) => index + 1);
  const parts = await mapLimited(numbers, AT_ONCE, async (PartNumber) => {
    const start = (PartNumber - 1) * COPY_PART_BYTES;
    const range = `bytes=${start}-${Math.min(start + COPY_PART_BYTES, size) - 1}`;
    const part = { ...target, UploadId, PartNumber, CopySource: source, CopySourceRange: range, CopySourceIfMatch: etag };
    const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
    return { PartNumber, ETag: CopyPartResult?.ETag };
  });
  await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts: parts } }));
}

interface S3Object {
  bucket: string;
  key: string;
}

/** @throws StorageError IO where some could not be removed */
export async function deleteObjects(client: S3Client, bucket: string, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETE_AT_ONCE) {
    const objects = keys.slice(at, at + DELETE_AT_ONCE).map((Key) => ({ Key }));
    const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects: objects } }));
    const [first] = (Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey');
    if (first === undefined) continue;
    const uri = s3Uri(bucket, first.Key ?? '');
    throw new StorageError(
      first.Code === 'AccessDenied' ? 'ACCESS' : 'IO',
      `${uri} cannot be removed (${first.Code}: ${first.Message})`,
      uri,
    );
  }
}
