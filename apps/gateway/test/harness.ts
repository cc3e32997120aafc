/** A gateway on real ports before a fake scheduler and a fake AL coordinator. */
import { startGateway, type Gateway } from '../src/app.js';
import type { GatewayConfig } from '../src/config/config.js';
import { parseListen } from '../src/config/listen.js';
import { FakeAl } from './fake-al.js';
import { FakeScheduler } from './fake-scheduler.js';

export interface Harness {
  gateway: Gateway;
  scheduler: FakeScheduler;
  al: FakeAl;
  url: string;
  stop(): Promise<void>;
}

/** A Redis address that nobody serves: these tests need none, and the gateway must do without. */
const NO_REDIS = 'unix:/nonexistent/redis.sock';

export function testConfig(changes: Partial<GatewayConfig> = {}): GatewayConfig {
  return {
    http: parseListen('WEFT_HTTP_LISTEN', '127.0.0.1:0'),
    grpc: parseListen('WEFT_GRPC_LISTEN', '127.0.0.1:0'),
    schedulerAddress: 'unix:/nonexistent/scheduler.sock',
    alAddress: 'unix:/nonexistent/al.sock',
    redisUrl: NO_REDIS,
    hosts: [],
    logLevel: 'silent',
    heartbeatMs: 60_000,
    ...changes,
  };
}

export async function startHarness(changes: Partial<GatewayConfig> = {}): Promise<Harness> {
  const scheduler = new FakeScheduler();
  const al = new FakeAl();
  al.reset();
  const schedulerAddress = await scheduler.start();
  const alAddress = await al.start();
  const gateway = await startGateway(testConfig({ schedulerAddress, alAddress, ...changes }), null);
  const stop = async (): Promise<void> => {
    await gateway.close();
    await Promise.all([scheduler.stop(), al.stop()]);
  };
  return { gateway, scheduler, al, url: `http://${gateway.httpAddress}`, stop };
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A request with a JSON body (where there is one) and a JSON answer. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}
