import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { metricFamily, samplesBy, serveMetrics } from './index.js';

const TEXT = metricFamily('weft_things_total', 'counter', 'Things.', [{ value: 3 }]);
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function served(secret?: string): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const server = await serveMetrics({ listen: '127.0.0.1:0', secret, text: () => TEXT });
  opened.push(server);
  return (path, init) => fetch(`http://${server.address}${path}`, init);
}

it('answers GET /metrics on loopback, and nothing else', async () => {
  const get = await served();
  const answer = await get('/metrics');
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(await answer.text()).toBe('# HELP weft_things_total Things.\n# TYPE weft_things_total counter\nweft_things_total 3\n');
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
});

it.each([
  ['none', undefined, 401],
  ['a wrong one', 'Bearer wrong', 401],
  ['the right one', 'Bearer right', 200],
])('where there is a secret it is asked for: %s gives the status', async (_what, authorization, status) => {
  const get = await served('right');
  expect((await get('/metrics', { headers: authorization ? { authorization } : {} })).status).toBe(status);
});

it('refuses an address that others can reach without a secret', async () => {
  await expect(serveMetrics({ listen: '0.0.0.0:0', text: () => TEXT })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});

it('serves a socket that only its owner can open', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-metrics-'));
  const socketPath = join(directory, 'm.sock');
  opened.push(await serveMetrics({ listen: `unix:${socketPath}`, text: async () => TEXT }));
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  const body = await new Promise<string>((resolve, reject) =>
    request({ socketPath, path: '/metrics' }, (response) => resolve(text(response)))
      .on('error', reject)
      .end(),
  );
  expect(body).toBe(TEXT);
  rmSync(directory, { recursive: true });
});

it('escapes what labels say, and leaves out a metric without samples', () => {
  expect(metricFamily('m', 'gauge', 'M.', samplesBy('pool', [['a"b\\c\nd', 1]]))).toContain('m{pool="a\\"b\\\\c\\nd"} 1\n');
  expect(metricFamily('m', 'gauge', 'M.', [])).toBe('');
});
