/**
 * Who may talk to the gateway over HTTP; runs before routing for every path, the pages included.
 *
 * Invariants:
 *  1. On a loopback listener only requests that name this machine (or a configured host) in Host are served: a web page whose name
 *     was re-bound to 127.0.0.1 gets nothing.
 *  2. A request that a browser sent for another site's page (Origin) is refused, whatever its method.
 *  3. With tokens configured, everything but /healthz needs one.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLoopback } from '@weft/platform';
import type { GatewayConfig } from '../config/config.js';
import type { ErrorView } from '../runs/runs.schemas.js';

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const OPEN_PATH = '/healthz';
/** Pages people open in a browser, which asks for a password rather than a bearer token. */
const PAGES = ['/docs', '/queues', '/tree'];

export function guardAccess(server: FastifyInstance, config: GatewayConfig): void {
  const allowed = allowedHosts(config);
  server.addHook('onRequest', async (request, reply) => {
    const refused = refusalOf(request, config, allowed);
    if (!refused) return;
    if (refused.status === 401) void reply.header('WWW-Authenticate', isPage(request.url) ? 'Basic realm="weft"' : 'Bearer realm="weft"');
    return refuse(reply, refused);
  });
}

interface Refusal {
  status: 401 | 403;
  body: ErrorView;
}

function refusalOf(request: FastifyRequest, config: GatewayConfig, allowed: ReadonlySet<string> | undefined): Refusal | undefined {
  const { host, origin, authorization } = request.headers;
  if (allowed && !allowed.has(nameOf(host))) {
    return forbidden(`the Host '${host ?? ''}' is not served here; add it to WEFT_HTTP_HOSTS to allow it`);
  }
  if (origin !== undefined && !sameOrigin(origin, host)) return forbidden(`requests from pages of ${origin} are not served`);
  if (!config.tokens || request.url.split('?')[0] === OPEN_PATH) return undefined;
  if (config.tokens.nameOfHeader(authorization) !== undefined) return undefined;
  const error = authorization === undefined ? 'an API token is needed: Authorization: Bearer <token>' : 'the API token is not known';
  return { status: 401, body: { error, code: 'UNAUTHENTICATED' } };
}

/** The host names that are served; undefined = any (a public listener that names none; tokens guard it). */
function allowedHosts(config: GatewayConfig): ReadonlySet<string> | undefined {
  if (isLoopback(config.http.text)) return new Set([...LOCAL_NAMES, config.http.host.toLowerCase(), ...config.hosts]);
  return config.hosts.length > 0 ? new Set([...LOCAL_NAMES, ...config.hosts]) : undefined;
}

const nameOf = (host: string | undefined): string => (host ?? '').toLowerCase().replace(/:\d+$/, '');

const sameOrigin = (origin: string, host: string | undefined): boolean =>
  URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();

const isPage = (url: string): boolean => PAGES.some((page) => url === page || url.startsWith(`${page}/`) || url.startsWith(`${page}?`));

const forbidden = (error: string): Refusal => ({ status: 403, body: { error, code: 'PERMISSION_DENIED' } });

function refuse(reply: FastifyReply, { status, body }: Refusal): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}
