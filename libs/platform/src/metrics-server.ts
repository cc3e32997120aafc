/**
 * GET /metrics of a service, on an address that the operator names.
 *
 * Invariants: an address that other machines can reach is served only with a secret; where there is one, nobody is answered without it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopback, type ListenAddress, parseListenAddress, prepareSocket, protectSocket } from './listen-address.js';
import { ServiceError } from './service-error.js';
import { secretMatches } from './service-secret.js';

export interface MetricsServerOptions {
  /** `host:port` or `unix:/path` */
  listen: string;
  /** To be sent as `Authorization: Bearer <secret>`. */
  secret?: string | undefined;
  /** Prometheus' text format, asked for with each request. */
  text: () => string | Promise<string>;
}

export interface MetricsServer {
  /** As in `listen`, with the real port. */
  address: string;
  close(): Promise<void>;
}

/** @throws ServiceError FAILED_PRECONDITION for an address that others can reach without a secret */
export async function serveMetrics({ listen, secret, text }: MetricsServerOptions): Promise<MetricsServer> {
  const address = parseListenAddress(listen);
  if (!isLoopback(address) && !secret) {
    const why = 'refusing to serve metrics on an address that other machines can reach without a service secret';
    throw new ServiceError('FAILED_PRECONDITION', `${why}: ${listen}`);
  }
  const server = createServer((request, response) => {
    answer(request, response, secret, text).catch((error: unknown) => response.destroy(error as Error));
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: await bind(server, address), close };
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  secret: string | undefined,
  text: () => string | Promise<string>,
): Promise<void> {
  if (secret && !secretMatches(headers.authorization, secret)) {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  } else if (url !== '/metrics') {
    response.writeHead(404).end();
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else {
    const body = await text();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
  }
}

async function bind(server: Server, address: ListenAddress): Promise<string> {
  if (address.kind === 'unix') await prepareSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (address.kind === 'unix') server.listen(address.path, resolve);
    else server.listen(address.port, address.host, resolve);
  });
  if (address.kind === 'unix') {
    await protectSocket(address.path);
    return `unix:${address.path}`;
  }
  const { port } = server.address() as AddressInfo;
  return address.host.includes(':') ? `[${address.host}]:${port}` : `${address.host}:${port}`;
}
