/** TLS of the gateway's own listeners. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { gateway } from '@weft/contracts';
import { callUnary, createClient } from '@weft/platform';
import { makeAuthority } from '@weft/testing';
import { gatewayConfig, gatewayEnvironment } from '../src/config/config.js';
import { Connections } from '../src/http/connections.js';
import { type Harness, startHarness } from './harness.js';

describe('with a certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-public-tls-'));
  const authority = makeAuthority(folder);
  const files = authority.issue('gateway', ['IP:127.0.0.1']);
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ publicTls: files });
  });
  afterAll(async () => {
    await harness.stop();
    rmSync(folder, { recursive: true });
  });

  /** Status of a request, and who the server says it is. */
  const visit = (
    ca: string,
    address = harness.gateway.httpAddress,
  ): Promise<{ status: number | undefined; name: string | string[] | undefined }> =>
    new Promise((resolve, reject) => {
      const request = get(`https://${address}/healthz`, { ca: readFileSync(ca), agent: false }, (response) => {
        const { subject } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
        response.resume().on('end', () => resolve({ status: response.statusCode, name: subject.CN }));
      });
      request.on('error', reject);
    });

  const list = async (tls: Parameters<typeof createClient>[3]): Promise<number | string> => {
    const client = createClient(gateway.RunsClient, harness.gateway.grpcAddress, undefined, tls);
    return callUnary(client, client.list, gateway.ListRequest.fromPartial({}))
      .then(
        ({ runs }) => runs.length,
        (error: { code: string }) => error.code,
      )
      .finally(() => client.close());
  };

  it('a request in flight is answered when the server closes', async () => {
    const server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
    const connections = new Connections(server);
    let closed: Promise<void> | undefined;
    server.on('request', (_request, response: ServerResponse) => {
      closed = connections.drain(new Promise((resolve) => server.close(resolve)));
      response.end('answered');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await visit(authority.ca, `127.0.0.1:${port}`)).toEqual({ status: 200, name: 'gateway' });
    await closed;
  });

  it('REST and gRPC are served over TLS, and over nothing else', async () => {
    expect(await visit(authority.ca)).toEqual({ status: 200, name: 'gateway' });
    await expect(fetch(`http://${harness.gateway.httpAddress}/healthz`)).rejects.toThrow();
    expect(await list({ forClient: () => credentials.createSsl(readFileSync(authority.ca)) })).toBe(0);
    expect(await list(undefined)).toBe('UNAVAILABLE');
  });
});

describe('the configuration', () => {
  it('names both files or none', () => {
    const parse = (env: Record<string, string>): ReturnType<typeof gatewayConfig>['publicTls'] =>
      gatewayConfig(gatewayEnvironment({}).parse(env)).publicTls;
    expect(parse({})).toBeUndefined();
    expect(parse({ WEFT_PUBLIC_TLS_CERT: 'a', WEFT_PUBLIC_TLS_KEY: 'b' })).toEqual({ cert: 'a', key: 'b' });
    expect(() => parse({ WEFT_PUBLIC_TLS_KEY: 'b' })).toThrow('must be set too');
  });
});
