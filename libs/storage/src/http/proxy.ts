/**
 * Proxies, as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name them (in capitals or not).
 *
 * Invariants:
 *  1. What goes through a proxy to an address that was checked here goes by CONNECT to that address: the proxy resolves no name again.
 *  2. No message shows what a proxy's URL has of user and password.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';

const SILENT_MS = 60_000;

/** Undefined: none is to be used. @throws where what the environment names is no http: or https: proxy */
export function proxyFor(url: URL): URL | undefined {
  const named = getProxyForUrl(url.href);
  if (named === '') return undefined;
  if (!URL.canParse(named) || !/^https?:$/.test(new URL(named).protocol))
    throw new Error(`the proxy for ${url.protocol} is no http: or https: URL: look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY`);
  return new URL(named);
}

/** What a proxy wants of a request for a URL that it fetches itself. */
export function forwarded(proxy: URL, url: URL): { host: string; port: number; path: string; headers: Record<string, string> } {
  const whole = new URL(url);
  whole.hash = '';
  return { host: hostOf(proxy), port: portOf(proxy), path: whole.href, headers: { host: url.host, ...authorization(proxy) } };
}

/** Connections through one proxy, kept for the next request to the same place. */
export interface Tunnels {
  'http:': HttpAgent;
  'https:': HttpsAgent;
}

export function tunnels(proxy: URL): Tunnels {
  return { 'http:': new PlainTunnel(proxy), 'https:': new SecureTunnel(proxy) };
}

interface Target {
  host?: string | null;
  port?: number | string | null;
}

type Done = (error: Error | null, stream: Duplex) => void;

class PlainTunnel extends HttpAgent {
  constructor(private readonly proxy: URL) {
    super({ keepAlive: true });
  }

  override createConnection(target: Target, done?: Done): undefined {
    through(this.proxy, target, (socket) => socket, done);
  }
}

class SecureTunnel extends HttpsAgent {
  constructor(private readonly proxy: URL) {
    super({ keepAlive: true });
  }

  override createConnection(target: Target & ConnectionOptions, done?: Done): undefined {
    through(this.proxy, target, (socket) => connectTls({ ...target, socket }), done);
  }
}

function through(proxy: URL, target: Target, wrap: (socket: Socket) => Duplex, done: Done = () => undefined): void {
  connectThrough(proxy, target).then(
    (socket) => done(null, wrap(socket)),
    (error: Error) => done(error, undefined as never),
  );
}

/** A connection to the target, made by the proxy. */
function connectThrough(proxy: URL, { host, port }: Target): Promise<Socket> {
  const place = `${isIP(host ?? '') === 6 ? `[${host}]` : host}:${port}`;
  const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new Error(`through the proxy ${proxy.host}: ${why}`));
    const request = send({
      ...{ host: hostOf(proxy), port: portOf(proxy), method: 'CONNECT', path: place, agent: false, timeout: SILENT_MS },
      headers: { host: place, ...authorization(proxy) },
    });
    request.once('connect', ({ statusCode, statusMessage }: IncomingMessage, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      failed(`it does not connect to ${place} (${statusCode} ${statusMessage})`);
    });
    request.once('response', ({ statusCode }: IncomingMessage) => {
      request.destroy();
      failed(`it does not connect to ${place} (${statusCode})`);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${SILENT_MS / 1000} s`)));
    request.once('error', (error) => failed(error.message));
    request.end();
  });
}

const hostOf = (proxy: URL): string => proxy.hostname.replace(/^\[|\]$/g, '');

const portOf = (proxy: URL): number => Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80));

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return { 'proxy-authorization': `Basic ${secret}` };
}
