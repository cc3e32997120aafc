/**
 * Wiring: which adapter stands behind which port.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamicModule, Module } from '@nestjs/common';
import { createLogger, createRedis, createServiceTls, type Logger, type ServiceTls } from '@weft/platform';
import Docker from 'dockerode';
import type { Redis } from 'ioredis';
import { AlGrpcController } from './al.grpc.controller.js';
import { AlService } from './al.service.js';
import type { AlConfig } from './config.js';
import { GrpcScheduler } from './runs/grpc-scheduler.adapter.js';
import { RunFollower } from './runs/run.follower.js';
import { prepareAlRuntime } from './runtime/al-runtime.js';
import { DockerImageBuilder } from './runtime/docker-image.js';
import { localHost } from './runtime/local-python.js';
import { RegisteredRunners } from './runtime/registered-runners.js';
import { RuntimeProvider } from './runtime/runtime.provider.js';
import { RedisSessionStore } from './store/redis-session-store.adapter.js';
import { SessionUpdater } from './store/session.updater.js';
import { findTemplates, TemplateCatalog } from './templates/template.catalog.js';

/** The pool that the templates' runs go to: the scheduler's default, because their submissions name none. */
const POOL = 'default';

export const REDIS = Symbol('redis');
export const LOGGER = Symbol('logger');
export const TLS = Symbol('tls');

const now = (): string => new Date().toISOString();
const newId = (prefix: string): string => `${prefix}-${randomUUID()}`;
/** A close that interrupts the wait is seen by the caller at its next step. */
const delay = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

@Module({})
export class AppModule {
  static forConfig(config: AlConfig): DynamicModule {
    return {
      module: AppModule,
      providers: [
        { provide: LOGGER, useFactory: () => createLogger('al-coordinator', config.logLevel) },
        { provide: REDIS, useFactory: () => createRedis(config.redisUrl, config.redisTls) },
        { provide: TLS, useFactory: (logger: Logger) => createServiceTls(config.tls, logger), inject: [LOGGER] },
        {
          provide: GrpcScheduler,
          useFactory: (tls?: ServiceTls) => new GrpcScheduler(config.schedulerAddress, config.secret, tls),
          inject: [TLS],
        },
        { provide: TemplateCatalog, useFactory: () => new TemplateCatalog(config.templates ?? findTemplates(import.meta.url)) },
        { provide: RedisSessionStore, useFactory: (redis: Redis) => new RedisSessionStore(redis), inject: [REDIS] },
        { provide: SessionUpdater, useFactory: (store: RedisSessionStore) => new SessionUpdater(store), inject: [RedisSessionStore] },
        {
          provide: RegisteredRunners,
          useFactory: (tls?: ServiceTls) => new RegisteredRunners(config.schedulerAddress, POOL, config.secret, tls),
          inject: [TLS],
        },
        {
          provide: RuntimeProvider,
          useFactory: (templates: TemplateCatalog, runners: RegisteredRunners) => runtimeOf(config, templates, runners),
          inject: [TemplateCatalog, RegisteredRunners],
        },
        {
          provide: RunFollower,
          useFactory: (
            updater: SessionUpdater,
            scheduler: GrpcScheduler,
            templates: TemplateCatalog,
            runtime: RuntimeProvider,
            logger: Logger,
          ) => new RunFollower({ updater, scheduler, templates, runtime, logger, delay, now }),
          inject: [SessionUpdater, GrpcScheduler, TemplateCatalog, RuntimeProvider, LOGGER],
        },
        {
          provide: AlService,
          useFactory: (store: RedisSessionStore, updater: SessionUpdater, follower: RunFollower) =>
            new AlService({ store, updater, follower, now, newId }),
          inject: [RedisSessionStore, SessionUpdater, RunFollower],
        },
        AlGrpcController,
      ],
    };
  }
}

function runtimeOf(config: AlConfig, templates: TemplateCatalog, runners: RegisteredRunners): RuntimeProvider {
  const images = new DockerImageBuilder(new Docker(), templates.directory);
  const host = localHost(config.home, config.python);
  return new RuntimeProvider((note) => prepareAlRuntime({ choice: config.runtime, note, images, runners, host }));
}
