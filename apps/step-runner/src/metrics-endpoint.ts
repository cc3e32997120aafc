/** What the runner moved over networks, for Prometheus: text at /metrics, on an address that the operator names. */
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OnTransfer } from '@weft/storage';
import type { InputCache } from './inputs/input-cache.js';

export class TransferCounters {
  readonly bytes = { downloaded: { s3: 0, http: 0 }, uploaded: { s3: 0, http: 0 } };

  readonly onTransfer: OnTransfer = (direction, scheme, bytes) => {
    this.bytes[direction][scheme] += bytes;
  };
}

/** Prometheus' text format. */
export function metricsText({ bytes }: TransferCounters, cache: InputCache): string {
  const { hits, misses, evictions, bytes: kept } = cache.report();
  const metric = (name: string, type: string, help: string, samples: [labels: string, value: number][]): string =>
    [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([labels, value]) => `${name}${labels} ${value}`), ''].join('\n');
  const byScheme = (of: Record<string, number>): [string, number][] =>
    Object.entries(of).map(([key, value]) => [`{scheme="${key}"}`, value]);
  return [
    metric('weft_runner_downloaded_bytes_total', 'counter', 'Bytes of files that came from other hosts.', byScheme(bytes.downloaded)),
    metric('weft_runner_uploaded_bytes_total', 'counter', 'Bytes of files that went to other hosts.', [
      ['{scheme="s3"}', bytes.uploaded.s3],
    ]),
    metric('weft_runner_cache_hits_total', 'counter', 'Remote inputs that were in the cache.', [['', hits]]),
    metric('weft_runner_cache_misses_total', 'counter', 'Remote inputs that had to be fetched.', [['', misses]]),
    metric('weft_runner_cache_evictions_total', 'counter', 'Files and trees that made room for others.', [['', evictions]]),
    metric('weft_runner_cache_bytes', 'gauge', 'Bytes that the cache keeps.', [['', kept]]),
  ].join('');
}

/** @param listen `host:port` or `unix:/path` */
export async function serveMetrics(listen: string, text: () => string): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    bind(server, listen, resolve);
  });
  const bound = server.address();
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: typeof bound === 'string' ? `unix:${bound}` : hostPort(bound), close };
}

function bind(server: Server, listen: string, done: () => void): void {
  if (listen.startsWith('unix:')) {
    const path = listen.slice('unix:'.length);
    rmSync(path, { force: true });
    server.listen(path, done);
    return;
  }
  const at = listen.lastIndexOf(':');
  server.listen(Number(listen.slice(at + 1)), listen.slice(0, at).replace(/^\[|\]$/g, ''), done);
}

function hostPort(bound: AddressInfo | null): string {
  return bound === null ? '' : `${bound.address}:${bound.port}`;
}
