/**
 * One log line per HTTP request.
 *
 * Invariants: no header, query or body is logged, so that no secret can be; a request's id is in its log line and in its answer.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Options } from 'pino-http';
import type { Logger } from '@weft/platform';

/** Asked for all the time by machines: logged only where they fail. */
const QUIET_PATHS = ['/healthz', '/readyz', '/metrics'];

export function requestLogging(logger: Logger): Options {
  return {
    logger,
    quietReqLogger: true,
    serializers: {
      req: ({ id, method, url }: { id: string; method: string; url: string }) => ({ id, method, path: pathOf(url) }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
    customLogLevel: (request: IncomingMessage, response: ServerResponse, error?: Error) => {
      if (error || response.statusCode >= 500) return 'error';
      return QUIET_PATHS.includes(pathOf(request.url ?? '')) ? 'debug' : 'info';
    },
  };
}

/** The client's X-Request-Id where it is a plain word, else a new one. */
export function requestId(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(given) ? given : randomUUID();
}

const pathOf = (url: string): string => url.split('?')[0] ?? url;
