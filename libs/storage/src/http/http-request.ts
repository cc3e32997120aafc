/**
 * One request to an http server, through redirects.
 *
 * Invariants:
 *  1. Every host on the way is checked as the first one is, and none leads from https: to http:.
 *  2. A connection that says nothing for a minute is given up.
 *  3. A proxy changes nothing of what may be reached (proxy.ts).
 */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { StorageError } from '../ports.js';
import { messageOf, systemErrorCode } from '../system-error.js';
import { bareHost, isPublicAddress, lookupPublic, privateAddress, publicAddressOf } from './address-guard.js';
import { forwarded, proxyFor, type Tunnels, tunnels } from './proxy.js';

const MAX_REDIRECTS = 5;
const SILENT_MS = 60_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export class HttpClient {
  /** By proxy. */
  private readonly proxied = new Map<string, Tunnels>();
  private readonly agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };

  /** @param allowPrivate also private, loopback and link-local addresses */
  constructor(private readonly allowPrivate: boolean) {}

  /** The answer, whatever its status, with its body still to be read. @throws StorageError */
  async send(uri: string, method: 'GET' | 'HEAD', headers: Record<string, string> = {}): Promise<IncomingMessage> {
    let url = parseHttpUri(uri, uri);
    for (let redirects = 0; ; redirects++) {
      const response = await this.once(url, method, headers).catch((error: unknown) => {
        throw connectionError(error, uri);
      });
      const { location } = response.headers;
      if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined) return response;
      response.resume();
      if (redirects === MAX_REDIRECTS) throw new StorageError('IO', `${uri}: more than ${MAX_REDIRECTS} redirects`, uri);
      const next = parseHttpUri(new URL(location, url).href, uri);
      if (url.protocol === 'https:' && next.protocol === 'http:')
        throw new StorageError('ACCESS', `${uri} leads from https: to ${next.href}`, uri);
      url = next;
    }
  }

  close(): void {
    for (const agents of [this.agents, ...this.proxied.values()]) for (const agent of Object.values(agents)) agent.destroy();
  }

  private async once(url: URL, method: 'GET' | 'HEAD', headers: Record<string, string>): Promise<IncomingMessage> {
    const host = bareHost(url.hostname);
    // A host that is an address is connected to without a look-up.
    if (!this.allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw privateAddress(host, host);
    const wish = { method, headers: { 'accept-encoding': 'identity', 'user-agent': 'weft', ...headers }, timeout: SILENT_MS };
    const proxy = proxyFor(url);
    if (proxy !== undefined) return answered(await this.throughProxy(proxy, url, wish));
    const options = { ...wish, ...(this.allowPrivate ? {} : { lookup: lookupPublic }) };
    return answered(
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: this.agents['https:'] })
        : httpRequest(url, { ...options, agent: this.agents['http:'] }),
    );
  }

  /** Where addresses are checked the proxy gets the address that was, not the name: it could mean another one there. */
  private async throughProxy(proxy: URL, url: URL, wish: RequestOptions & { headers: Record<string, string> }): Promise<ClientRequest> {
    if (this.allowPrivate && url.protocol === 'http:') {
      const { headers, ...place } = forwarded(proxy, url);
      const options = { ...wish, ...place, headers: { ...wish.headers, ...headers } };
      return proxy.protocol === 'https:'
        ? httpsRequest({ ...options, agent: this.agents['https:'] })
        : httpRequest({ ...options, agent: this.agents['http:'] });
    }
    const name = bareHost(url.hostname);
    const host = this.allowPrivate || isIP(name) !== 0 ? name : await publicAddressOf(name);
    const secure = url.protocol === 'https:';
    const agents = this.tunnelsOf(proxy);
    const place = { host, port: Number(url.port || (secure ? 443 : 80)), path: `${url.pathname}${url.search}` };
    const options = { ...wish, ...place, headers: { ...wish.headers, host: url.host } };
    if (!secure) return httpRequest({ ...options, agent: agents['http:'] });
    return httpsRequest({ ...options, agent: agents['https:'], ...(isIP(name) === 0 ? { servername: name } : {}) });
  }

  private tunnelsOf(proxy: URL): Tunnels {
    const known = this.proxied.get(proxy.href) ?? tunnels(proxy);
    this.proxied.set(proxy.href, known);
    return known;
  }
}

function answered(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error(`no answer within ${SILENT_MS / 1000} s`)));
    request.end();
  });
}

/** @param named what messages call it */
function parseHttpUri(text: string, named: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new StorageError('UNSUPPORTED', `'${named}' is not a usable http: URI`, named);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new StorageError('UNSUPPORTED', `${named} leads to '${text}'`, named);
  if (url.username !== '' || url.password !== '') {
    throw new StorageError(
      'ACCESS',
      `'${withoutSecret(named)}': a user name in a URI would be stored and shown with it`,
      withoutSecret(named),
    );
  }
  return url;
}

function withoutSecret(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//');
}

function connectionError(error: unknown, uri: string): StorageError {
  const message = messageOf(error);
  if (systemErrorCode(error) === 'EPRIVATE') return new StorageError('ACCESS', `${uri} may not be read: ${message}`, uri);
  return new StorageError('IO', `${uri}: ${message || systemErrorCode(error) || 'the connection failed'}`, uri);
}
