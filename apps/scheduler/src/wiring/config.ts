/** The scheduler's configuration, from the environment. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { redisTlsFilesOf, redisTlsVariables, tlsFilesOf, tlsVariables, weftHome } from '@weft/platform';
import { storageOptionsOf, storageVariables } from '@weft/storage';
import { z } from 'zod';

const positive = z.coerce.number().int().positive();

export const schedulerConfigSchema = z
  .object({
    WEFT_HOME: z.string().default(() => weftHome()),
    WEFT_REDIS_URL: z.string().min(1, 'required: redis://host:port or unix:/path'),
    WEFT_SCHEDULER_LISTEN: z.string().default('127.0.0.1:5006'),
    WEFT_SCHEDULER_METRICS_LISTEN: z.string().min(1).optional(),
    WEFT_DATA_URI: z.string().optional(),
    WEFT_SERVICE_SECRET: z.string().optional(),
    ...tlsVariables,
    ...redisTlsVariables,
    WEFT_LOG_LEVEL: z.string().default('info'),
    WEFT_POOLS: z.string().default('default'),
    ...storageVariables,
    WEFT_SERVICE_REGISTRY: z.string().min(1).optional(),
    WEFT_MAX_ATTEMPTS: positive.default(3),
    WEFT_LEASE_TTL_MS: positive.default(3_000),
    WEFT_RUNNER_TTL_MS: positive.default(15_000),
    WEFT_RUNNER_GRACE_MS: positive.default(60_000),
    WEFT_DISPATCH_CONCURRENCY: positive.default(64),
    WEFT_EXPRESSION_TIMEOUT_MS: positive.default(20_000),
    WEFT_LOADING_LIMIT_MS: positive.default(5_000),
    WEFT_RETENTION_S: z.coerce
      .number()
      .nonnegative()
      .default(7 * 86_400),
    WEFT_MAX_ACTIVE_RUNS: positive.default(20_000),
    WEFT_PROJECT_MAX_RUNS: positive.optional(),
    WEFT_RUN_MEMORY_MIB: positive.optional(),
    WEFT_PROJECT_MAX_TASKS: positive.optional(),
    WEFT_LIMITS_FILE: z.string().min(1).optional(),
    WEFT_CALLER_WORLD: z.enum(['on', 'off']).optional(),
    WEFT_CALL_CACHE: z.enum(['asked', 'on', 'off']).default('asked'),
    WEFT_CALL_CACHE_TTL_S: positive.default(30 * 86_400),
    WEFT_CALL_CACHE_MAX_BYTES: z.coerce
      .number()
      .int()
      .nonnegative()
      .default(20 * 1024 ** 3),
  })
  .transform((env, context) => ({
    redisUrl: env.WEFT_REDIS_URL,
    listen: env.WEFT_SCHEDULER_LISTEN,
    /** `host:port` or `unix:/path` for Prometheus; undefined: not served. */
    metricsListen: env.WEFT_SCHEDULER_METRICS_LISTEN,
    dataUri: withSlash(env.WEFT_DATA_URI ?? pathToFileURL(join(env.WEFT_HOME, 'data')).href),
    secret: env.WEFT_SERVICE_SECRET,
    tls: tlsFilesOf(env, context),
    redisTls: redisTlsFilesOf(env, context),
    logLevel: env.WEFT_LOG_LEVEL,
    /** Pools whose tasks are taken from the start; others when their first runner appears. */
    pools: list(env.WEFT_POOLS, ','),
    /** Where inputs may lie, and how s3: and http: URIs are reached. */
    storage: storageOptionsOf(env, env.WEFT_DATA_URI ?? pathToFileURL(join(env.WEFT_HOME, 'data')).href, env.WEFT_HOME),
    /** File that names runners which cannot register themselves. */
    serviceRegistryFile: env.WEFT_SERVICE_REGISTRY,
    maxAttempts: env.WEFT_MAX_ATTEMPTS,
    leaseTtlMs: env.WEFT_LEASE_TTL_MS,
    runnerTtlMs: env.WEFT_RUNNER_TTL_MS,
    /** How long a runner may be away before its tasks are retried elsewhere. */
    runnerGraceMs: env.WEFT_RUNNER_GRACE_MS,
    /** Jobs this replica looks at together: those running and those waiting for room. */
    dispatchConcurrency: env.WEFT_DISPATCH_CONCURRENCY,
    /** Wall time one JavaScript expression may take, milliseconds. */
    expressionTimeoutMs: env.WEFT_EXPRESSION_TIMEOUT_MS,
    /** Processor time that loading one submission may take, milliseconds. */
    loadingLimitMs: env.WEFT_LOADING_LIMIT_MS,
    /** How long finished runs stay in Redis, and what failed ones published stays, milliseconds. */
    retentionMs: env.WEFT_RETENTION_S * 1000,
    /** What active runs of this replica may hold of its memory; undefined: a share of its heap. */
    runMemoryBytes: env.WEFT_RUN_MEMORY_MIB === undefined ? undefined : env.WEFT_RUN_MEMORY_MIB * 1024 ** 2,
    limits: {
      maxActiveRuns: env.WEFT_MAX_ACTIVE_RUNS,
      projectMaxRuns: env.WEFT_PROJECT_MAX_RUNS,
      projectMaxTasks: env.WEFT_PROJECT_MAX_TASKS,
      file: env.WEFT_LIMITS_FILE,
    },
    /** Whether runs bring PATH, umask and variables of their caller: where only this user can call. */
    takesCaller: (env.WEFT_CALLER_WORLD ?? (env.WEFT_SCHEDULER_LISTEN.startsWith('unix:') ? 'on' : 'off')) === 'on',
    /** Of which runs the call cache hears. */
    callCacheFor: env.WEFT_CALL_CACHE,
    /** Undefined: of none. */
    callCache:
      env.WEFT_CALL_CACHE === 'off'
        ? undefined
        : {
            /** How long a result lasts after its last use. */
            ttlMs: env.WEFT_CALL_CACHE_TTL_S * 1000,
            /** Files that only the cache keeps, at most. */
            maxBytes: env.WEFT_CALL_CACHE_MAX_BYTES,
          },
  }));

export type SchedulerConfig = z.output<typeof schedulerConfigSchema>;

function withSlash(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`;
}

function list(text: string, separator: string): string[] {
  return text.split(separator).filter((part) => part !== '');
}
