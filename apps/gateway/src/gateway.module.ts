/** The Nest module: what each part of the gateway is made of. */
import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import type { Redis } from 'ioredis';
import { createServiceTls, type Logger } from '@weft/platform';
import { AlGateway } from './clients/al.client.js';
import { RunnersGateway } from './clients/runners.client.js';
import { SchedulerGateway } from './clients/scheduler.client.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/config.js';
import { AlEngineController } from './dvre/al-engine.controller.js';
import { DalTemplates } from './dvre/dal-templates.js';
import { StreamflowController } from './dvre/streamflow.controller.js';
import { OpenStreams } from './http/open-streams.js';
import { requestLogging } from './http/request-logging.js';
import { GatewayMetrics } from './ops/gateway-metrics.js';
import { OpsController } from './ops/ops.controller.js';
import { Readiness } from './ops/readiness.js';
import { RunnersController } from './runners/runners.controller.js';
import { RunStreamsController } from './runs/run-streams.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';

@Module({})
export class GatewayModule {
  static with(config: GatewayConfig, logger: Logger, redis: Redis): DynamicModule {
    const tls = createServiceTls(config.tls, logger);
    return {
      module: GatewayModule,
      imports: [LoggerModule.forRoot({ pinoHttp: requestLogging(logger) })],
      controllers: [RunsController, RunStreamsController, RunnersController, StreamflowController, AlEngineController, OpsController],
      providers: [
        GatewayMetrics,
        OpenStreams,
        { provide: GATEWAY_CONFIG, useValue: config },
        { provide: SchedulerGateway, useFactory: () => new SchedulerGateway(config.schedulerAddress, config.serviceSecret, tls) },
        { provide: RunnersGateway, useFactory: () => new RunnersGateway(config.schedulerAddress, config.serviceSecret, tls) },
        { provide: AlGateway, useFactory: () => new AlGateway(config.alAddress, config.serviceSecret, tls) },
        {
          provide: RunsService,
          useFactory: (scheduler: SchedulerGateway, metrics: GatewayMetrics) => new RunsService(scheduler, metrics),
          inject: [SchedulerGateway, GatewayMetrics],
        },
        { provide: DalTemplates, useFactory: (al: AlGateway) => new DalTemplates(al), inject: [AlGateway] },
        {
          provide: Readiness,
          useFactory: (scheduler: SchedulerGateway) => new Readiness(scheduler.health, redis),
          inject: [SchedulerGateway],
        },
      ],
    };
  }
}
