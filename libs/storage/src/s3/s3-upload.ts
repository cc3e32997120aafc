/**
 * One file of this host → one object.
 *
 * Invariants:
 *  1. Every request that carries bytes carries their MD5 (Content-MD5): the server refuses what was changed on the way.
 *  2. A large file goes in parts. An upload that broke is left as it is; the next try of the same key takes over the parts that are there
 *     and right. `abortUploads` removes what nobody finished.
 *  3. A file that changes while it is read is an error.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { mapLimited } from '../map-limited.js';
import { StorageError } from '../ports.js';
import { nameOf } from './s3-errors.js';
import { s3Uri } from './s3-uri.js';

/** Larger files go in parts of this size; S3 allows no smaller parts than 5 MiB. */
export const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 3;

export interface UploadContext {
  client: S3Client;
  onBytes: (bytes: number) => void;
  partBytes: number;
  signal?: AbortSignal;
}

/** @returns the object's ETag */
export async function uploadFile(context: UploadContext, path: string, bucket: string, key: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const before = await file.stat({ bigint: true });
    const size = Number(before.size);
    const etag =
      size <= context.partBytes
        ? await uploadBytes(context, await readExactly(file, 0, size, path), bucket, key)
        : await uploadParts(context, { file, size, path }, bucket, key);
    const after = await file.stat({ bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
      throw new StorageError('CHANGED', `${path} changed while it was uploaded to ${s3Uri(bucket, key)}`, s3Uri(bucket, key));
    }
    return etag;
  } finally {
    await file.close();
  }
}

export async function uploadBytes({ client, onBytes, signal }: UploadContext, body: Buffer, bucket: string, key: string): Promise<string> {
  const put = { Bucket: bucket, Key: key, Body: body, ContentLength: body.length, ContentMD5: md5(body, 'base64') };
  const { ETag = '' } = await client.send(new PutObjectCommand(put), { abortSignal: signal });
  onBytes(body.length);
  return ETag;
}

interface Source {
  file: FileHandle;
  size: number;
  path: string;
}

async function uploadParts(context: UploadContext, source: Source, bucket: string, key: string): Promise<string> {
  const { client, signal } = context;
  const stoppable = { abortSignal: signal };
  const partBytes = Math.max(context.partBytes, Math.ceil(source.size / MAX_PARTS));
  const begun = await findUpload(client, bucket, key);
  const uploadId =
    begun?.uploadId ?? (await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }), stoppable)).UploadId;
  const numbers = Array.from({ length: Math.ceil(source.size / partBytes) }, (_, index) => index + 1);
  const parts = await mapLimited(numbers, PARTS_AT_ONCE, async (number): Promise<CompletedPart> => {
    const start = (number - 1) * partBytes;
    const body = await readExactly(source.file, start, Math.min(partBytes, source.size - start), source.path);
    if (begun?.etags.get(number) === `"${md5(body, 'hex')}"`) return { PartNumber: number, ETag: begun.etags.get(number) };
    const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number, Body: body, ContentLength: body.length };
    const { ETag } = await client.send(new UploadPartCommand({ ...part, ContentMD5: md5(body, 'base64') }), stoppable);
    context.onBytes(body.length);
    return { PartNumber: number, ETag };
  });
  const whole = { Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } };
  const { ETag } = await client.send(new CompleteMultipartUploadCommand(whole), stoppable);
  const { ContentLength, ETag: stored } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  const uri = s3Uri(bucket, key);
  if (ContentLength === source.size && stored !== undefined && stored === ETag) return stored;
  throw new StorageError('CHECKSUM', `${uri}: ${source.size} bytes were uploaded and ${ContentLength} are there`, uri);
}

/** The last upload of the key that was begun and not finished, with the ETags of its parts. */
async function findUpload(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<{ uploadId: string; etags: Map<number, string> } | undefined> {
  const uploads = (await listUploads(client, bucket, key)).filter((upload) => upload.key === key);
  const uploadId = uploads.at(-1)?.uploadId;
  if (uploadId === undefined) return undefined;
  const etags = new Map<number, string>();
  let after: string | undefined;
  do {
    const query = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumberMarker: after };
    const page: ListPartsCommandOutput = await client.send(new ListPartsCommand(query));
    for (const { PartNumber, ETag } of page.Parts ?? []) if (PartNumber !== undefined && ETag !== undefined) etags.set(PartNumber, ETag);
    // The marker alone says nothing: some servers repeat the last part's.
    after = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (after !== undefined);
  return { uploadId, etags };
}

/** None where the server or its rules do not let us look: then there is nothing to take over. */
async function listUploads(client: S3Client, bucket: string, prefix: string): Promise<{ key: string; uploadId: string }[]> {
  const found: { key: string; uploadId: string }[] = [];
  try {
    let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (from !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from }),
      );
      for (const { Key, UploadId } of page.Uploads ?? []) {
        if (Key !== undefined && UploadId !== undefined) found.push({ key: Key, uploadId: UploadId });
      }
      from = page.IsTruncated === true ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
  } catch (error) {
    if (!['AccessDenied', 'NotImplemented', 'MethodNotAllowed'].includes(nameOf(error))) throw error;
  }
  return found;
}

/** Forgets the uploads below a prefix that nobody finished. */
export async function abortUploads(client: S3Client, bucket: string, prefix: string): Promise<void> {
  for (const { key, uploadId } of await listUploads(client, bucket, prefix)) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })).catch((error: unknown) => {
      if (nameOf(error) !== 'NoSuchUpload') throw error;
    });
  }
}

async function readExactly(file: FileHandle, start: number, length: number, path: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, start + read);
    if (bytesRead === 0) throw new StorageError('CHANGED', `${path} became shorter while it was read`, path);
    read += bytesRead;
  }
  return buffer;
}

function md5(bytes: Buffer, encoding: 'hex' | 'base64'): string {
  return createHash('md5').update(bytes).digest(encoding);
}
