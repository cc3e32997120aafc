/** Pulls from a real registry (Debian's `docker-registry`), with and without credentials, and from one that goes away. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { executor } from '@weft/contracts';
import { pack } from 'tar-stream';
import { Images } from './images.js';
import { credentialsFor } from './registry-credentials.js';

const docker = new Docker();
const PASSWORD = 'a password: with a colon';

/** One registry; those that want a password have one of the same storage. */
class Registry {
  private constructor(
    readonly host: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(directory: string, name: string, auth: string): Promise<Registry> {
    const port = await freePort();
    const config = join(directory, `${name}.yml`);
    const storage = `storage: {filesystem: {rootdirectory: ${join(directory, 'blobs')}}}`;
    writeFileSync(config, `version: 0.1\nlog: {level: info, formatter: json}\n${storage}\nhttp: {addr: "127.0.0.1:${port}"}\n${auth}`);
    const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () => reject(new Error(`docker-registry ended: ${said}`)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
        if (said.includes('listening on')) resolve();
      });
    });
    return new Registry(`127.0.0.1:${port}`, child);
  }

  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a registry', () => {
  let directory: string;
  let open: Registry;
  let closed: Registry;
  let digest: string;
  const made = new Set<string>();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'weft-registry-'));
    const users = spawnSync('htpasswd', ['-Bbn', 'me', PASSWORD], { encoding: 'utf8' });
    if (users.status !== 0) throw new Error(`htpasswd (Debian: apache2-utils): ${users.error?.message ?? users.stderr}`);
    writeFileSync(join(directory, 'users'), users.stdout.trim());
    open = await Registry.start(directory, 'open', '');
    closed = await Registry.start(directory, 'closed', `auth: {htpasswd: {realm: weft, path: ${join(directory, 'users')}}}\n`);
    digest = await push(`${open.host}/tools/one`, '1', 'one');
  });
  afterAll(async () => {
    for (const name of made)
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => undefined);
    await open.stop();
    await closed.stop();
    rmSync(directory, { recursive: true });
  });

  /** An image of one file, pushed and forgotten; its digest. */
  async function push(repo: string, tag: string, contents: string): Promise<string> {
    const root = pack();
    root.entry({ name: 'file' }, `${contents} ${process.pid}`);
    root.finalize();
    await ended(await docker.importImage(root as unknown as NodeJS.ReadableStream, { repo, tag }));
    const image = docker.getImage(`${repo}:${tag}`);
    // The engine wants a header, and no more.
    const lines = await ended(await image.push({ authconfig: { serveraddress: repo } }));
    await image.remove();
    return /sha256:[0-9a-f]{64}/.exec(lines)?.[0] ?? '';
  }

  async function ended(stream: NodeJS.ReadableStream): Promise<string> {
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).not.toContain('"error"');
    return text;
  }

  /** As a runner does whose user has logged in as that file says. */
  const pull = async (reference: string, auths: Record<string, unknown> = {}, stallMs?: number): Promise<string> => {
    const home = mkdtempSync(join(directory, 'home-'));
    writeFileSync(join(home, 'config.json'), JSON.stringify({ auths }));
    const images = new Images(docker, () => Promise.reject(new Error('no archives')), stallMs, undefined, {
      credentialsFor: (registry) => credentialsFor(registry, home),
    });
    const name = await images.ensure(executor.Image.create({ reference }), { preparing: () => undefined });
    made.add(name);
    return name;
  };
  const login = (password: string): Record<string, unknown> => ({
    [closed.host]: { auth: Buffer.from(`me:${password}`).toString('base64') },
  });
  const fails = (reference: string, retryable: boolean, why: RegExp) => ({
    ...{ name: 'RuntimeFailure', code: 'IMAGE_PULL', retryable },
    message: expect.stringMatching(new RegExp(`^cannot pull image '${reference}': ${why.source}`)),
  });

  it('gives what it has: by tag, and by digest', async () => {
    await expect(pull(`${open.host}/tools/one:1`)).resolves.toBe(`${open.host}/tools/one:1`);
    await expect(pull(`${open.host}/tools/one@${digest}`)).resolves.toBe(`${open.host}/tools/one@${digest}`);
  });

  it('that wants a password gets it from where docker login put it', async () => {
    const name = `${closed.host}/tools/one:1`;
    await expect(pull(name)).rejects.toMatchObject(fails(name, false, /.*the runner has no credentials for this registry/));
    await expect(pull(name, login('wrong'))).rejects.toMatchObject(
      fails(name, false, /.*the credentials that the runner has for this registry do not do/),
    );
    // Another registry's are not shown to it.
    await expect(pull(name, { [open.host]: login(PASSWORD)[closed.host] })).rejects.toMatchObject(
      fails(name, false, /.*has no credentials/),
    );
    await expect(pull(name, login(PASSWORD))).resolves.toBe(name);
  });

  it('that has no such image, tag or digest says so, for good', async () => {
    const none = `sha256:${'0'.repeat(64)}`;
    for (const name of [`${open.host}/tools/none:1`, `${open.host}/tools/one:2`, `${open.host}/tools/one@${none}`])
      await expect(pull(name)).rejects.toMatchObject(fails(name, false, /.*manifest unknown/));
  });

  it('whose bytes are not those of their digest gives no image', async () => {
    const wrong = await push(`${open.host}/tools/wrong`, '1', 'wrong');
    const blobs = join(directory, 'blobs/docker/registry/v2/blobs/sha256');
    const manifest = JSON.parse(readFileSync(join(blobs, wrong.slice(7, 9), wrong.slice(7), 'data'), 'utf8')) as {
      layers: { digest: string }[];
    };
    const layer = manifest.layers[0]?.digest ?? '';
    const file = join(blobs, layer.slice(7, 9), layer.slice(7), 'data');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).not.toBe(layer.slice(7));
    await expect(pull(`${open.host}/tools/wrong:1`)).rejects.toMatchObject({ code: 'IMAGE_PULL' });
    expect((await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? [])).not.toContain(`${open.host}/tools/wrong:1`);
  });

  /** In front of the registry: what it does with a layer. */
  async function before(
    onLayer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<{ host: string; close(): Promise<void> }> {
    const [host = '', port = ''] = open.host.split(':');
    const server = http.createServer((request, response) => {
      const { url: path = '', method, headers } = request;
      if (method === 'GET' && path.includes('/blobs/')) return onLayer(request, response);
      const forwarded = http.request({ host, port, path, method, headers: { ...headers, host: open.host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      request.pipe(forwarded);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  }

  it('that makes no progress is given up, and may be tried again', async () => {
    await push(`${open.host}/tools/slow`, '1', 'slow');
    const asked: string[] = [];
    const slow = await before((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'content-length': '1000000' }).write('x');
    });
    const name = `${slow.host}/tools/slow:1`;
    await expect(pull(name, {}, 500)).rejects.toMatchObject(fails(name, true, /no progress for 1 s/));
    expect(asked.length).toBeGreaterThan(0);
    await slow.close();
  });

  it('that goes away may be tried again; one that answers with something else is not quoted', async () => {
    const gone = await before(() => undefined);
    await gone.close();
    await expect(pull(`${gone.host}/tools/one:1`)).rejects.toMatchObject({ code: 'IMAGE_PULL', retryable: true });
    const secret = http.createServer((_request, response) =>
      response.writeHead(403, { 'content-type': 'text/plain' }).end('SECRET of another service'),
    );
    secret.listen(0, '127.0.0.1');
    await once(secret, 'listening');
    const host = `127.0.0.1:${(secret.address() as AddressInfo).port}`;
    const failure = await pull(`${host}/tools/one:1`).catch((error: unknown) => error as { code: string; message: string });
    expect(failure).toMatchObject({ code: 'IMAGE_PULL' });
    expect((failure as { message: string }).message).not.toContain('SECRET');
    secret.close();
  });
});
