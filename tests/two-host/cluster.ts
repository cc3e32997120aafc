/**
 * weft on two hosts: host a has Redis, the S3 server, scheduler, gateway and a runner, host b a runner. Services show each other certificates;
 * nothing but S3 carries data from host to host.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  type CertificatePaths,
  makeAuthority,
  makeBucket,
  type RunningProgram,
  startProgram,
  startS3,
  type TestAuthority,
  type TestS3,
} from '@weft/testing';
import { HoldingProxy } from './holding-proxy.js';
import { type Host, Network } from './network.js';

const ROOT = process.cwd();
const SCHEDULER_PORT = 5006;
const RUNNER_PORT = 5007;
const BUCKET = 'weft';
const TOKEN = 'a-token-of-the-test';

/** Milliseconds: short, because the test waits for what they bring about; long enough that the host that is there is not missed on a busy machine. */
const PATIENCE = { WEFT_RUNNER_TTL_MS: '5000', WEFT_RUNNER_GRACE_MS: '5000' };

export interface ClusterOptions {
  /** Cores of each runner. */
  cores: number;
}

export class Cluster {
  private readonly programs: RunningProgram[] = [];
  private readonly certificates = new Map<Host, CertificatePaths>();
  /** The gateway's gRPC address, and the token it wants. */
  gateway = { address: '', token: TOKEN };

  private constructor(
    private readonly folder: string,
    private readonly network: Network,
    private readonly authority: TestAuthority,
    private readonly s3: TestS3,
    /** Between host b and S3. */
    readonly proxy: HoldingProxy,
    readonly a: Host,
    readonly b: Host,
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    build();
    const folder = mkdtempSync(join(tmpdir(), 'weft-two-host-'));
    const directory = join(folder, 'host');
    mkdirSync(directory);
    const network = await Network.create(directory);
    try {
      const [a, b] = [await network.addHost('a'), await network.addHost('b')];
      mkdirSync(a.path('s3'));
      const s3 = await startS3({ host: a.address, directory: join(directory, 's3'), within: a.within });
      const { hostname, port } = new URL(s3.endpoint);
      const proxy = await HoldingProxy.start(network.ownAddress, { host: hostname, port: Number(port) });
      const cluster = new Cluster(folder, network, makeAuthority(join(folder, 'authority')), s3, proxy, a, b);
      await cluster.startPrograms(options);
      return cluster;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  partition(host: Host): void {
    this.network.partition(host);
  }

  heal(host: Host): void {
    this.network.heal(host);
  }

  /** Keys of everything that S3 holds of a run's results. */
  async published(runId: string): Promise<string[]> {
    const list = new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `data/runs/${runId}/` });
    const { Contents = [] } = await this.withS3((client) => client.send(list));
    return Contents.map(({ Key = '' }) => Key.slice(`data/runs/${runId}/`.length)).sort();
  }

  /** The text at an s3: location. */
  read(location: string): Promise<string> {
    const { host, pathname } = new URL(location);
    const get = new GetObjectCommand({ Bucket: host, Key: decodeURIComponent(pathname.slice(1)) });
    return this.withS3(async (client) => (await client.send(get)).Body?.transformToString() ?? '');
  }

  /** Resolves once a host's runner has removed the sandboxes of all attempts; woken by the directory's own changes. */
  noSandboxLeft(host: Host): Promise<void> {
    return whenDirectory(host.path('home/sandboxes'), (names) => !names.some((name) => name.startsWith('r-')));
  }

  /** Makes a named pipe on a host: a tool that reads it waits for the test's word. */
  gate(host: Host, name: string): void {
    const [command = '', ...args] = [...host.within, 'mkfifo', join(host.directory, name)];
    if (spawnSync(command, args).status !== 0) throw new Error(`mkfifo ${name} failed on ${host.name}`);
  }

  /** What the programs have on stderr that are at fault where a test fails. */
  errors(): string {
    return this.programs.map((program) => program.errors()).join('\n');
  }

