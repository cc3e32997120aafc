/**
 * Storage for s3: URIs, with AWS or any server that speaks its protocol.
 *
 * Invariants:
 *  1. With `allowedPrefixes`, nothing outside them is looked at, written or removed.
 *  2. A file's version is its ETag. A directory is what lies below `<key>/`; where a file and a directory bear the same name, the name
 *     means the file.
 */
import { withoutEndSlashes } from '@weft/plan';
import { realpathSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { guardStream } from '../guard-stream.js';
import { mapLimited } from '../map-limited.js';
import { type OpenOptions, type PublishOptions, type Storage, StorageError, type StoredEntry, type StoredStat } from '../ports.js';
import { systemErrorCode, toStorageError } from '../system-error.js';
import type { OnTransfer } from '../transfers.js';
import { refuseInto } from '../uri.js';
import { createS3Client, type S3ClientOptions } from './s3-client.js';
import { statusOf, toS3Error } from './s3-errors.js';
import { AT_ONCE, copyObject, deleteObjects, hasObjectsBelow, listDirectory, objectsBelow } from './s3-trees.js';
import { abortUploads, PART_BYTES, uploadBytes, type UploadContext, uploadFile } from './s3-upload.js';
import { parseS3Uri, type S3Place } from './s3-uri.js';

export interface S3StorageOptions extends S3ClientOptions {
  /** s3: URIs below which files may lie; absent: whatever the credentials reach. */
  allowedPrefixes?: readonly string[];
  onTransfer?: OnTransfer;
  /** Larger files go up in parts of this size, bytes, at least 5 MiB; default 8 MiB. */
  partBytes?: number;
}

export class S3Storage implements Storage {
  private readonly client: S3Client;
  private readonly upload: UploadContext;

  constructor(private readonly options: S3StorageOptions = {}) {
    this.client = createS3Client(options);
    const onBytes = (bytes: number): void => options.onTransfer?.('uploaded', 's3', bytes);
    this.upload = { client: this.client, onBytes, partBytes: options.partBytes ?? PART_BYTES };
  }

  stat(uri: string): Promise<StoredStat> {
    return this.at(uri, async (place) => {
      const found = (await this.head(place)) ?? (await this.directory(place));
      if (found === undefined) throw notFound(uri);
      return found;
    });
  }

  async readText(uri: string, limit: number): Promise<string> {
    const stream = await this.get(uri, {}, (size) => {
      if (size > limit) throw new StorageError('TOO_LARGE', `${uri} has ${size} bytes; at most ${limit} may be read`, uri);
    });
    return text(stream);
  }

  list(uri: string): Promise<StoredEntry[]> {
    return this.at(uri, async (place) => {
      const entries = await listDirectory(this.client, place.bucket, directoryKey(place.key));
      if (entries !== undefined) return entries;
      if ((await this.head(place)) === undefined) throw notFound(uri);
      throw new StorageError('UNSUPPORTED', `${uri} is a file, not a directory`, uri);
    });
  }

  async open(uri: string, options: OpenOptions = {}): Promise<Readable> {
    return this.get(uri, options);
  }

  writeText(uri: string, content: string): Promise<void> {
    return this.at(uri, async ({ bucket, key }) => void (await uploadBytes(this.upload, Buffer.from(content), bucket, key)));
  }

  publish(hostPath: string, uri: string, { signal }: PublishOptions = {}): Promise<string> {
    const upload = { ...this.upload, signal };
    return this.at(uri, async ({ bucket, key }) => {
      const files: [path: string, key: string][] = [];
      const empty: string[] = [];
      await collect(hostPath, withoutEndSlashes(key), files, empty, []).catch((error: unknown) => {
        throw toStorageError(error, systemErrorCode(error) === undefined ? uri : hostPath);
      });
      await mapLimited(empty, AT_ONCE, (name) => uploadBytes(upload, Buffer.alloc(0), bucket, `${name}/`));
      const versions = await mapLimited(files, AT_ONCE, ([path, name]) => uploadFile(upload, path, bucket, name));
      // Of a directory that holds one file, it is that file's.
      return files[0]?.[1] === key ? (versions[0] ?? '') : '';
    });
  }

  async copyTree(from: string, to: string): Promise<void> {
    refuseInto(from, to);
    await this.at(to, (target) =>
      this.at(from, async (source) => {
        const [fromKey, toKey] = [withoutEndSlashes(source.key), withoutEndSlashes(target.key)];
        if ((await this.head(source)) !== undefined) {
          return copyObject(this.client, source, { bucket: target.bucket, key: toKey });
        }
        let copied = 0;
        for await (const page of objectsBelow(this.client, source.bucket, directoryKey(source.key))) {
          copied += page.length;
          await mapLimited(page, AT_ONCE, ({ key }) =>
            copyObject(this.client, { bucket: source.bucket, key }, { bucket: target.bucket, key: toKey + key.slice(fromKey.length) }),
          );
        }
        if (copied === 0) throw notFound(from);
      }),
    );
  }

  async moveTree(from: string, to: string): Promise<void> {
    await this.copyTree(from, to);
    await this.removeTree(from);
  }

  removeTree(uri: string): Promise<void> {
    return this.at(uri, async ({ bucket, key }) => {
      if (key === '') throw new StorageError('ACCESS', 'a whole bucket may not be removed', uri);
      const prefix = directoryKey(key);
      for await (const page of objectsBelow(this.client, bucket, prefix)) {
        const keys = page.map((object) => object.key);
        await deleteObjects(this.client, bucket, keys);
      }
      if (key !== prefix) await deleteObjects(this.client, bucket, [key]);
      await abortUploads(this.client, bucket, prefix);
    });
  }

  close(): void {
    this.client.destroy();
  }

  private async get(uri: string, options: OpenOptions, check: (size: number) => void = () => undefined): Promise<Readable> {
    return this.at(uri, async ({ bucket, key }) => {
      const { start = 0, end = Infinity, version = '' } = options;
      if (key === '' || key.endsWith('/')) throw new StorageError('UNSUPPORTED', `${uri} is a directory, not a file`, uri);
      const range = start === 0 && end === Infinity ? undefined : `bytes=${start}-${end === Infinity ? '' : Math.max(end - 1, start)}`;
      const request = { Bucket: bucket, Key: key, Range: range, IfMatch: version === '' ? undefined : version };
      let response: GetObjectCommandOutput;
      try {
        response = await this.client.send(new GetObjectCommand(request));
      } catch (error) {
        if (range !== undefined && statusOf(error) === 416) return Readable.from([]);
        if (statusOf(error) === 404 && (await this.directory({ bucket, key })) !== undefined) {
          throw new StorageError('UNSUPPORTED', `${uri} is a directory, not a file`, uri);
        }
        throw error;
      }
      const { Body: body, ContentLength: size = 0 } = response;
      if (!(body instanceof Readable)) throw new StorageError('IO', `${uri}: the answer has no body`, uri);
      try {
        check(size);
      } catch (error) {
        body.destroy();
        throw error;
      }
      if (end <= start) {
        body.destroy();
        return Readable.from([]);
      }
      const onBytes = (bytes: number): void => this.options.onTransfer?.('downloaded', 's3', bytes);
      return guardStream(body, { uri, expected: size, onBytes });
    });
  }

  /** A file; undefined where there is none of that name. */
  private async head({ bucket, key }: S3Place): Promise<StoredStat | undefined> {
    if (key === '' || key.endsWith('/')) return undefined;
    try {
      const { ContentLength = 0, ETag = '' } = await this.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return { kind: 'file', size: ContentLength, version: ETag };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  private async directory({ bucket, key }: S3Place): Promise<StoredStat | undefined> {
    if (!(await hasObjectsBelow(this.client, bucket, directoryKey(key)))) return undefined;
    return { kind: 'directory', size: 0, version: '' };
  }

  private async at<T>(uri: string, act: (place: S3Place) => Promise<T>): Promise<T> {
    const place = parseS3Uri(uri);
    const { allowedPrefixes: allowed } = this.options;
    if (allowed !== undefined && !allowed.some((prefix) => isBelow(place, parseS3Uri(prefix)))) {
      throw new StorageError('ACCESS', `${uri} is outside the allowed prefixes (${allowed.join(', ')})`, uri);
    }
    try {
      return await act(place);
    } catch (error) {
      throw toS3Error(error, uri);
    }
  }
}

function isBelow({ bucket, key }: S3Place, prefix: S3Place): boolean {
  return bucket === prefix.bucket && directoryKey(key).startsWith(directoryKey(prefix.key));
}

/** What the keys of a directory's entries begin with. */
function directoryKey(key: string): string {
  return key === '' || key.endsWith('/') ? key : `${key}/`;
}

function notFound(uri: string): StorageError {
  return new StorageError('NOT_FOUND', `${uri} does not exist`, uri);
}

/** Files of a host's tree with their keys, and directories that hold nothing. Links are followed. */
async function collect(path: string, key: string, files: [string, string][], empty: string[], above: string[]): Promise<void> {
  const real = realpathSync(path);
  if (!(await stat(real)).isDirectory()) return void files.push([real, key]);
  if (above.includes(real)) throw Object.assign(new Error(`${path} leads to a directory above itself`), { code: 'ELOOP' });
  const names = await readdir(real);
  if (names.length === 0) empty.push(key);
  for (const name of names) await collect(join(real, name), `${key}/${name}`, files, empty, [...above, real]);
}
