/**
 * An engine on a unix socket that misbehaves as a test says: cuts answers, hangs, goes and comes back. It holds one container.
 *
 * Invariant: what has happened is told by `happened`, so that tests order events and wait for no time.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { join } from 'node:path';

export type Handler = (response: ServerResponse, request: IncomingMessage) => void;

export class FakeEngine {
  readonly socket: string;
  readonly requests: string[] = [];
  /** Of the container: what inspect says, and the bytes of its log by stream. */
  state = {
    Status: 'running',
    Running: true,
    ExitCode: 0,
    OOMKilled: false,
    FinishedAt: '2026-01-01T00:00:00Z',
    StartedAt: '2026-01-01T00:00:00Z',
  };
  log = '';
  liveRestore = false;
  /** Remembers that the container was started. */
  remembers = true;
  private readonly handlers: [route: RegExp, handler: Handler][] = [];
  private readonly listeners = new Set<() => void>();
  private server: Server | undefined;
  private gone: Promise<unknown> | undefined;
  /** Answers that are open. */
  private readonly open = new Map<string, ServerResponse[]>();

  constructor(directory: string) {
    this.socket = join(directory, 'engine.sock');
  }

  /** From now on, requests like `POST /containers/create` are answered so. The latest counts. */
  on(route: RegExp, handler: Handler): void {
    this.handlers.unshift([route, handler]);
  }

  async up(): Promise<void> {
    this.server = createServer((request, response) => this.take(request, response));
    this.server.listen(this.socket);
    await once(this.server, 'listening');
  }

  /** Goes down in order: it takes no new connections, and answers on those that it has. */
  leave(): void {
    if (this.server === undefined) return;
    this.gone = once(this.server, 'close');
    // HTTP's own would close the connections that are idle.
    NetServer.prototype.close.call(this.server);
    rmSync(this.socket, { force: true });
  }

  /** Every connection is cut, and nobody listens any more. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const gone = this.gone ?? once(server, 'close');
    this.gone = undefined;
    server.closeAllConnections();
    server.close();
    await gone;
  }

  /** Resolves when so many requests like it have come. */
  happened(route: RegExp, times = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.requests.filter((request) => route.test(request)).length < times) return;
        this.listeners.delete(look);
        resolve();
      };
      this.listeners.add(look);
      look();
    });
  }

  /** The container ends; whoever waits for it is told, and its output ends. */
  exit(code: number): void {
    Object.assign(this.state, { Status: 'exited', Running: false, ExitCode: code });
    for (const response of this.taken('attach')) response.end();
    for (const response of this.taken('logs')) response.end();
    for (const response of this.taken('wait')) response.end(JSON.stringify({ StatusCode: code }));
    for (const response of this.open.get('events') ?? []) response.write(`${JSON.stringify({ Action: 'die', Actor: { ID: 'c' } })}\n`);
  }

  /** The container says something to whoever listens, and into its log. */
  say(text: string): void {
    const frame = framed(text);
    this.log += text;
    for (const name of ['attach', 'logs']) for (const response of this.open.get(name) ?? []) response.write(frame);
  }

  /** Cuts the open answers to one kind of request in the middle. */
  cut(name: 'attach' | 'wait' | 'logs' | 'events'): void {
    for (const response of this.taken(name)) response.destroy();
  }

  private taken(name: string): ServerResponse[] {
    const responses = this.open.get(name) ?? [];
    this.open.delete(name);
    return responses;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const route = `${request.method} ${request.url}`;
    this.requests.push(route);
    request.resume();
    response.on('error', () => undefined);
    const handler = this.handlers.find(([wanted]) => wanted.test(route))?.[1];
    if (handler !== undefined) handler(response, request);
    else this.behave(route, response);
    for (const listener of this.listeners) listener();
  }

  private behave(route: string, response: ServerResponse): void {
    const json = (status: number, body: object): void => void response.writeHead(status).end(JSON.stringify(body));
    const keep = (name: string): void => {
      response.writeHead(200).flushHeaders();
      this.open.set(name, [...(this.open.get(name) ?? []), response]);
    };
    if (route.includes('/_ping')) return void response.end('OK');
    if (route.includes('/version')) return json(200, { Version: 'fake' });
    if (route.includes('/info')) return json(200, { SystemTime: new Date().toISOString(), LiveRestoreEnabled: this.liveRestore });
    if (route.includes('/containers/create')) return json(201, { Id: 'c' });
    if (route.includes('/containers/json')) return json(200, []);
    if (route.includes('/start')) return void response.writeHead(204).end();
    if (route.startsWith('DELETE')) return void response.writeHead(204).end();
    if (route.includes('/containers/c/json')) return json(200, { Id: 'c', Image: 'i', State: this.state });
    if (route.includes('/attach')) return keep('attach');
    if (route.includes('/events') && route.includes('until'))
      return void response.end(this.remembers ? `${JSON.stringify({ Action: 'start', Actor: { ID: 'c' } })}\n` : '');
    if (route.includes('/events')) return keep('events');
    if (route.includes('/wait')) return this.state.Running ? keep('wait') : json(200, { StatusCode: this.state.ExitCode });
    if (route.includes('/kill')) return void response.writeHead(204).end();
    if (route.includes('/logs')) {
      keep('logs');
      response.write(framed(this.log));
      if (!this.state.Running) for (const one of this.taken('logs')) one.end();
      return;
    }
    json(404, { message: `no ${route}` });
  }
}

function framed(text: string): Buffer {
  const data = Buffer.from(text);
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}
