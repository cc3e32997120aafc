// What a finished run costs Redis, before and after it went to the archive, and whether that stays so:
// `node bench/retention.mjs [--count 1000] [--clients 16]`. A stack of its own; nothing of a stack that is running here is touched.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const weft = join(root, 'weft');
const scratch = mkdtempSync(join(tmpdir(), 'weft-retention-'));
const env = {
  ...process.env,
  ...{ WEFT_HOME: join(scratch, 'home'), WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0', WEFT_LOG_LEVEL: 'warn' },
  // Results of tasks have a lifetime of their own; here only runs are counted.
  WEFT_CALL_CACHE: 'off',
};
const PARTITIONS = 64;
/** Bytes of Redis per archived run that would no longer be bounded: counters and allocator noise stay far below. */
const BOUND = 64;
const count = Number(option('count', '1000'));
const clients = Number(option('clients', '16'));

try {
  let http = await up({ WEFT_RETENTION_S: '3600' });
  const empty = await used();
  await submit(http, count);
  const live = await used();
  console.log(`${count} runs ended: ${((live - empty) / count / 1024).toFixed(2)} KiB of Redis for each`);
  await command([weft, 'down']);

  http = await up({ WEFT_RETENTION_S: '0' });
  const begun = performance.now();
  await archived(count);
  const seconds = (performance.now() - begun) / 1000;
  const first = await settledUse();
  const { bytes } = await counters();
  console.log(
    `archived in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(0)} a second; ${(bytes / count / 1024).toFixed(2)} KiB of storage for each`,
  );
  console.log(
    `afterwards: ${((first - empty) / count).toFixed(1)} bytes of Redis for each (${mib(empty)} empty, ${mib(live)} full, ${mib(first)} now)`,
  );

  // Scripts, buffers and tables grow once to the size that this many runs at a time need.
  await submit(http, count);
  await archived(2 * count);
  const warm = await settledUse();
  const again = performance.now();
  await submit(http, 2 * count);
  await archived(4 * count);
  const second = await settledUse();
  const more = (second - warm) / (2 * count);
  console.log(
    `${2 * count} more, archived as they ended (${((performance.now() - again) / 1000).toFixed(1)} s with their execution): ` +
      `${more.toFixed(1)} bytes of Redis more for each (${mib(warm)} before, ${mib(second)} now)`,
  );
  console.log(
    `files in the archive: ${filesBelow(join(env.WEFT_HOME, 'data/archive'))}; keys in Redis: ${await redis((client) => client.dbsize())}`,
  );
  const listed = await timed(() => http('GET', '/api/v1/runs?page_size=50'));
  const [newest] = JSON.parse(listed.answer.text).runs;
  const found = await timed(() => http('GET', `/api/v1/runs/${newest.run_id ?? newest.runId ?? newest.id}`));
  if (listed.answer.status !== 200 || found.answer.status !== 200) throw new Error('archived runs do not answer');
  console.log(`a page of 50 archived runs took ${listed.ms.toFixed(1)} ms, one archived run ${found.ms.toFixed(1)} ms`);
  if (more > BOUND) throw new Error(`Redis grows by ${more.toFixed(1)} bytes for every archived run`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  spawnSync(weft, ['down'], { env, stdio: 'ignore' });
  rmSync(scratch, { recursive: true, force: true });
}

/** Submits small runs, some at a time, and waits until all have ended. */
async function submit(http, number) {
  const document = { class: 'CommandLineTool', cwlVersion: 'v1.2', baseCommand: 'echo', inputs: { n: { type: 'int', inputBinding: {} } } };
  const cwl = { ...document, stdout: 'out.txt', outputs: { out: { type: 'stdout' } } };
  let next = 0;
  const submitSome = async () => {
    for (let n = next++; n < number; n = next++) {
      const answer = await http('POST', '/api/v1/runs', { cwl, inputs: { n } });
      if (answer.status !== 201) throw new Error(`a submission was answered ${answer.status}: ${answer.text}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, submitSome));
  for (;;) {
    const { text } = await http('GET', '/api/v1/runs?status=pending&status=running&status=cancelling&page_size=1');
    if (JSON.parse(text).runs.length === 0) return;
    await pause(200);
  }
}

async function archived(number) {
  while ((await counters()).runs < number) await pause(100);
}

function counters() {
  return redis(async (client) => {
    const all = Array.from({ length: PARTITIONS }, (_, n) =>
      client.hmget(`weft:{p${String(n).padStart(2, '0')}}:archived`, 'runs', 'bytes'),
    );
    const sum = { runs: 0, bytes: 0 };
    for (const [runs, bytes] of await Promise.all(all)) {
      sum.runs += Number(runs ?? 0);
      sum.bytes += Number(bytes ?? 0);
    }
    return sum;
  });
}

/** After what lingers on purpose is gone: the queue's last jobs are removed in the background. */
async function settledUse() {
  await pause(3000);
  return used();
}

/** Bytes that Redis uses, less the newest jobs and events that the queue keeps for the board: their number has a limit of its own. */
function used() {
  return redis(async (client) => {
    await client.memory('PURGE');
    const all = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    const ofQueue = await client.keys('{*}:weft-tasks-*');
    const sizes = await Promise.all(ofQueue.map((key) => client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
    return all - sizes.reduce((sum, size) => sum + Number(size ?? 0), 0);
  });
}

async function redis(ask) {
  const client = new Redis({ path: join(env.WEFT_HOME, 'run/redis.sock') });
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

async function up(extra) {
  const said = await command([weft, 'up', '--detach'], extra);
  const address = /http:\/\/[^/\s]+/.exec(said)?.[0];
  if (address === undefined) throw new Error(`the stack does not say where its gateway listens:\n${said}`);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const [host, port] = address.replace(/^http:\/\//, '').split(':');
  return (method, path, body) =>
    new Promise((done, fail) => {
      const call = request({ host, port, method, path, agent, headers: { 'content-type': 'application/json' } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.on('end', () => done({ status: answer.statusCode, text }));
      });
      call.on('error', fail);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

function command([program, ...rest], extra = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, rest, { env: { ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done(said) : fail(new Error(`${[program, ...rest].join(' ')} ended with ${code}:\n${said}`)),
    );
  });
}

async function timed(ask) {
  const started = performance.now();
  return { answer: await ask(), ms: performance.now() - started };
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile()).length;
}

function pause(ms) {
  return new Promise((wake) => setTimeout(wake, ms));
}

function mib(bytes) {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}
