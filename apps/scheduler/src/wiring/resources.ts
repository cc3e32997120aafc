/** What a scheduler is made over: Redis, storage, the registry, the sandbox for expressions. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createEvaluator } from '@weft/expressions';
import { createLogger, createServiceTls, redisConnection } from '@weft/platform';
import { createBullTaskQueue } from '@weft/queue';
import { createRedisRunnerRegistry, createStaticRunnerRegistry, withStaticRunners } from '@weft/registry';
import { createRedisRunStore, withArchive } from '@weft/run-store';
import { createStorage, type StorageReader } from '@weft/storage';
import { parse as parseYaml } from 'yaml';
import type { SchedulerConfig } from './config.js';
import { PlanCache } from '../plans/plan-cache.js';
import { RunnerClients } from '../execution/runner/runner-clients.js';
import { LoadingPool } from '../loading/loading-pool.js';
import { locateLoader } from '../loading/locate-loader.js';
import { Tallies } from '../metrics/tallies.js';
import { createArchive } from '../retention/create-retention.js';
import { SecretBox } from '../secrets/secret-box.js';
import { ResultReach, type ResultScope } from '../reach/result-reach.js';

/** A job whose dispatcher died goes to another at most this and one look later. */
const JOB_LOCK_MS = 3_000;
const STALLED_JOBS_MS = 1_000;

/** Large submissions that are read at once, and memory for each (mebibytes). */
const LOADING = { threads: 2, heapMb: 1024, waiting: 16, waitingInAll: 32 };

export type Resources = Awaited<ReturnType<typeof openResources>>;

export async function openResources(config: SchedulerConfig) {
  const logger = createLogger('scheduler', config.logLevel);
  const tallies = new Tallies();
  const connection = redisConnection(config.redisUrl, config.redisTls);
  const tls = createServiceTls(config.tls, logger);
  const files = createStorage(config.storage);
  const archive = createArchive(files, config.dataUri);
  const onError = (error: Error): void => logger.warn({ err: error }, 'Redis, or what was asked of it');
  const live = createRedisRunStore({ redis: connection, onError, isArchived: async (runId) => (await archive.find(runId)) !== undefined });
  const store = withArchive(live, archive);
  await store.open().catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const secrets = new SecretBox(await store.intake.secretsKey());
  const queue = createBullTaskQueue({
    connection,
    lockMs: JOB_LOCK_MS,
    stalledCheckMs: STALLED_JOBS_MS,
    onError,
    onHandled: tallies.onHandled,
  });
  const registered = createRedisRunnerRegistry({ redis: connection, onError });
  const registry = withStaticRunners(registered, createStaticRunnerRegistry(await serviceRegistry(config.serviceRegistryFile)));
  const evaluator = createEvaluator({ timeoutMs: config.expressionTimeoutMs });
  const loading = new LoadingPool({ ...LOADING, cpuMs: config.loadingLimitMs, locate: locateLoader });
  const plans = new PlanCache((hash) => store.log.getPlan(hash));
  const projectOf = async (runId: string): Promise<string | undefined> => (await store.reader.get(runId))?.projectId;
  const reach = new ResultReach({ dataUri: config.dataUri, projectOf, files });
  const clients = new RunnerClients(config.secret, tls);
  return {
    ...{ logger, tallies, connection, tls, files, archive, live, store, queue, registry },
    ...{ evaluator, loading, plans, clients, reach, secrets },
    /** Of what `reach` lets the run see. */
    checksum: async (uri: string, scope: ResultScope): Promise<string> => {
      await reach.check(uri, scope);
      return checksumOf(files, uri);
    },
    /** Everything but the queue, which stops first. */
    close: async (): Promise<void> => {
      clients.close();
      await evaluator.close();
      await loading.close();
      await registered.close();
      await store.close();
      await files.close();
    },
  };
}

/** As CWL writes checksums: "sha1$" and hex. */
async function checksumOf(files: StorageReader, uri: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(await files.open(uri), hash);
  return `sha1$${hash.digest('hex')}`;
}

/** The file's content, JSON or YAML; no runners where no file is named. */
async function serviceRegistry(path: string | undefined): Promise<unknown> {
  return path === undefined ? { service_registry: {} } : parseYaml(await readFile(path, 'utf8'));
}
