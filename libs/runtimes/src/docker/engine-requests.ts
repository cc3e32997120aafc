/**
 * Requests to the container engine. The client library builds them; they are sent from here, because every one of them has to end: the library
 * lets an answer that is cut behind its headers wait for ever.
 *
 * Invariants:
 *  1. A request settles: with a whole answer, or with an error where its connection is cut at any point, where it is not answered within its
 *     limit, or when the engine is taken for gone. What is handed out as a stream breaks in the same cases.
 *  2. Who waits without a limit (for an exit, for output, for a pull) is cut off in the moment the engine is taken for gone.
 *  3. A ping has a connection of its own: an engine that is going takes no new ones, and answers on the old ones for a while.
 *  4. A request goes where its call says: one whose path could lead elsewhere is not sent. No redirect is followed. An answer is read up to ANSWER_BYTES; of an error only the engine's own `message` is told, never a body.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type Docker from 'dockerode';

/** Lists of thousands of containers have some megabytes. */
const ANSWER_BYTES = 64 * 1024 * 1024;
const MESSAGE_LENGTH = 2_000;
/** Looking at something. */
const LOOK_MS = 60_000;
/** Making, starting, removing: disks may be slow. */
const ACT_MS = 300_000;

export interface ConnectionWatch {
  /** Milliseconds in which the engine has to answer a ping. */
  readonly pingMs: number;
  /** Aborts when the engine is taken for gone; another one for each time that it is there. */
  readonly gone: AbortSignal;
  /** The engine has answered something. */
  answered(): void;
  /** A connection was refused or cut, or no answer came. */
  suspect(error: unknown): void;
}

/** No answer, or not all of it. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
  constructor(
    message: string,
    /** errno name, or one of ours. */
    readonly code: string,
  ) {
    super(message);
  }
}

/** What the client library knows of a request. */
interface Context {
  path: string;
  isStream?: boolean;
  openStdin?: boolean;
  hijack?: boolean;
  statusCodes: Record<number, string | boolean>;
}
type Callback = (error: unknown, answer: unknown) => void;
type Data = string | Buffer | NodeJS.ReadableStream | undefined;

interface Modem {
  protocol: string;
  buildRequest(options: RequestOptions, context: Context, data: Data, callback: Callback): void;
  buildPayload(
    error: null,
    isStream: boolean | undefined,
    statusCodes: Context['statusCodes'],
    openStdin: boolean | undefined,
    request: ClientRequest,
    response: IncomingMessage,
    json: null,
    callback: Callback,
  ): void;
}

/** Sends the client's requests under this watch from now on. Those over SSH stay with the library's own transport. */
export function watchRequests(docker: Docker, watch: ConnectionWatch): void {
  const modem = docker.modem as unknown as Modem;
  if (modem.protocol === 'ssh') return;
  modem.buildRequest = (options, context, data, callback) => new WatchedRequest(modem, options, context, watch, callback).send(data);
}

/** How long its answer may take to begin and, where it is no stream, to be complete; undefined: as long as the engine is there. */
export function limitOf(method: string | undefined, path: string, pingMs: number): number | undefined {
  const [name = ''] = path.split('?');
  if (name.endsWith('/_ping')) return pingMs;
  if (/\/containers\/[^/]+\/wait$|\/images\/(create|load)$|\/build$/.test(name)) return undefined;
  return method === 'GET' || method === 'HEAD' ? LOOK_MS : ACT_MS;
}

/** Of a path without its query. Names are checked where they come in (`@weft/plan`); this is for those that are forgotten. */
export function isPlainPath(address: string): boolean {
  const [path = ''] = address.split('?');
  return /^[A-Za-z0-9._:/@[\]-]+$/.test(path) && path.split('/').every((part) => part !== '.' && part !== '..');
}

class WatchedRequest {
  private settled = false;
  private request: ClientRequest | undefined;
  private answer: IncomingMessage | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly gone: AbortSignal;
  private readonly wanted: AbortSignal | undefined;
  private readonly isPing: boolean;

  constructor(
    private readonly modem: Modem,
    private readonly options: RequestOptions,
    private readonly context: Context,
    private readonly watch: ConnectionWatch,
    private readonly callback: Callback,
  ) {
    // A ping finds out whether the engine is there.
    this.isPing = context.path.startsWith('/_ping');
    this.gone = this.isPing ? new AbortController().signal : watch.gone;
    this.wanted = options.signal;
  }