  async stop(): Promise<(number | null)[]> {
    const codes: (number | null)[] = [];
    for (const program of this.programs.reverse()) codes.push(await program.stop());
    await this.proxy.stop();
    await this.s3.stop();
    await this.network.close();
    rmSync(this.folder, { recursive: true });
    return codes;
  }

  private async withS3<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = this.s3.environment;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint: this.s3.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  }

  private async startPrograms({ cores }: ClusterOptions): Promise<void> {
    const { a, b } = this;
    await makeBucket(this.s3.endpoint, BUCKET);
    const redis = ['redis-server', '--bind', '127.0.0.1', '--port', '6379', '--dir', a.directory, '--appendonly', 'yes', '--save', ''];
    await this.start(a, redis, {}, (line) => (line.includes('eady to accept connections') ? {} : undefined));
    const scheduler = `${a.address}:${SCHEDULER_PORT}`;
    await this.service(a, 'scheduler', { ...PATIENCE, WEFT_SCHEDULER_LISTEN: scheduler });
    for (const host of [a, b]) {
      await this.service(host, 'step-runner', {
        WEFT_SCHEDULER_ADDRESS: scheduler,
        WEFT_RUNNER_LISTEN: `${host.address}:${RUNNER_PORT}`,
        WEFT_RUNNER_ID: host.name,
        WEFT_RUNNER_CORES: String(cores),
        WEFT_RUNTIMES: 'process',
        ...(host === b ? { WEFT_S3_ENDPOINT: `http://${this.proxy.address}` } : {}),
      });
    }
    writeFileSync(a.path('tokens'), `${createHash('sha256').update(TOKEN).digest('hex')} test\n`);
    const gateway = await this.service(a, 'gateway', {
      WEFT_SCHEDULER_ADDRESS: scheduler,
      WEFT_HTTP_LISTEN: '127.0.0.1:5004',
      WEFT_GRPC_LISTEN: `${a.address}:5005`,
      WEFT_API_TOKENS_FILE: join(a.directory, 'tokens'),
    });
    this.gateway = { ...this.gateway, address: String(gateway.ready['grpc']) };
  }

  private service(host: Host, name: string, env: Record<string, string>): Promise<RunningProgram> {
    return this.start(host, [process.execPath, join(ROOT, 'dist', `${name}.mjs`)], {
      WEFT_HOME: join(host.directory, 'home'),
      WEFT_REDIS_URL: 'redis://127.0.0.1:6379',
      WEFT_DATA_URI: `s3://${BUCKET}/data/`,
      ...this.certificate(host),
      ...this.s3.environment,
      ...env,
    });
  }

  private async start(
    host: Host,
    words: string[],
    env: Record<string, string>,
    readyLine?: (line: string) => Record<string, unknown> | undefined,
  ): Promise<RunningProgram> {
    const [command = '', ...args] = [...host.within, ...words];
    const program = await startProgram({ command, args, env, ...(readyLine && { readyLine }) });
    this.programs.push(program);
    return program;
  }

  /** The host's own, on its own disk. */
  private certificate(host: Host): Record<string, string> {
    const files = this.certificates.get(host) ?? this.authority.issue(host.name, [`IP:${host.address}`]);
    this.certificates.set(host, files);
    for (const file of Object.values(files) as string[]) copyFileSync(file, host.path(basename(file)));
    const at = (file: string): string => join(host.directory, basename(file));
    return { WEFT_TLS_CERT: at(files.cert), WEFT_TLS_KEY: at(files.key), WEFT_TLS_CA: at(files.ca) };
  }
}

/** Resolves once the file is there; woken by its directory. */
export function appears(path: string): Promise<void> {
  return whenDirectory(dirname(path), (names) => names.includes(basename(path)));
}

function whenDirectory(directory: string, wanted: (names: string[]) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(directory, () => look());
    const look = (): void => {
      if (!wanted(readdirSync(directory))) return;
      watcher.close();
      resolve();
    };
    watcher.once('error', reject);
    look();
  });
}

function build(): void {
  const built = spawnSync(process.execPath, [join(ROOT, 'tools/build.mjs')], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
}
