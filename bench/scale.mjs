// Measures how weft grows: `node bench/scale.mjs tasks [--counts 1000,100000]` (one run, many tasks) and
// `node bench/scale.mjs runs [--count 10000] [--clients 32] [--limit N]` (many runs, through the gateway's REST, as fast as it takes them).
// A stack of its own for every figure; nothing of a stack that is running here is touched.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createConnection } from 'node:net';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stackProcesses } from './stack-processes.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const weft = join(root, 'weft');
const scratch = mkdtempSync(join(tmpdir(), 'weft-scale-'));
const env = {
  ...process.env,
  ...{ WEFT_HOME: join(scratch, 'home'), WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0', WEFT_LOG_LEVEL: 'warn' },
};
const [mode, ...args] = process.argv.slice(2);
const MIB = 2 ** 20;
/** Jiffies per second of /proc; Linux has had no other for decades. */
const HZ = 100;

try {
  const modes = { tasks, runs };
  if (!modes[mode]) throw new Error('usage: node bench/scale.mjs tasks|runs');
  console.log(`${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, Node ${process.version}\n`);
  await modes[mode]();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  down();
  rmSync(scratch, { recursive: true, force: true });
}

/** One scatter of N tasks for each N; what a task costs is (cost of N - cost of 1) / (N - 1). */
async function tasks() {
  const counts = option('counts', '1000,100000').split(',').map(Number);
  const measured = [];
  for (const count of counts) {
    await up();
    const one = await scatter(1);
    const many = await scatter(count);
    const per = (what) => (many[what] - one[what]) / (count - 1);
    const figures = { count, wallMs: per('wallMs'), cpuMs: per('cpuMs'), schedulerMs: per('schedulerMs'), seconds: many.wallMs / 1000 };
    const redis = await redisMemory();
    measured.push({ ...figures, schedulerBytes: peakOf('scheduler'), redisBytes: redis.peak });
    console.log(
      `${count} tasks: ${figures.seconds.toFixed(1)} s; a task costs ${figures.wallMs.toFixed(2)} ms of wall time, ` +
        `${figures.cpuMs.toFixed(2)} ms of CPU in the stack (${figures.schedulerMs.toFixed(2)} ms in the scheduler)\n` +
        `  peak memory: ${peaks()}; Redis ${mib(redis.peak)} at most, ${mib(redis.used)} afterwards`,
    );
    down();
  }
  const [small, ...others] = measured;
  for (const large of others) {
    const ratio = (what) => (large[what] / small[what]).toFixed(2);
    const kib = (what) => ((large[what] - small[what]) / (large.count - small.count) / 1024).toFixed(2);
    console.log(
      `${large.count} to ${small.count} tasks: a task costs ${ratio('wallMs')} × the wall time, ${ratio('cpuMs')} × the CPU; ` +
        `one more task adds ${kib('schedulerBytes')} KiB to the scheduler's peak (with one watcher), ${kib('redisBytes')} KiB to Redis'`,
    );
  }
}

async function scatter(count) {
  const job = join(scratch, `n${count}.json`);
  writeFileSync(job, JSON.stringify({ n: Array.from({ length: count }, (_, i) => i) }));
  const before = cpuMs();
  const started = performance.now();
  const outdir = join(scratch, `out-${count}`);
  const options = ['--quiet', '--outdir', outdir, ...(option('options', '') === '' ? [] : option('options', '').split(','))];
  await command([weft, 'run', ...options.filter((text) => text !== 'none'), join(root, 'bench/workflows/scatter-echo.cwl'), job]);
  const wallMs = performance.now() - started;
  const after = cpuMs();
  rmSync(outdir, { recursive: true, force: true });
  return { wallMs, cpuMs: after.stack - before.stack, schedulerMs: after.scheduler - before.scheduler };
}

/** Runs of one small tool, `clients` submissions at a time; a refusal is tried again when the answer says. */
async function runs() {
  const count = Number(option('count', '10000'));
  const clients = Number(option('clients', '32'));
  const limit = option('limit', '');
  const stack = await up(limit === '' ? {} : { WEFT_MAX_ACTIVE_RUNS: limit });
  const before = await redisMemory();
  const gateway = restClient(stack.http, clients);
  const document = { class: 'CommandLineTool', cwlVersion: 'v1.2', baseCommand: 'true', inputs: { n: 'int' }, outputs: {} };
  let [next, refused] = [0, 0];
  const started = performance.now();
  const submitAll = async () => {
    for (let n = next++; n < count; n = next++) {
      const body = { cwl: document, inputs: { n }, idempotency_key: `scale-${n}`, labels: { bench: 'scale' } };
      for (;;) {
        const answer = await gateway('POST', '/api/v1/runs', body);
        if (answer.status === 201) break;
        if (answer.status !== 429) throw new Error(`submission ${n} was answered ${answer.status}: ${answer.text}`);
        refused += 1;
        await new Promise((wake) => setTimeout(wake, 1000 * Number(answer.headers['retry-after'])));
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, submitAll));
  const submitted = performance.now() - started;
  const again = refused === 0 ? '' : `, ${refused} refusals waited out`;
  console.log(`${count} runs submitted in ${seconds(submitted)}: ${((count / submitted) * 1000).toFixed(0)} a second${again}`);
  while ((await listed(gateway, 'status=pending&status=running&status=cancelling&page_size=1')) > 0)
    await new Promise((wake) => setTimeout(wake, 200));
  const ended = performance.now() - started;
  const states = {};
  for (const state of ['succeeded', 'failed', 'cancelled']) states[state] = await listed(gateway, `status=${state}&page_size=1000`);
  console.log(`all ended ${seconds(ended)} after the first submission: ${JSON.stringify(states)}`);
  const after = await redisMemory();
  const perRun = (after.used - before.used) / count / 1024;
  console.log(`Redis: ${mib(after.peak)} at most, ${mib(after.used)} at the end, ${perRun.toFixed(2)} KiB for a run that has ended`);
  console.log(`peak memory: ${peaks()}`);
  if (states.succeeded !== count) throw new Error(`${count} runs were submitted, ${states.succeeded} succeeded`);
}

async function listed(gateway, query) {
  let total = 0;
  for (let token = ''; token !== null;) {
    const page = await gateway('GET', `/api/v1/runs?${query}${token === '' ? '' : `&page_token=${encodeURIComponent(token)}`}`);
    if (page.status !== 200) throw new Error(`the list was answered ${page.status}: ${page.text}`);
    const { runs: found, next_page_token: after } = JSON.parse(page.text);
    total += found.length;
    token = query.endsWith('page_size=1') ? null : after;
  }
  return total;
}

function restClient(address, connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const [host, port] = address.replace(/^http:\/\//, '').split(':');
  return (method, path, body) =>
    new Promise((done, fail) => {
      const call = request({ host, port, method, path, agent, headers: { 'content-type': 'application/json' } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text }));
      });
      call.on('error', fail);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

async function up(extra = {}) {
  mkdirSync(env.WEFT_HOME, { recursive: true });
  const said = await command([weft, 'up', '--detach'], extra);
  const http = /http:\/\/[^/\s]+/.exec(said)?.[0];
  if (http === undefined) throw new Error(`the stack does not say where its gateway listens:\n${said}`);
  return { http };
}

function down() {
  spawnSync(weft, ['down'], { env, stdio: 'ignore' });
  rmSync(env.WEFT_HOME, { recursive: true, force: true });
}

/** CPU that the stack has used so far, with that of the tools it ran, milliseconds. */
function cpuMs() {
  const used = { stack: 0, scheduler: 0 };
  for (const { name, pid } of stackProcesses(env.WEFT_HOME)) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 15).map(Number);
    const ms = (fields.reduce((sum, jiffies) => sum + jiffies, 0) * 1000) / HZ;
    used.stack += ms;
    if (name === 'scheduler') used.scheduler += ms;
  }
  return used;
}

/** The greatest resident size each program of the stack has had. */
function peaks() {
  return stackProcesses(env.WEFT_HOME)
    .map(({ name }) => `${name} ${mib(peakOf(name))}`)
    .join(', ');
}

function peakOf(program) {
  const pid = stackProcesses(env.WEFT_HOME).find(({ name }) => name === program)?.pid;
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** Bytes, as Redis counts them. */
function redisMemory() {
  return new Promise((done, fail) => {
    const socket = createConnection(join(env.WEFT_HOME, 'run/redis.sock'), () => socket.write('INFO memory\r\n'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const used = /^used_memory:(\d+)/m.exec(text)?.[1];
      const peak = /^used_memory_peak:(\d+)\r/m.exec(text)?.[1];
      if (used === undefined || peak === undefined) return;
      socket.end();
      done({ used: Number(used), peak: Number(peak) });
    });
    socket.on('error', fail);
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

function option(name, otherwise) {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? otherwise : args[at + 1];
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

function mib(bytes) {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
