/** Sends generated text as a chunked answer, pulled as fast as the client reads. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { OpenStreams } from './open-streams.js';

/** An abort signal that fires when the client is gone, the answer is done or the gateway closes. */
export function streamSignal(reply: FastifyReply, streams: OpenStreams): AbortSignal {
  const controller = streams.open();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

/** What a tool wrote, as it is: no browser is to make anything of it but text. */
export function sendBytes(reply: FastifyReply, bytes: AsyncIterable<Uint8Array>): void {
  void reply
    .type('text/plain; charset=utf-8')
    .header('Cache-Control', 'no-cache, no-transform')
    .header('X-Content-Type-Options', 'nosniff')
    .send(Readable.from(bytes, { objectMode: false }));
}

/** An object as it lies in the store. */
export function sendJson(reply: FastifyReply, bytes: Buffer | AsyncIterable<Uint8Array>): void {
  void reply.type('application/json; charset=utf-8').send(Buffer.isBuffer(bytes) ? bytes : Readable.from(bytes, { objectMode: false }));
}

/** The headers go out at once: a client that follows something quiet is to know that it is connected. */
export function sendText(reply: FastifyReply, contentType: string, text: AsyncIterable<string>): void {
  void reply
    .type(contentType)
    .header('Cache-Control', 'no-cache, no-transform')
    .header('X-Accel-Buffering', 'no')
    .send(Readable.from(text, { objectMode: false, encoding: 'utf8' }));
  reply.raw.flushHeaders();
}
