/** Mutual TLS through real sockets: who gets in, who does not, and certificates that are replaced. */
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { scheduler } from '@weft/contracts';
import { type CertificatePaths, Inbox, type TestAuthority, makeAuthority } from '@weft/testing';
import { z } from 'zod';
import {
  type RunningGrpcServer,
  ServiceTls,
  callUnary,
  createClient,
  loadConfig,
  startGrpcServer,
  tlsFilesOf,
  tlsVariables,
  unary,
} from './index.js';

const { cancelRun } = scheduler.SchedulerService;
const quiet = { info: (): void => undefined, warn: (): void => undefined };
const LOCAL = ['DNS:localhost', 'IP:127.0.0.1'];

let folder: string;
let ours: TestAuthority;
let theirs: TestAuthority;
let service: CertificatePaths;
let stranger: CertificatePaths;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-tls-'));
  ours = makeAuthority(join(folder, 'ours'));
  theirs = makeAuthority(join(folder, 'theirs'));
  service = ours.issue('service', LOCAL);
  stranger = theirs.issue('stranger', LOCAL);
});
afterAll(() => rmSync(folder, { recursive: true }));

const opened: { close(graceMs?: number): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0).reverse()) await item.close(0);
});

async function serve(
  files: CertificatePaths,
  more: { listen?: string; secret?: string; log?: typeof quiet } = {},
): Promise<RunningGrpcServer> {
  const implementation = { cancelRun: unary(async () => scheduler.CancelRunResponse.fromPartial({ run: { runId: 'r-1' } })) };
  const tls = new ServiceTls(files, more.log ?? quiet);
  const server = await startGrpcServer({ listen: '127.0.0.1:0', ...more, tls, services: [{ definition: { cancelRun }, implementation }] });
  opened.push(server);
  return server;
}

/** The run's id that the server answers with, or the code it is refused with. */
async function ask(client: scheduler.SchedulerClient): Promise<string | undefined> {
  opened.push(client);
  const call = callUnary(client, client.cancelRun, scheduler.CancelRunRequest.fromPartial({ runId: 'r-1' }));
  return call.then(
    (answer) => answer.run?.runId,
    (error: { code: string }) => error.code,
  );
}

const withFiles = (server: RunningGrpcServer, files?: CertificatePaths, secret?: string): Promise<string | undefined> =>
  ask(createClient(scheduler.SchedulerClient, server.address, secret, files && new ServiceTls(files, quiet)));

const withTls = (server: RunningGrpcServer, tls: ServiceTls): Promise<string | undefined> =>
  ask(createClient(scheduler.SchedulerClient, server.address, undefined, tls));

const withCredentials = (server: RunningGrpcServer, creds: ChannelCredentials): Promise<string | undefined> =>
  ask(new scheduler.SchedulerClient(server.address, creds));

describe('a server with mutual TLS', () => {
  it('answers who has a certificate of the same authority', async () => {
    expect(await withFiles(await serve(service), ours.issue('client', ['DNS:client']))).toBe('r-1');
  });

  it('answers nobody else', async () => {
    const server = await serve(service);
    expect(await withFiles(server, undefined)).toBe('UNAVAILABLE');
    expect(await withCredentials(server, credentials.createSsl(readFileSync(service.ca)))).toBe('UNAVAILABLE');
    expect(await withFiles(server, { ...stranger, ca: service.ca })).toBe('UNAVAILABLE');
    expect(await withFiles(server, service)).toBe('r-1');
  });

  it('may be on an address that other machines reach, without a secret', async () => {
    const server = await serve(service, { listen: '0.0.0.0:0' });
    const address = server.address.replace('0.0.0.0', '127.0.0.1');
    expect(await withFiles({ ...server, address }, service)).toBe('r-1');
  });

  it('asks for the secret too, where there is one', async () => {
    const server = await serve(service, { secret: 'hunter2' });
    expect(await withFiles(server, service)).toBe('UNAUTHENTICATED');
    expect(await withFiles(server, service, 'hunter2')).toBe('r-1');
  });

  it('leaves unix sockets as they are', async () => {
    const server = await serve(service, { listen: `unix:${join(folder, 's.sock')}` });
    expect(await withFiles(server, undefined)).toBe('r-1');
    expect(await withFiles(server, service)).toBe('r-1');
  });
});

