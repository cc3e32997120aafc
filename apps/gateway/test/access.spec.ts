/** Who may talk to the gateway: addresses, hosts, origins, tokens. */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { gateway } from '@weft/contracts';
import { callUnary, createClient, ConfigError, ServiceError } from '@weft/platform';
import { startGateway } from '../src/app.js';
import { gatewayConfig, gatewayEnvironment } from '../src/config/config.js';
import { parseListen } from '../src/config/listen.js';
import { ApiTokens } from '../src/config/tokens.js';
import { call, startHarness, testConfig, type Harness } from './harness.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const tokens = ApiTokens.parse(`# ours\n${sha256('hunter2')} ci\n${sha256('other')}\n`, 'tokens');

/** The status for a request with headers that fetch would not send. */
function statusFor(url: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('configuration', () => {
  it.each([
    ['http', '0.0.0.0:5004'],
    ['http', '[::]:5004'],
    ['http', 'my-host:5004'],
    ['grpc', '192.168.1.5:5005'],
  ])('refuses to start %s on %s without tokens', async (which, address) => {
    const config = testConfig({ [which]: parseListen('X', address) });
    await expect(startGateway(config, null)).rejects.toThrow(/can be reached from other machines and no authentication is configured/);
    await expect(startGateway(config, null)).rejects.toBeInstanceOf(ConfigError);
  });

  it('names each bad variable', () => {
    const parsed = gatewayEnvironment({}).safeParse({ WEFT_LOG_LEVEL: 'loud', WEFT_SERVICE_SECRET: 'short' });
    expect(parsed.error?.issues.map((issue) => issue.path[0])).toEqual(['WEFT_SERVICE_SECRET', 'WEFT_LOG_LEVEL']);
    const defaults = gatewayEnvironment({ WEFT_HOME: '/h' }).parse({});
    expect(gatewayConfig(defaults)).toMatchObject({
      http: { host: '127.0.0.1', port: 5004 },
      grpc: { port: 5005 },
      schedulerAddress: '127.0.0.1:5006',
      alAddress: 'unix:/h/run/al.sock',
    });
    expect(() => gatewayConfig({ ...defaults, WEFT_HTTP_LISTEN: 'nonsense' })).toThrow("WEFT_HTTP_LISTEN: 'nonsense' is not host:port");
    expect(() => gatewayConfig({ ...defaults, WEFT_API_TOKENS_FILE: '/nonexistent' })).toThrow('cannot read /nonexistent: ENOENT');
  });

  it.each([
    ['', 'tokens holds no token'],
    ['hunter2 ci', "tokens:1: expected '<SHA-256"],
    [`${sha256('a')} b c`, "tokens:1: expected '<SHA-256"],
  ])('refuses the tokens file %j', (text, message) => {
    expect(() => ApiTokens.parse(text, 'tokens')).toThrow(message);
  });
});

describe('a loopback gateway without tokens', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ hosts: ['weft.example'] });
  });
  afterAll(() => harness.stop());

  it.each([
    ['localhost:5004', 200],
    ['127.0.0.1', 200],
    ['[::1]:5004', 200],
    ['LOCALHOST', 200],
    ['weft.example:80', 200],
    ['evil.example', 403],
    ['127.0.0.1.evil.example:5004', 403],
    ['localhost.evil.example', 403],
  ])('answers Host %s with %i', async (host, status) => {
    expect(await statusFor(harness.url, '/healthz', { host })).toBe(status);
    expect(await statusFor(harness.url, '/api/v1/runs', { host })).toBe(status);
  });

  it("refuses another site's pages and allows its own", async () => {
    const own = harness.url;
    expect(await statusFor(harness.url, '/api/v1/runs', { origin: own })).toBe(200);
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
      expect(await statusFor(harness.url, '/api/v1/runs', { origin })).toBe(403);
    }
  });

  it('sends no CORS headers', async () => {
    const answer = await call(harness.url, 'GET', '/healthz');
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it("answers with the request's id", async () => {
    const given = await call(harness.url, 'GET', '/healthz', undefined, { 'X-Request-Id': 'abc-1' });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const odd = await call(harness.url, 'GET', '/healthz', undefined, { 'X-Request-Id': 'a b"c' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('asks for health and reads no run to say whether it is ready', async () => {
    const before = harness.scheduler.asked.length;
    // What a run that cannot be read would make of a list.
    harness.scheduler.failNext = new ServiceError('INTERNAL', 'run r-1 cannot be read');
    expect((await call(harness.url, 'GET', '/readyz')).body).toMatchObject({ checks: { scheduler: 'ok' } });
    expect(harness.scheduler.asked.length).toBe(before);
    harness.scheduler.failNext = undefined;
  });

  it('is alive, and not ready without Redis', async () => {
    expect((await call(harness.url, 'GET', '/healthz')).body).toEqual({ status: 'ok' });
    const ready = await call(harness.url, 'GET', '/readyz');
    expect(ready).toMatchObject({
      status: 503,
      body: { ready: false, checks: { scheduler: 'ok', redis: expect.stringContaining('UNAVAILABLE') } },
    });
  });

  it('measures requests by route and counts submissions', async () => {
    await call(harness.url, 'GET', '/api/v1/runs/r-none');
    await call(harness.url, 'GET', '/no/such/path');
    await call(harness.url, 'POST', '/api/v1/runs', { cwl: 'class: CommandLineTool' });
    const text = await (await fetch(`${harness.url}/metrics`)).text();
    expect(text).toContain('weft_http_request_duration_seconds_count{method="GET",route="/api/v1/runs/:id",status="404"} 1');
    expect(text).not.toContain('/no/such/path');
    expect(text).toContain('weft_runs_submitted_total{dialect="rest"} 1');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

describe('a gateway with tokens', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ tokens });
  });
  afterAll(() => harness.stop());

  it.each<[string, string | undefined, number]>([
    ['/healthz', undefined, 200],
    ['/healthz?x=1', undefined, 200],
    ['/api/v1/runs', undefined, 401],
    ['/api/v1/runs', 'Bearer wrong', 401],
    ['/api/v1/runs', 'hunter2', 401],
    ['/api/v1/runs', `Bearer ${sha256('hunter2')}`, 401],
    ['/api/v1/runs', 'Bearer hunter2', 200],
    ['/api/v1/runs', 'bearer other', 200],
    ['/api/v1/runs', `Basic ${Buffer.from('me:hunter2').toString('base64')}`, 200],
    ['/api/v1/runs', `Basic ${Buffer.from('hunter2:me').toString('base64')}`, 401],
    ['/streamflow/workflows', undefined, 401],
    ['/metrics', undefined, 401],
    ['/healthz/../metrics', undefined, 401],
    ['/no/such/path', undefined, 401],
  ])('answers %s with Authorization %s by %i', async (path, authorization, status) => {
    expect(await statusFor(harness.url, path, authorization === undefined ? {} : { authorization })).toBe(status);
  });

  it('asks browsers for a password on the pages, programs for a token', async () => {
    expect((await call(harness.url, 'GET', '/docs')).headers.get('www-authenticate')).toBe('Basic realm="weft"');
    expect((await call(harness.url, 'GET', '/api/v1/runs')).headers.get('www-authenticate')).toBe('Bearer realm="weft"');
  });

  it('asks for a token over gRPC', async () => {
    const client = createClient(gateway.RunsClient, harness.gateway.grpcAddress);
    const list = (metadata?: Record<string, string>): Promise<unknown> =>
      callUnary(client, client.list, gateway.ListRequest.fromPartial({}), { metadata });
    await expect(list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining('an API token is needed') });
    await expect(list({ authorization: 'Bearer wrong' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await list({ authorization: 'Bearer hunter2' })).toEqual({ runs: [], nextPageToken: '' });
    client.close();
  });

  it('may listen where other machines can reach it', async () => {
    const open = await startHarness({ tokens, http: parseListen('X', '0.0.0.0:0'), grpc: parseListen('X', '0.0.0.0:0') });
    const port = open.gateway.httpAddress.split(':')[1];
    expect(await statusFor(`http://127.0.0.1:${port}`, '/api/v1/runs', { host: 'any.example', authorization: 'Bearer hunter2' })).toBe(200);
    await open.stop();
  });
});
