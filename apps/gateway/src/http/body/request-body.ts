/**
 * A request's body: JSON in UTF-8, plain or compressed.
 *
 * Invariants:
 *  1. JSON bodies only: forms and plain text are what a page of another site could send without being asked. An empty body is none.
 *  2. No more than BODY_LIMIT_BYTES are ever held of one body, however little of it was sent: what is unpacked is counted as it comes.
 *  3. What is dropped or changed when it is read (a key that stands there twice, bytes that are no UTF-8, numbers that nothing here holds) is refused.
 *     Whole numbers have 64 bits (libs/plan, json.ts).
 */
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readForeignJson } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import { faultOf, MAX_JSON_DEPTH } from './json-text.js';
import { RequestProblem } from './problem.js';

/** Bytes of a request body; more is refused with 413. */
export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

const UNPACK: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** What a parser of JSON may round, or make infinite. */
const MAY_LOSE = /\d{16}|\d[eE]\+?\d\d\d/;
const ENCODINGS = 'gzip, deflate, br';
/** Names of UTF-8 and of what is part of it. */
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

export function readBodies(server: FastifyInstance): void {
  server.addHook('preParsing', async (request, _reply, payload) => unpacked(request, payload as Readable));
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = textOf(request.headers['content-type'], body);
      refuseFaults(text);
    } catch (error) {
      return done(error as Error);
    }
    if (text.trim() === '') return done(null, undefined);
    void parse(request, text, (error, parsed) => {
      if (error !== null || !MAY_LOSE.test(text)) return done(error, parsed);
      try {
        done(null, readForeignJson(text));
      } catch (fault) {
        done(new ServiceError('INVALID_ARGUMENT', `the body: ${(fault as Error).message}`));
      }
    });
  });
}

/** What the body unpacks to, as far as the parser wants it. */
function unpacked(request: FastifyRequest, payload: Readable): Readable {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return payload;
  const unpack = Object.hasOwn(UNPACK, encoding) ? UNPACK[encoding] : undefined;
  if (unpack === undefined) {
    const message = `a body with Content-Encoding '${encoding.slice(0, 100)}' is not read; send it as it is, or packed once with ${ENCODINGS}`;
    throw new RequestProblem(415, 'UNSUPPORTED_MEDIA_TYPE', message, { 'accept-encoding': ENCODINGS });
  }
  const stream: Transform & { receivedEncodedLength?: number } = unpack();
  // The parser holds what came packed against Content-Length, and what came out of it against the limit.
  stream.receivedEncodedLength = 0;
  payload.on('data', (chunk: Buffer) => (stream.receivedEncodedLength = (stream.receivedEncodedLength ?? 0) + chunk.length));
  const packed = pipeline(payload, stream, () => undefined);
  packed.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith('Z_') || error.code?.startsWith('ERR_BROTLI') || error.code?.startsWith('ERR__ERROR_FORMAT'))
      Object.assign(error, {
        statusCode: 400,
        message: `the body is not what Content-Encoding says: it is no ${encoding}, or was cut off`,
      });
  });
  return packed;
}

/** @throws RequestProblem, ServiceError */
function textOf(contentType: string | undefined, body: Buffer): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && !CHARSETS.has(charset))
    throw new RequestProblem(415, 'UNSUPPORTED_MEDIA_TYPE', `JSON in the charset '${charset.slice(0, 100)}' is not read; send it as UTF-8`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new ServiceError('INVALID_ARGUMENT', 'the body is not valid UTF-8');
  }
}

function refuseFaults(text: string): void {
  const fault = faultOf(text);
  if (fault?.kind === 'depth') throw new ServiceError('INVALID_ARGUMENT', `the body nests more than ${MAX_JSON_DEPTH} levels deep`);
  if (fault?.kind === 'duplicate')
    throw new ServiceError('INVALID_ARGUMENT', `the key '${(fault.key ?? '').slice(0, 100)}' stands twice in one object of the body`);
}
