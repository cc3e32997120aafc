/** API tokens over gRPC: metadata `authorization: Bearer <token>`, checked before any handler or deserialiser runs. */
import { Metadata, ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import type { ApiTokens } from '../config/tokens.js';

/** Calls of services in `open` pass without a token. */
export function requireToken(tokens: ApiTokens, open: readonly string[]): ServerInterceptor {
  return (method, call) => {
    if (open.some((service) => method.path.startsWith(`/${service}/`))) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const header = metadata.get('authorization')[0];
            if (typeof header === 'string' && tokens.nameOfHeader(header) !== undefined) return pass(metadata);
            const details = header === undefined ? 'an API token is needed: authorization: Bearer <token>' : 'the API token is not known';
            call.sendStatus({ code: status.UNAUTHENTICATED, details, metadata: new Metadata() });
          },
        }),
    });
  };
}