describe('a client with mutual TLS', () => {
  it('talks to no server of another authority, and to none under another name', async () => {
    expect(await withFiles(await serve({ ...stranger, ca: service.ca }), service)).toBe('UNAVAILABLE');
    expect(await withFiles(await serve(ours.issue('elsewhere', ['DNS:elsewhere.example'])), service)).toBe('UNAVAILABLE');
  });
});

describe('certificate files', () => {
  /** A directory with a service's files, as an operator would have it. */
  function install(files: CertificatePaths): CertificatePaths {
    const directory = mkdtempSync(join(folder, 'etc-'));
    const at = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key'), ca: join(directory, 'ca.crt') };
    replace(at, files, 'cert', 'key', 'ca');
    return at;
  }

  /** As careful tools do it: written beside, and renamed. */
  function replace(at: CertificatePaths, from: CertificatePaths, ...names: (keyof CertificatePaths)[]): void {
    for (const name of names) {
      copyFileSync(from[name], `${at[name]}.new`);
      renameSync(`${at[name]}.new`, at[name]);
    }
  }

  it('that are replaced count for the connections that come then, on both sides', async () => {
    const at = install(service);
    const changes = new Inbox<string>();
    const log = { info: () => changes.push('taken'), warn: () => changes.push('refused') };
    const server = await serve(at, { log });
    const tls = new ServiceTls(at, quiet);
    expect(await withTls(server, tls)).toBe('r-1');
    replace(at, stranger, 'cert');
    expect(await changes.atLeast(1)).toEqual(['refused']);
    expect(await withFiles(server, service)).toBe('r-1');
    replace(at, stranger, 'key', 'ca');
    expect((await changes.atLeast(2)).at(-1)).toBe('taken');
    expect(await withFiles(server, service)).toBe('UNAVAILABLE');
    expect(await withFiles(server, stranger)).toBe('r-1');
    expect(await withTls(server, tls)).toBe('r-1');
  });

  it('may be links through one that is turned to another directory', async () => {
    const directory = mkdtempSync(join(folder, 'links-'));
    const turn = (to: CertificatePaths): void => {
      symlinkSync(dirname(to.ca), join(directory, '..next'));
      renameSync(join(directory, '..next'), join(directory, '..data'));
    };
    const link = (name: string): string => {
      symlinkSync(join('..data', name), join(directory, name));
      return join(directory, name);
    };
    turn(install(service));
    const at = { cert: link('tls.crt'), key: link('tls.key'), ca: link('ca.crt') };
    const changes = new Inbox<string>();
    const server = await serve(at, { log: { ...quiet, info: () => changes.push('taken') } });
    turn(install(stranger));
    await changes.atLeast(1);
    expect(await withFiles(server, stranger)).toBe('r-1');
  });

  it.each<[string, (at: CertificatePaths) => CertificatePaths]>([
    ['a file that is not there', (at) => ({ ...at, key: '/nonexistent/tls.key' })],
    ['a key of another certificate', (at) => ({ ...at, key: stranger.key })],
    ['a file that is no certificate', (at) => ({ ...at, ca: at.key, cert: at.key })],
  ])('are refused at the start: %s', (_, wrong) => {
    expect(() => new ServiceTls(wrong(service), quiet)).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });
});

describe('the environment', () => {
  const schema = z.object(tlsVariables).transform((env, context) => tlsFilesOf(env, context));

  it('names all three files or none', () => {
    expect(loadConfig(schema, {})).toBeUndefined();
    expect(loadConfig(schema, { WEFT_TLS_CERT: 'a', WEFT_TLS_KEY: 'b', WEFT_TLS_CA: 'c' })).toEqual({ cert: 'a', key: 'b', ca: 'c' });
    expect(() => loadConfig(schema, { WEFT_TLS_KEY: 'b' })).toThrow('WEFT_TLS_CERT, WEFT_TLS_CA: must be set too');
  });
});
