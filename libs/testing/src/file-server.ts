/** An http server over files in memory, as good or as bad as a test asks for. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  /** Ends in '/'. */
  url: string;
  files: Map<string, Buffer>;
  /** Redirects by path. */
  redirects: Map<string, string>;
  /** Method, path and range of every request. */
  requests: string[];
  /** What it does not know: 'head', 'range', 'length', 'etag', 'modified', 'strong' (its ETags are weak). */
  without: Set<string>;
  /** Called with method and path of every request; the answer, its status and headers included, waits for it. */
  beforeAnswer: (method: string, path: string) => Promise<void> | void;
  /** Called with the path of every GET of a file; the answer's body waits for it. */
  beforeBody: (path: string) => Promise<void> | void;
  stop(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const state = {
    files: new Map<string, Buffer>(),
    redirects: new Map<string, string>(),
    requests: [] as string[],
    without: new Set<string>(),
    beforeAnswer: (_method: string, _path: string): Promise<void> | void => undefined,
    beforeBody: (_path: string): Promise<void> | void => undefined,
  };
  const server = createServer((request, response) => {
    state.requests.push([request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(' '));
    const held = state.beforeAnswer(request.method ?? '', request.url ?? '');
    if (held === undefined) answer(state, request, response);
    else void held.then(() => answer(state, request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, stop });
}

function answer(state: Omit<FileServer, 'url' | 'stop'>, request: IncomingMessage, response: ServerResponse): void {
  const { method = '', url = '', headers } = request;
  const { without } = state;
  const end = (status: number, more: Record<string, string | number> = {}, body?: Buffer): void => {
    response.writeHead(status, more);
    response.flushHeaders();
    void Promise.resolve(body === undefined ? undefined : state.beforeBody(url)).then(() =>
      response.end(method === 'HEAD' ? undefined : body),
    );
  };
  const redirect = state.redirects.get(url);
  if (redirect !== undefined) return end(302, { location: redirect });
  const file = state.files.get(decodeURIComponent(url.slice(1)));
  if (file === undefined) return end(404);
  if (method === 'HEAD' && without.has('head')) return end(405);
  const about: Record<string, string | number> = {};
  if (!without.has('etag')) about['etag'] = `${without.has('strong') ? 'W/' : ''}"${createHash('md5').update(file).digest('hex')}"`;
  if (!without.has('modified')) about['last-modified'] = 'Fri, 20 Nov 2020 20:20:20 GMT';
  const range = without.has('range') ? undefined : /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  if (!range) return end(200, without.has('length') ? about : { ...about, 'content-length': file.length }, file);
  const [start, last] = [Number(range[1]), Math.min(range[2] ? Number(range[2]) : Infinity, file.length - 1)];
  if (start > last) return end(416, { ...about, 'content-range': `bytes */${file.length}` });
  const part = file.subarray(start, last + 1);
  end(206, { ...about, 'content-length': part.length, 'content-range': `bytes ${start}-${last}/${file.length}` }, part);
}
