/**
 * The command and its services behind a proxy: documents and inputs on the web are read through it, and what NO_PROXY names is not. The names
 * exist nowhere but at the proxy.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { type ForwardProxy, makeAuthority, startForwardProxy } from '@weft/testing';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
jest.setTimeout(120_000);

const FILES: Readonly<Record<string, string>> = {
  '/workflow.cwl': `cwlVersion: v1.2
class: CommandLineTool
inputs: { f: File, more: { type: File, default: { class: File, location: data.txt } } }
outputs: { out: stdout }
stdout: out.txt
baseCommand: cat
arguments: [$(inputs.f.path), $(inputs.more.path)]
`,
  '/data.txt': 'by default\n',
  '/job.txt': 'by the job\n',
};

let folder: string;
let proxy: ForwardProxy;
let web: Server;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-proxies-'));
  const authority = makeAuthority(join(folder, 'ca'));
  const { cert, key } = authority.issue('web', ['DNS:web.internal']);
  web = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, ({ url = '', method }, response) => {
    const content = FILES[url];
    response.writeHead(content === undefined ? 404 : 200, { 'content-length': Buffer.byteLength(content ?? '') });
    response.end(method === 'HEAD' ? '' : content);
  });
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
  proxy = await startForwardProxy();
  proxy.routes.set('web.internal:443', `127.0.0.1:${(web.address() as AddressInfo).port}`);
  const own = Object.entries(process.env).filter(([name]) => !/^WEFT_|^REDIS_URL$|_proxy$/i.test(name));
  env = {
    ...Object.fromEntries(own),
    ...{
      WEFT_HOME: join(folder, 'home'),
      WEFT_LINGER_S: '600',
      WEFT_PRIVATE: '0',
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: authority.ca,
    },
  };
});

afterAll(async () => {
  const { code } = await weft('down');
  web.closeAllConnections();
  await Promise.all([proxy.stop(), new Promise((closed) => web.close(closed))]);
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
});

beforeEach(() => proxy.asked.splice(0));

async function weft(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

it('documents, their own files and inputs come through it', async () => {
  const result = await weft('run', '--outdir', 'out', 'https://web.internal/workflow.cwl', '--f', 'https://web.internal/job.txt');
  expect([result.code, result.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  expect(readFileSync(join(folder, 'out/out.txt'), 'utf8')).toBe('by the job\nby default\n');
  expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT web.internal:443']));
});

it('what NO_PROXY names does not', async () => {
  env = { ...env, NO_PROXY: '.internal' };
  expect(await weft('validate', 'https://web.internal/workflow.cwl')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('web.internal'),
  });
  expect(proxy.asked).toEqual([]);
});