  send(data: Data): void {
    const { signal: _signal, ...given } = this.options;
    const options = this.isPing ? { ...given, agent: false as const } : given;
    if (this.wanted?.aborted) return this.fail(this.unwanted());
    if (this.gone.aborted) return this.fail(this.whyGone());
    if (!isPlainPath(this.context.path)) return this.fail(new Error('the address of a request to the engine holds what none may'));
    let request: ClientRequest;
    try {
      request = (this.modem.protocol === 'https' ? https : http).request(options);
    } catch (error) {
      return this.fail(error);
    }
    this.request = request;
    this.wanted?.addEventListener('abort', this.onUnwanted, { once: true });
    this.gone.addEventListener('abort', this.onGone, { once: true });
    this.limit();
    if (this.context.hijack === true) request.on('upgrade', (_response, socket, head) => this.upgraded(socket, head));
    request.on('response', (response) => this.take(response));
    request.on('error', (error) => this.unanswered(error));
    // With an answer, its own end counts: it may be read later than its connection is closed.
    request.on('close', () => this.answer ?? this.unanswered(new UnansweredError('the connection was closed', 'ECONNRESET')));
    this.write(request, data);
  }

  private write(request: ClientRequest, data: Data): void {
    if (typeof data === 'string' || Buffer.isBuffer(data)) request.write(data);
    else if (data !== undefined) {
      data.on('error', (error) => request.destroy(error as Error));
      data.pipe(request);
      return;
    }
    if (this.context.openStdin !== true) request.end();
  }

  private take(response: IncomingMessage): void {
    this.watch.answered();
    this.answer = response;
    const { isStream, openStdin, statusCodes } = this.context;
    response.once('close', () => this.leave());
    if (statusCodes[response.statusCode ?? 0] !== true) return this.refused(response);
    if (isStream !== true) return this.read(response, (body) => this.settle(null, parsed(body) ?? body));
    clearTimeout(this.timer);
    this.settled = true;
    this.modem.buildPayload(null, isStream, statusCodes, openStdin, this.request!, response, null, this.callback);
  }

  private upgraded(socket: NodeJS.ReadWriteStream & { destroy(error?: Error): void }, head: Buffer): void {
    this.watch.answered();
    clearTimeout(this.timer);
    socket.once('close', () => this.leave());
    this.gone.removeEventListener('abort', this.onGone);
    this.onGone = () => socket.destroy(this.whyGone());
    this.gone.addEventListener('abort', this.onGone, { once: true });
    if (head.length > 0) (socket as unknown as { unshift(chunk: Buffer): void }).unshift(head);
    this.settle(null, socket);
  }

  private refused(response: IncomingMessage): void {
    const { statusCode = 0 } = response;
    this.read(response, (body) => {
      const json = parsed(body);
      const { message } = (typeof json === 'object' && json !== null ? json : {}) as { message?: unknown };
      const said =
        typeof message === 'string' && message !== '' ? message.slice(0, MESSAGE_LENGTH) : `status ${statusCode} without a reason`;
      this.settle(Object.assign(new Error(said), { statusCode, json: { message: said } }), null);
    });
  }

  private read(response: IncomingMessage, done: (body: Buffer) => void): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES) this.request?.destroy(new UnansweredError('its answer has no end', 'ANSWER_TOO_LARGE'));
    });
    response.on('error', (error) => this.unanswered(error));
    response.on('close', () => {
      if (response.complete) done(Buffer.concat(chunks));
      else this.unanswered(new UnansweredError('its answer was cut off', 'ECONNRESET'));
    });
  }

  private limit(): void {
    const { method } = this.options;
    const ms = limitOf(method, this.context.path, this.watch.pingMs);
    if (ms === undefined) return;
    const late = new UnansweredError(`no answer within ${Math.ceil(ms / 1000)} s`, 'ETIMEDOUT');
    this.timer = setTimeout(() => this.request?.destroy(late), ms).unref();
  }

  private unanswered(error: unknown): void {
    if (this.settled) return;
    if (!this.wanted?.aborted) this.watch.suspect(error);
    this.fail(this.wanted?.aborted ? this.unwanted() : error);
  }

  private readonly onUnwanted = (): void => void this.request?.destroy(this.unwanted());
  private onGone = (): void => void this.request?.destroy(this.whyGone());

  private unwanted(): Error {
    return new UnansweredError('it is not wanted any more', 'ABORTED');
  }

  private whyGone(): UnansweredError {
    return new UnansweredError('it does not answer any more', 'ENGINE_GONE');
  }

  private leave(): void {
    clearTimeout(this.timer);
    this.wanted?.removeEventListener('abort', this.onUnwanted);
    this.gone.removeEventListener('abort', this.onGone);
  }

  private fail(error: unknown): void {
    this.leave();
    this.settle(error, null);
  }

  private settle(error: unknown, answer: unknown): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.callback(error, answer);
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return undefined;
  }
}
