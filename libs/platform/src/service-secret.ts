/**
 * The shared secret between services: metadata `authorization: Bearer <secret>`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  InterceptingCall,
  type Interceptor,
  type InterceptorOptions,
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';

const HEADER = 'authorization';
const SCHEME = 'Bearer ';

/** Whether the value of an authorization header carries the secret. Takes the same time wherever they differ. */
export function secretMatches(header: unknown, secret: string): boolean {
  if (typeof header !== 'string' || !header.startsWith(SCHEME)) return false;
  return timingSafeEqual(sha256(header.slice(SCHEME.length)), sha256(secret));
}

/** Rejects calls without the secret before any handler or deserialiser runs; calls of services in `open` pass. */
export function requireSecret(secret: string, open: string[]): ServerInterceptor {
  return (method, call) => {
    if (open.some((service) => method.path.startsWith(`/${service}/`))) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (secretMatches(metadata.get(HEADER)[0], secret)) pass(metadata);
            else
              call.sendStatus({
                code: status.UNAUTHENTICATED,
                details: 'the service secret is missing or wrong',
                metadata: new Metadata(),
              });
          },
        }),
    });
  };
}

/** Adds the secret to every call of a client. */
export function sendSecret(secret: string): Interceptor {
  return (options: InterceptorOptions, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set(HEADER, `${SCHEME}${secret}`);
        next(metadata, listener);
      },
    });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
