/**
 * Starts the coordinator: recovers first, then serves.
 */
import { NestFactory } from '@nestjs/core';
import { al } from '@weft/contracts';
import { type Logger, type ServiceTls, startGrpcServer } from '@weft/platform';
import type { Redis } from 'ioredis';
import { AlGrpcController } from './al.grpc.controller.js';
import { AlService } from './al.service.js';
import { AppModule, LOGGER, REDIS, TLS } from './app.module.js';
import type { AlConfig } from './config.js';
import { GrpcScheduler } from './runs/grpc-scheduler.adapter.js';
import { RunFollower } from './runs/run.follower.js';
import { RegisteredRunners } from './runtime/registered-runners.js';

export interface AlCoordinatorApp {
  /** Where weft.al.v1.AlCoordinator is served. */
  address: string;
  close(): Promise<void>;
}

export async function startAlCoordinator(config: AlConfig): Promise<AlCoordinatorApp> {
  const context = await NestFactory.createApplicationContext(AppModule.forConfig(config), { logger: false, abortOnError: false });
  const logger = context.get<Logger>(LOGGER);
  const redis = context.get<Redis>(REDIS);
  redis.on('error', (error: Error) => logger.warn({ err: error }, 'redis'));
  const release = async (): Promise<void> => {
    await context.get(RunFollower).close();
    context.get(GrpcScheduler).close();
    context.get(RegisteredRunners).close();
    redis.disconnect();
    await context.close();
  };
  try {
    const recovered = await context.get(AlService).recover();
    if (recovered > 0) logger.info({ recovered }, 'following the commands that were running');
    const services = [{ definition: al.AlCoordinatorService, implementation: context.get(AlGrpcController).handlers() }];
    const tls = context.get<ServiceTls | undefined>(TLS);
    const server = await startGrpcServer({ listen: config.listen, services, secret: config.secret, tls });
    return {
      address: server.address,
      close: async () => {
        await server.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
