/**
 * The system under test: Redis, two schedulers, two runners and two gateways as processes of their own, each with its supervisor.
 *
 * Invariants:
 *  1. Everything lies in one folder, and every process of it bears that folder in its environment: what is left behind can be found.
 *  2. Each gateway and each runner knows both schedulers, in different orders.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './limits.js';
import { Service, type ServiceNotes, type ServiceSpec } from './service.js';
import { PROJECTS, SERVICES, type ServiceName } from './schedule.js';

export const SECRET = 'chaos-chaos-chaos-chaos';
export const LEASE_TTL_MS = 3_000;
export const RUNNER_TTL_MS = 6_000;
export const RUNNER_GRACE_MS = 3_500;
/** Runs leave Redis while the system is being disturbed. */
export const RETENTION_MS = 15_000;
/** Tasks in flight of the project that gets fewer than there is room for. */
export const NARROW_TASKS = 3;

/** From the start of everything, or from the calm on. */
const SERVING_LIMIT_MS = 180_000;

export interface World {
  folder: string;
  logs: string;
  data: string;
  redisUrl: string;
  services: Record<ServiceName, Service>;
  /** `http://host:port` of REST and `host:port` of gRPC, by gateway. */
  gateways: { rest: string; grpc: string }[];
  runnerIds: string[];
  sandboxes: string[];
}

export async function makeWorld(dist: string, notes: ServiceNotes): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-chaos-'));
  const at = (name: string): string => join(folder, name);
  for (const name of ['logs', 'run', 'tmp', 'redis', 'data', 'submissions', 'sandboxes-1', 'sandboxes-2'])
    mkdirSync(at(name), { mode: 0o700 });
  writeFileSync(at('limits.yaml'), `projects:\n  ${PROJECTS[1]}: { max_tasks: ${NARROW_TASKS} }\n`);
  const [scheduler1, scheduler2, rest1, rest2, grpc1, grpc2] = (await freePorts(6)) as [number, number, number, number, number, number];
  const redisUrl = `unix:${at('run/redis.sock')}`;
  const suffix = folder.slice(-6);
  const runnerIds = [`chaos-${suffix}-1`, `chaos-${suffix}-2`];
  const common = {
    ...inherited(),
    WEFT_HOME: folder,
    TMPDIR: at('tmp'),
    WEFT_REDIS_URL: redisUrl,
    WEFT_SERVICE_SECRET: SECRET,
    WEFT_DATA_URI: `file://${at('data')}/`,
    WEFT_LEASE_TTL_MS: String(LEASE_TTL_MS),
    WEFT_RUNNER_TTL_MS: String(RUNNER_TTL_MS),
    WEFT_RUNNER_GRACE_MS: String(RUNNER_GRACE_MS),
    WEFT_RETENTION_S: String(RETENTION_MS / 1000),
    WEFT_LIMITS_FILE: at('limits.yaml'),
    // A disturbed system loses many attempts of a task; that it gives up after some is tested elsewhere.
    WEFT_MAX_ATTEMPTS: '1000',
  };
  const program = (name: ServiceName, script: string, env: Record<string, string>): ServiceSpec => ({
    ...{ name, command: process.execPath, args: [join(dist, `${script}.mjs`)], ready: /^ready / },
    env: { ...common, ...env },
  });
  const scheduler = (name: ServiceName, port: number): ServiceSpec =>
    program(name, 'scheduler', { WEFT_SCHEDULER_LISTEN: `127.0.0.1:${port}` });
  const both = (first: number, second: number): string => `ipv4:127.0.0.1:${first},127.0.0.1:${second}`;
  const runner = (i: number, address: string): ServiceSpec =>
    program(`runner-${i}` as ServiceName, 'step-runner', {
      WEFT_RUNNER_LISTEN: `unix:${at(`run/runner-${i}.sock`)}`,
      WEFT_RUNNER_ID: runnerIds[i - 1] as string,
      WEFT_SANDBOX_ROOT: at(`sandboxes-${i}`),
      WEFT_SCHEDULER_ADDRESS: address,
    });
  const gateway = (i: number, rest: number, grpc: number, address: string): ServiceSpec =>
    program(`gateway-${i}` as ServiceName, 'gateway', {
      WEFT_HTTP_LISTEN: `127.0.0.1:${rest}`,
      WEFT_GRPC_LISTEN: `127.0.0.1:${grpc}`,
      WEFT_SCHEDULER_ADDRESS: address,
      WEFT_AL_ADDRESS: `unix:${at('run/al.sock')}`,
    });
  const specs: Record<ServiceName, ServiceSpec> = {
    redis: redisSpec(at('redis'), at('run/redis.sock'), common),
    'scheduler-1': scheduler('scheduler-1', scheduler1),
    'scheduler-2': scheduler('scheduler-2', scheduler2),
    'runner-1': runner(1, both(scheduler1, scheduler2)),
    'runner-2': runner(2, both(scheduler2, scheduler1)),
    'gateway-1': gateway(1, rest1, grpc1, both(scheduler1, scheduler2)),
    'gateway-2': gateway(2, rest2, grpc2, both(scheduler2, scheduler1)),
  };
  const services = Object.fromEntries(SERVICES.map((name) => [name, new Service(specs[name], at('logs'), notes)]));
  return {
    ...{ folder, redisUrl, runnerIds, logs: at('logs'), data: at('data'), sandboxes: [at('sandboxes-1'), at('sandboxes-2')] },
    services: services as Record<ServiceName, Service>,
    gateways: [
      { rest: `http://127.0.0.1:${rest1}`, grpc: `127.0.0.1:${grpc1}` },
      { rest: `http://127.0.0.1:${rest2}`, grpc: `127.0.0.1:${grpc2}` },
    ],
  };
}

/** Starts everything at once, as a machine does that was switched on; resolves when all of it serves. */
export async function startAll({ services }: World): Promise<void> {
  for (const name of SERVICES) services[name].start();
  await allServing({ services });
}

export async function allServing({ services }: Pick<World, 'services'>): Promise<void> {
  const missing = (): string => `${SERVICES.filter((name) => !services[name].isServing).join(', ')} to serve`;
  await within(SERVING_LIMIT_MS, missing, Promise.all(SERVICES.map((name) => services[name].untilServing())));
}

/** In the order in which an operator would. */
export async function stopAll({ services }: World): Promise<void> {
  for (const group of [['gateway-1', 'gateway-2'], ['runner-1', 'runner-2'], ['scheduler-1', 'scheduler-2'], ['redis']] as const) {
    await Promise.all(group.map((name) => services[name].end()));
  }
}

function redisSpec(directory: string, socket: string, env: NodeJS.ProcessEnv): ServiceSpec {
  const settings = {
    ...{ port: '0', unixsocket: socket, unixsocketperm: '700', dir: directory, appendonly: 'yes', appendfsync: 'always', save: '' },
    ...{ daemonize: 'no', 'maxmemory-policy': 'noeviction' },
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return { name: 'redis', command: process.env['WEFT_REDIS_SERVER'] ?? 'redis-server', args, env, ready: /ready to accept connections/i };
}

/** The environment without what would lead a service to somebody else's system. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(WEFT_|REDIS_URL$|NODE_OPTIONS$)/.test(name)));
}

/** Ports that are free now; held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((done, fail) => {
          server.once('error', fail);
          server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
