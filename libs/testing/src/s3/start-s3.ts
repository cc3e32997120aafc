/**
 * An S3 server of a test's own: OpenStack Swift in one process (serve_s3.py), on a free port, with a temporary folder of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Debian's, which has Swift. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('serve_s3.py', import.meta.url));
const ACCESS_KEY = 'weft:tests';
const SECRET_KEY = 'a-secret-of-the-tests';

export interface TestS3 {
  /** `http://<host>:<port>` */
  endpoint: string;
  bucket: string;
  /** What a program needs to reach it, as environment variables; set them before an S3 client is made. */
  environment: Record<string, string>;
  /** The server's process. */
  pid: number;
  stop(): Promise<void>;
}

export interface StartS3Options {
  /** Address to listen on; default 127.0.0.1. */
  host?: string;
  /** Holds settings and listings, and stays when the server stops (objects are in its memory); default: a temporary folder that goes with it. */
  directory?: string;
  /** Made at once; default `weft`. */
  bucket?: string;
  /** Command that the server is run by, e.g. `['ip', 'netns', 'exec', 'storage']`. The bucket is then made by whoever reaches it. */
  within?: readonly string[];
}

/** Rejects with what Python said where there is no Swift (Debian: python3-swift). */
export async function startS3(options: StartS3Options = {}): Promise<TestS3> {
  const { host = '127.0.0.1', bucket = 'weft', within = [] } = options;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'weft-s3-')));
  const { server, port } = await launch([...within, PYTHON, SCRIPT, directory, host, ACCESS_KEY, SECRET_KEY]);
  const killOnExit = (): void => void server.kill('SIGKILL');
  process.on('exit', killOnExit);
  const endpoint = `http://${host}:${port}`;
  const stop = async (): Promise<void> => {
    process.removeListener('exit', killOnExit);
    await end(server);
    if (options.directory === undefined) await rm(directory, { recursive: true });
  };
  try {
    if (within.length === 0) await makeBucket(endpoint, bucket);
  } catch (error) {
    await stop();
    throw error;
  }
  const environment = {
    WEFT_S3_ENDPOINT: endpoint,
    WEFT_S3_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  };
  return { endpoint, bucket, environment, pid: server.pid ?? 0, stop };
}

/** One that is there already is left as it is. */
export async function makeBucket(endpoint: string, bucket: string): Promise<void> {
  // Not at the top: every test of the repository imports this library, and few need the SDK.
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof Object && 'name' in error && error.name === 'BucketAlreadyOwnedByYou')) throw error;
  } finally {
    client.destroy();
  }
}

function launch([command = '', ...args]: string[]): Promise<{ server: ChildProcess; port: number }> {
  return new Promise((resolve, reject) => {
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    server.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-10_000)));
    const early = (): void => reject(new Error(`the S3 server ended before it was ready (Debian: python3-swift):\n${said}`));
    server.once('exit', early);
    server.once('error', reject);
    createInterface({ input: server.stdout }).once('line', (line) => {
      server.off('exit', early);
      resolve({ server, port: Number(line.slice('ready '.length)) });
    });
  });
}

function end(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    // It holds nothing that matters, and waits for open connections otherwise.
    server.kill('SIGKILL');
  });
}
