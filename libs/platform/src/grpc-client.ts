/**
 * gRPC clients as promises and async iterables; every rejection is a ServiceError.
 */
import {
  type ChannelCredentials,
  type Client,
  type CallOptions as GrpcCallOptions,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError as GrpcServiceError,
} from '@grpc/grpc-js';
import { fromGrpcError, isFromPeer } from './grpc-errors.js';
import { clientOptions } from './grpc-options.js';
import { ServiceError } from './service-error.js';
import { sendSecret } from './service-secret.js';
import { type ClientTls, clientCredentials } from './service-tls.js';

export interface CallOptions {
  /** Aborting cancels the call: CANCELLED. */
  signal?: AbortSignal;
  /** From now; absent = none. */
  deadlineMs?: number;
  /** Wait for a connection instead of failing with UNAVAILABLE while there is none. */
  waitForReady?: boolean;
  metadata?: Record<string, string>;
  /** What the called service is to a reader of messages ("the scheduler"): where it cannot be reached, the message says that it does not answer. */
  peer?: string;
}

type ClientConstructor<C extends Client> = new (address: string, creds: ChannelCredentials, options?: Partial<ClientOptions>) => C;

type UnaryMethod<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: Partial<GrpcCallOptions>,
  callback: (error: GrpcServiceError | null, response: Res) => void,
) => ClientUnaryCall;

/** Messages of a stream that its reader has not taken. */
const READ_AHEAD = 16;

type StreamMethod<Req, Res> = (request: Req, metadata?: Metadata, options?: Partial<GrpcCallOptions>) => ClientReadableStream<Res>;

/** `address` is a gRPC target: `host:port` or `unix:/abs/path`. Connects lazily and reconnects by itself; close() it when done. */
export function createClient<C extends Client>(Ctor: ClientConstructor<C>, address: string, secret?: string, tls?: ClientTls): C {
  const interceptors = secret ? [sendSecret(secret)] : [];
  return new Ctor(address, clientCredentials(address, tls), { ...clientOptions, interceptors });
}

/** `method` is a method of `client`, bound or not: `callUnary(client, client.getRun, request)`. */
export function callUnary<Req, Res>(client: Client, method: UnaryMethod<Req, Res>, request: Req, options: CallOptions = {}): Promise<Res> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(cancelled());
    const cancel = (): void => call.cancel();
    const call = method.call(client, request, metadataOf(options), callOptionsOf(options), (error, response) => {
      options.signal?.removeEventListener('abort', cancel);
      if (error) reject(named(error, options));
      else resolve(response);
    });
    options.signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** `method` must be bound: `callServerStream(client.watchRun.bind(client), request)`. The call starts with the first `next()`. */
export async function* callServerStream<Req, Res>(
  method: StreamMethod<Req, Res>,
  request: Req,
  options: CallOptions = {},
): AsyncGenerator<Res, void, undefined> {
  if (options.signal?.aborted) throw cancelled();
  const call = method(request, metadataOf(options), callOptionsOf(options));
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    yield* messagesOf(call);
  } catch (error) {
    throw named(error, options);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    // A consumer that left early: an error that the cancel brings has nobody to go to.
    call.on('error', () => undefined);
    call.cancel();
  }
}

/** What the stream's own iterator does, for a fraction of its cost: most streams bring three messages and end. Everything that arrived comes before an error. */
async function* messagesOf<Res>(call: ClientReadableStream<Res>): AsyncGenerator<Res, void, undefined> {
  const arrived: Res[] = [];
  let end: { error?: unknown } | undefined;
  let wake = (): void => undefined;
  call.on('data', (message: Res) => {
    arrived.push(message);
    if (arrived.length >= READ_AHEAD) call.pause();
    wake();
  });
  call.on('error', (error: unknown) => {
    end ??= { error };
    wake();
  });
  call.once('end', () => {
    end ??= {};
    wake();
  });
  for (;;) {
    for (let next = arrived.shift(); next !== undefined; next = arrived.shift()) yield next;
    if (end) break;
    if (call.isPaused()) call.resume();
    await new Promise<void>((resolve) => (wake = resolve));
  }
  if ('error' in end) throw end.error;
}

/**
 * Where no service has answered, grpc-js's own words (addresses, socket errors) become the cause. A service that ends resets its calls, which HTTP/2 and
 * so grpc-js calls cancelled: it is only where the caller has done so.
 */
function named(error: unknown, { peer, signal }: CallOptions): ServiceError {
  const problem = fromGrpcError(error);
  if (isFromPeer(error)) return problem;
  if (problem.code === 'CANCELLED' && signal?.aborted !== true)
    return new ServiceError('UNAVAILABLE', `${peer ?? 'the service'} cut the call off`, undefined, { cause: error });
  if (peer === undefined || problem.code !== 'UNAVAILABLE') return problem;
  return new ServiceError('UNAVAILABLE', `${peer} does not answer`, undefined, { cause: error });
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata({ waitForReady: options.waitForReady === true });
  for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
  return metadata;
}

function callOptionsOf(options: CallOptions): Partial<GrpcCallOptions> {
  return options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
}

function cancelled(): ServiceError {
  return new ServiceError('CANCELLED', 'cancelled before the call was made');
}
