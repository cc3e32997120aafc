/**
 * Requests that never reach a route: what Node's parser or the router cannot read. Answered in the shape of every other failure.
 *
 * Invariants: the connection is closed after an answer to what could not be parsed, because nobody knows where the next request begins.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type HttpCode, JSON_TYPE } from './problem.js';

interface Broken {
  status: number;
  code: HttpCode | 'INVALID_ARGUMENT';
  error: string;
}

/** For `clientErrorHandler`. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const { status, ...body } = brokenOf(error.code ?? '');
    const text = JSON.stringify({ error: body.error, code: body.code });
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      `Content-Type: ${JSON_TYPE}`,
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  }
  socket.destroySoon();
}

function brokenOf(code: string): Broken {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, code: 'REQUEST_TIMEOUT', error: 'the request did not come to its end in time' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, code: 'HEADERS_TOO_LARGE', error: 'the headers of the request are too large' };
  const what = code === 'HPE_INVALID_METHOD' ? 'its method is none of HTTP’s' : `it cannot be parsed (${code || 'unknown'})`;
  return { status: 400, code: 'INVALID_ARGUMENT', error: `this is no HTTP request: ${what}` };
}

/** For `frameworkErrors`: a path that the router does not take. */
export function answerUnroutable(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const long = error.statusCode === 414;
  const body = long
    ? { error: 'an id in the path is longer than any there is', code: 'URI_TOO_LONG' }
    : { error: 'the path is not percent-encoded as UTF-8', code: 'INVALID_ARGUMENT' };
  void reply
    .code(long ? 414 : 400)
    .type(JSON_TYPE)
    .send(JSON.stringify(body));
}

/** `Expect: 100-continue` is Node's to answer; any other expectation is refused. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const error = `Expect: ${String(request.headers.expect).slice(0, 100)} cannot be met; only 100-continue can`;
    const body = JSON.stringify({ error, code: 'EXPECTATION_FAILED' });
    response.writeHead(417, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
  });
}
