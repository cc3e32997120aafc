/**
 * Promises and async iterables as grpc-js handlers, for the `XServer` interfaces that ts-proto generates.
 *
 * Invariants:
 *  1. Every thrown value becomes a status by toGrpcError; nothing is answered twice.
 *  2. A stream is pulled only as fast as the client reads it, and is closed (iterator.return) when the client goes away.
 */
import type { Metadata, handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { toGrpcError } from './grpc-errors.js';
import { ServiceError } from './service-error.js';

export interface CallContext {
  /** Aborts when the client cancels, goes away or its deadline passes, and when the server is forced to close. */
  signal: AbortSignal;
  metadata: Metadata;
}

/** One reason for all: a DOMException of its own for each call would cost more than the call's answer. */
const CLIENT_GONE = new ServiceError('CANCELLED', 'the client went away');

interface Call {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  once(event: 'cancelled', listener: () => void): unknown;
}

export function unary<Req, Res>(handler: (request: Req, context: CallContext) => Promise<Res>): handleUnaryCall<Req, Res> {
  return (call, callback) => {
    const run = async (): Promise<Res> => handler(call.request, contextOf(call));
    run().then(
      (response) => callback(null, response),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
}

export function serverStream<Req, Res>(
  handler: (request: Req, context: CallContext) => AsyncIterable<Res>,
): handleServerStreamingCall<Req, Res> {
  return (call) => {
    const context = contextOf(call);
    pump(call, context, () => handler(call.request, context)).then(
      () => call.end(),
      (error: unknown) => void call.emit('error', toGrpcError(error)),
    );
  };
}

async function pump<Req, Res>(call: ServerWritableStream<Req, Res>, context: CallContext, open: () => AsyncIterable<Res>): Promise<void> {
  for await (const message of open()) {
    if (context.signal.aborted) return;
    if (!call.write(message)) await drained(call, context.signal);
  }
}

function drained(
  call: { once(event: 'drain', listener: () => void): unknown; removeListener(event: 'drain', l: () => void): unknown },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.removeListener('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

/** Most calls never look at their signal, and one call is made per task: it is made when it is asked for. */
function contextOf(call: Call): CallContext {
  let controller: AbortController | undefined;
  return {
    get signal() {
      if (!controller) {
        const made = new AbortController();
        if (call.cancelled) made.abort(CLIENT_GONE);
        else call.once('cancelled', () => made.abort(CLIENT_GONE));
        controller = made;
      }
      return controller.signal;
    },
    metadata: call.metadata,
  };
}
