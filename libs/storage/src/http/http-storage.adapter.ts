/**
 * Reading of http: and https: URIs. There are no directories.
 *
 * Invariants:
 *  1. A file's version is its ETag, or its time of modification with its size; '' where the server says neither. Only a strong ETag promises the
 *     same bytes (RFC 9110, 8.8): the others are `unsure`.
 *  2. Servers that know no ranges, no HEAD or no length are read all the same, at the cost of bytes that are thrown away.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { guardStream } from '../guard-stream.js';
import { type OpenOptions, StorageError, type StorageReader, type StoredEntry, type StoredStat } from '../ports.js';
import type { OnTransfer } from '../transfers.js';
import { HttpClient } from './http-request.js';

export interface HttpStorageOptions {
  /** Private, loopback and link-local addresses may be read too. Default: false. */
  allowPrivate?: boolean;
  onTransfer?: OnTransfer;
}

/** Answers to HEAD that say nothing about the file: it is asked for by GET. */
const NO_HEAD = new Set([400, 403, 405, 500, 501]);

export class HttpStorage implements StorageReader {
  private readonly client: HttpClient;

  constructor(private readonly options: HttpStorageOptions = {}) {
    this.client = new HttpClient(options.allowPrivate ?? false);
  }

  async stat(uri: string): Promise<StoredStat> {
    const head = await this.client.send(uri, 'HEAD');
    head.resume();
    if (!NO_HEAD.has(head.statusCode ?? 0)) {
      refuseFailure(head, uri);
      if (lengthOf(head) !== undefined) return { kind: 'file', size: lengthOf(head) ?? 0, ...validatorOf(head) };
    }
    const probe = await this.client.send(uri, 'GET', { range: 'bytes=0-0' });
    if (probe.statusCode !== 416) refuseFailure(probe, uri);
    const known = probe.statusCode === 200 ? lengthOf(probe) : totalOf(probe);
    const size = known ?? (await this.count(probe, uri));
    probe.destroy();
    return { kind: 'file', size, ...validatorOf(probe) };
  }

  async readText(uri: string, limit: number): Promise<string> {
    const tooLarge = (bytes: string): StorageError =>
      new StorageError('TOO_LARGE', `${uri} has ${bytes} bytes; at most ${limit} may be read`, uri);
    const response = await this.client.send(uri, 'GET');
    refuse(response, uri);
    const size = lengthOf(response);
    if (size !== undefined && size > limit) {
      response.destroy();
      throw tooLarge(String(size));
    }
    const content = await text(this.guard(response, uri, { take: limit + 1 }));
    if (Buffer.byteLength(content) > limit) throw tooLarge(`more than ${limit}`);
    return content;
  }

  list(uri: string): Promise<StoredEntry[]> {
    return Promise.reject(new StorageError('UNSUPPORTED', `${uri}: http has no directories`, uri));
  }

  async open(uri: string, options: OpenOptions = {}): Promise<Readable> {
    const { start = 0, end = Infinity, version = '' } = options;
    const whole = start === 0 && end === Infinity;
    const range = `bytes=${start}-${end === Infinity ? '' : Math.max(end - 1, start)}`;
    const response = await this.client.send(uri, 'GET', whole ? {} : { range });
    const empty = response.statusCode === 416 && !whole;
    if (!empty) refuse(response, uri);
    if (version !== '' && versionOf(response) !== version && !(empty && versionOf(response) === '')) {
      response.destroy();
      throw new StorageError('CHANGED', `${uri} has changed`, uri);
    }
    if (empty || end <= start) {
      response.destroy();
      return Readable.from([]);
    }
    if (whole || response.statusCode === 206) return this.guard(response, uri, {});
    return this.guard(response, uri, { skip: start, ...(end === Infinity ? {} : { take: end - start }) });
  }

  close(): void {
    this.client.close();
  }

  private guard(response: IncomingMessage, uri: string, part: { skip?: number; take?: number }): Readable {
    const onBytes = (bytes: number): void => this.options.onTransfer?.('downloaded', 'http', bytes);
    return guardStream(response, { uri, expected: lengthOf(response), onBytes, ...part });
  }

  private async count(response: IncomingMessage, uri: string): Promise<number> {
    let size = 0;
    for await (const chunk of this.guard(response, uri, {})) size += (chunk as Buffer).length;
    return size;
  }
}

function refuse(response: IncomingMessage, uri: string): void {
  try {
    refuseFailure(response, uri);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** @throws StorageError where the status is no success */
function refuseFailure({ statusCode = 0, statusMessage = '' }: IncomingMessage, uri: string): void {
  if (statusCode === 200 || statusCode === 206) return;
  if (statusCode === 404 || statusCode === 410) throw new StorageError('NOT_FOUND', `${uri} does not exist`, uri);
  const said = `${statusCode} ${statusMessage}`.trim();
  if (statusCode === 401 || statusCode === 403) throw new StorageError('ACCESS', `${uri} may not be accessed (${said})`, uri);
  if (statusCode === 408 || statusCode === 429 || statusCode >= 500)
    throw new StorageError('IO', `${uri}: the server answered ${said}`, uri);
  throw new StorageError('UNSUPPORTED', `${uri} cannot be read: the server answered ${said}`, uri);
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** Of `Content-Range: bytes 0-0/1234`, and of the asterisk form that comes with 416. */
function totalOf({ headers }: IncomingMessage): number | undefined {
  const total = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

function validatorOf(response: IncomingMessage): Pick<StoredStat, 'version' | 'unsure'> {
  const { etag } = response.headers;
  const strong = etag !== undefined && !etag.startsWith('W/');
  const version = versionOf(response);
  return { version, ...(version !== '' && !strong && { unsure: true }) };
}

function versionOf(response: IncomingMessage): string {
  const { etag, 'last-modified': modified } = response.headers;
  if (etag !== undefined) return etag;
  const size = totalOf(response) ?? (response.statusCode === 200 ? lengthOf(response) : undefined);
  return modified === undefined || size === undefined ? '' : `${modified} ${size}`;
}
