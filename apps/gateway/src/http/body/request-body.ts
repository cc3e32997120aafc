/**
 * A request's body: JSON in UTF-8, plain or compressed.
 *
 * Invariants:
 *  1. JSON bodies only: forms and plain text are what a page of another site could send without being asked. An empty body is none.
 *  2. No more than BODY_LIMIT_BYTES are ever held of one body, however little of it was sent: what is unpacked is counted as it comes.
 *  3. What is dropped or changed when it is read (a key that stands there twice, bytes that are no UTF-8, numbers that nothing here holds) is refused.
 *     Whole numbers have 64 bits (libs/plan, json.ts).
 *  4. How long the thread that serves everybody works on a body does not grow with it (body-reader.ts).
 */
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestProblem } from '../problem.js';
import type { BodyReader } from './body-reader.js';

/** Bytes of a request body; more is refused with 413. */
export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

const UNPACK: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
const ENCODINGS = 'gzip, deflate, br';
/** Names of UTF-8 and of what is part of it. */
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** @param callerOf whose turn a request is part of. */
export function readBodies(server: FastifyInstance, reader: Pick<BodyReader, 'read'>, callerOf: (request: FastifyRequest) => string): void {
  server.addHook('preParsing', async (request, _reply, payload) => unpacked(request, payload as Readable));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    refuseCharset(request.headers['content-type']);
    return reader.read(body, callerOf(request));
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

/** @throws RequestProblem */
function refuseCharset(contentType: string | undefined): void {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && !CHARSETS.has(charset))
    throw new RequestProblem(415, 'UNSUPPORTED_MEDIA_TYPE', `JSON in the charset '${charset.slice(0, 100)}' is not read; send it as UTF-8`);
}
