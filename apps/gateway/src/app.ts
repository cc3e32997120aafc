/**
 * Starts the gateway: HTTP and gRPC, in one Nest application.
 *
 * Invariants: it holds no state that outlives it; `close` ends every stream, lets requests in flight finish, and frees every handle.
 */
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Redis } from 'ioredis';
import { Logger as NestLogger } from 'nestjs-pino';
import { createLogger, createRedis, type Logger, PublicTls } from '@weft/platform';
import { AlGateway } from './clients/al.client.js';
import { RunnersGateway } from './clients/runners.client.js';
import { SchedulerGateway } from './clients/scheduler.client.js';
import { refusePublicWithoutTokens, type GatewayConfig } from './config/config.js';
import { boundAddress } from './config/listen.js';
import { GatewayModule } from './gateway.module.js';
import { startRunsServer } from './grpc/grpc-server.js';
import { runsHandlers } from './grpc/runs.handlers.js';
import { BodyReader } from './http/body/body-reader.js';
import { Connections } from './http/connections.js';
import { ErrorsFilter } from './http/errors.filter.js';
import { createHttpServer, measureRequests } from './http/http-server.js';
import { OpenStreams } from './http/open-streams.js';
import { type KnownRoute, RouteTable } from './http/route-table.js';
import { GatewayMetrics } from './ops/gateway-metrics.js';
import { RunsService } from './runs/runs.service.js';

export interface Gateway {
  /** `host:port` with the real ports. */
  httpAddress: string;
  grpcAddress: string;
  /** What is served over HTTP. */
  routes: readonly KnownRoute[];
  close(): Promise<void>;
}

/** Loads what serves the pages for people: they bring half of the gateway's code with them. */
export type PagesLoader = () => Promise<{
  servePages(app: NestFastifyApplication, config: GatewayConfig, redis: Redis): Promise<() => Promise<void>>;
}>;

/**
 * @param pages null: no /docs and /queues.
 * @throws ConfigError where the configuration would expose an unauthenticated listener.
 */
export async function startGateway(config: GatewayConfig, pages: PagesLoader | null = () => import('./pages/index.js')): Promise<Gateway> {
  refusePublicWithoutTokens(config);
  const logger = createLogger('gateway', config.logLevel);
  const redis = createRedis(config.redisUrl, config.redisTls);
  redis.on('error', reportOnce(logger));
  const tls = config.publicTls && new PublicTls(config.publicTls, logger);
  const routes = new RouteTable();
  const bodies = new BodyReader();
  const adapter = createHttpServer(config, routes, bodies, tls);
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(config, logger, redis), adapter, {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  const closers: (() => Promise<unknown> | void)[] = [() => redis.disconnect(), () => bodies.close()];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    app.get(OpenStreams).closeAll();
    for (const closer of closers.reverse()) await closer();
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  try {
    app.useLogger(app.get(NestLogger));
    app.useGlobalFilters(new ErrorsFilter(logger, routes));
    closers.push(
      () => app.get(SchedulerGateway).close(),
      () => app.get(AlGateway).close(),
      () => app.get(RunnersGateway).close(),
    );
    const connections = new Connections(adapter.getInstance().server);
    closers.push(() => connections.drain(app.close()));
    measureRequests(adapter.getInstance(), app.get(GatewayMetrics));
    if (pages) closers.push(await (await pages()).servePages(app, config, redis));
    await app.init();
    const grpc = await startRunsServer(config, runsHandlers(app.get(RunsService), app.get(OpenStreams)), tls);
    closers.push(() => grpc.close());
    const followed = config.tokens?.follow(logger);
    closers.push(() => followed?.close());
    await adapter.getInstance().listen({ host: config.http.host, port: config.http.port });
    return { httpAddress: boundAddress(config.http, portOf(app)), grpcAddress: grpc.address, routes: routes.routes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function portOf(app: NestFastifyApplication): number {
  const address: unknown = app.getHttpServer().address();
  if (typeof address !== 'object' || address === null || !('port' in address)) throw new Error('the HTTP server has no port');
  return Number(address.port);
}

/** Logs a lost Redis once until it is back: /readyz says the rest. */
function reportOnce(logger: Logger): (error: Error) => void {
  let last = '';
  return (error) => {
    if (error.message !== last) logger.warn({ err: error }, 'Redis cannot be reached');
    last = error.message;
  };
}
