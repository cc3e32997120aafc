/**
 * A forward proxy as a company has one: it fetches http: URLs and makes tunnels (CONNECT), asks for a password where it is told to, and keeps
 * what it was asked for. Where each host and port leads is the test's to say: names need not exist.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ForwardProxy {
  /** Without user and password. */
  url: string;
  /** `GET http://…` and `CONNECT host:port`, in order. */
  asked: string[];
  /** Where a `host:port` leads; others are refused with 502. */
  routes: Map<string, string>;
  /** `user:password` that it asks for. */
  secret?: string;
  stop(): Promise<void>;
}

export async function startForwardProxy(): Promise<ForwardProxy> {
  const proxy: Omit<ForwardProxy, 'url' | 'stop'> = { asked: [], routes: new Map() };
  const server = createServer((incoming, outgoing) => forward(proxy, incoming, outgoing));
  const open = new Set<Duplex>();
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => tunnel(proxy, incoming, socket, open));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
    });
  return Object.assign(proxy, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop });
}

function refusal(
  { secret, routes }: Pick<ForwardProxy, 'secret' | 'routes'>,
  { headers }: IncomingMessage,
  place: string,
): number | undefined {
  if (secret !== undefined && headers['proxy-authorization'] !== `Basic ${Buffer.from(secret).toString('base64')}`) return 407;
  return routes.has(place) ? undefined : 502;
}

function forward(proxy: Omit<ForwardProxy, 'url' | 'stop'>, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = '', url = '' } = incoming;
  proxy.asked.push(`${method} ${url}`);
  const target = new URL(url);
  const place = `${target.hostname}:${target.port || 80}`;
  const refused = refusal(proxy, incoming, place);
  if (refused !== undefined) return void outgoing.writeHead(refused).end();
  const [host, port] = (proxy.routes.get(place) ?? '').split(':');
  const sent = request({ host, port, method, path: `${target.pathname}${target.search}`, headers: incoming.headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  sent.on('error', () => outgoing.destroy());
  sent.end();
}

function tunnel(proxy: Omit<ForwardProxy, 'url' | 'stop'>, incoming: IncomingMessage, socket: Duplex, open: Set<Duplex>): void {
  const place = incoming.url ?? '';
  proxy.asked.push(`CONNECT ${place}`);
  const refused = refusal(proxy, incoming, place);
  if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} No\r\n\r\n`);
  const [host, port] = (proxy.routes.get(place) ?? '').split(':');
  const far = connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    far.pipe(socket).pipe(far);
  });
  for (const side of [far, socket]) {
    open.add(side);
    side.on('error', () => [far, socket].forEach((one) => one.destroy()));
    side.on('close', () => open.delete(side));
  }
}
