/** The Fastify side of the gateway: what applies to every request before and after Nest's controllers. */
import type { Server } from 'node:https';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { writeJson } from '@weft/plan';
import type { PublicTls } from '@weft/platform';
import type { GatewayConfig } from '../config/config.js';
import type { GatewayMetrics } from '../ops/gateway-metrics.js';
import { guardAccess } from './access.hook.js';
import { answerBroken, answerUnroutable, refuseExpectations } from './broken-requests.js';
import type { BodyReader } from './body/body-reader.js';
import { BODY_LIMIT_BYTES, readBodies } from './body/request-body.js';
import { requestId } from './request-logging.js';
import { holdRoutes } from './route-rules.js';
import type { RouteTable } from './route-table.js';

/** Label of requests that no route serves, so that unknown paths cannot multiply the series. */
const NO_ROUTE = 'none';

/** Longer than any client needs, short enough for the end of the gateway to wait for. */
const HANDSHAKE_MS = 5000;
/** A request must be here whole within this time, or its connection is closed. */
const REQUEST_MS = 300_000;

/** Characters of an id in a path; a run's has 28. */
const MAX_ID_LENGTH = 200;

export function createHttpServer(config: GatewayConfig, routes: RouteTable, bodies: BodyReader, tls?: PublicTls): FastifyAdapter {
  const options = {
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_MS,
    requestIdHeader: false as const,
    genReqId: requestId,
    clientErrorHandler: answerBroken,
    frameworkErrors: answerUnroutable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_ID_LENGTH },
  };
  const adapter = tls === undefined ? new FastifyAdapter(options) : createHttpsServer(tls, options);
  const server: FastifyInstance = adapter.getInstance();
  routes.collectFrom(server);
  refuseExpectations(server.server);
  server.addHook('onRequest', async (request, reply) => {
    void reply.headers({ 'X-Request-Id': request.id, 'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY' });
  });
  guardAccess(server, config);
  holdRoutes(server, routes);
  readBodies(server, bodies, ({ headers, ip }) => config.tokens?.nameOfHeader(headers.authorization) ?? ip);
  server.setReplySerializer((payload) => writeJson(payload));
  return adapter;
}

function createHttpsServer(tls: PublicTls, options: object): FastifyAdapter {
  const adapter = new FastifyAdapter({ ...options, https: { ...tls.forHttps(), handshakeTimeout: HANDSHAKE_MS } });
  // What it makes of these options is a server of node:https.
  tls.renew(adapter.getInstance<FastifyInstance>().server as unknown as Server);
  return adapter;
}

/** Times every request, whatever serves it. */
export function measureRequests(server: FastifyInstance, metrics: GatewayMetrics): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? NO_ROUTE;
    metrics.requestSeconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });
}
