/** A connection to a real Redis over TLS that asks clients for a certificate. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority, startRedis } from '@weft/testing';
import { createRedis } from './index.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('rediss:', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-rediss-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('connects with the files of the environment, and to nobody else', async () => {
    const files = makeAuthority(join(folder, 'ours')).issue('redis', ['IP:127.0.0.1']);
    const other = makeAuthority(join(folder, 'theirs'));
    const port = await freePort();
    const tls = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'];
    const server = await startRedis({ args: ['--tls-port', String(port), '--bind', '127.0.0.1', ...tls] });
    const redis = createRedis(`rediss://127.0.0.1:${port}`, files);
    expect(await redis.ping()).toBe('PONG');
    await redis.quit();
    const suspicious = createRedis(`rediss://127.0.0.1:${port}`, { ...files, ca: other.ca });
    const refused = await new Promise<NodeJS.ErrnoException>((resolve) => suspicious.once('error', resolve));
    expect(refused.code).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|SIGNATURE/);
    suspicious.disconnect();
    await server.stop();
  });
});
