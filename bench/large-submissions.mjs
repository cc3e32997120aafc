// What the largest submissions of one caller cost another: `node bench/large-submissions.mjs [--runs 50] [--only TEXT] [--again]`.
// 50 small runs of one project are submitted over REST, four at a time, and waited for; first with nothing else, then, until it is answered, while another sends the
// longest body that the gateway takes, of one kind after the other: all those of tests/fuzz/large-documents.ts. With `--again` it is sent again and again, for at
// least two answers. Printed for each kind:
// how the longest of its answers took, what it was, and the pace of the small runs as a share of the pace that they had before and after it
// with nothing else. Ends with 1 where a kind leaves them less than half, or an answer that is no refusal takes longer than two seconds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const weft = join(root, 'weft');
const RUNS = Number(option('runs', '50'));
const ONLY = option('only', '');
const AGAIN = process.argv.includes('--again');
const CLIENTS = 4;
/** As the gateway has it. */
const BODY_BYTES = 16 * 1024 * 1024;
const SLOW_MS = 2_000;
const SMALL = { cwlVersion: 'v1.2', class: 'CommandLineTool', baseCommand: 'true', inputs: [], outputs: [] };

const scratch = mkdtempSync(join(tmpdir(), 'weft-bench-'));
const env = { ...process.env, WEFT_HOME: join(scratch, 'home'), WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0' };
env.WEFT_LOG_LEVEL = 'error';
try {
  const said = await command('up', '--detach');
  const http = /http:\/\/[^/\s]+/.exec(said)?.[0];
  if (http === undefined) throw new Error(`the stack does not say where its gateway listens:\n${said}`);
  await main(http);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await command('down').catch((error) => console.error(error.message));
  rmSync(scratch, { recursive: true, force: true });
}

async function main(http) {
  const small = client(http, CLIENTS);
  const large = client(http, 1);
  await pace(small);
  let before = await pace(small);
  console.log(`${RUNS} small runs alone: ${before.toFixed(1)} a second`);
  const bad = [];
  for (const [name, body] of await bodies()) {
    const hostile = sendAgainAndAgain(large, body());
    await hostile.begun;
    const meanwhile = await pace(small, () => hostile.answers() >= (AGAIN ? 2 : 1));
    const { answers, longestMs, kinds } = await hostile.stop();
    const after = await pace(small);
    const share = meanwhile / ((before + after) / 2);
    before = after;
    const isSlow = longestMs > SLOW_MS && kinds.some((kind) => !/^4/.test(kind));
    const isBad = share < 0.5 || isSlow;
    if (isBad) bad.push(name);
    const figures = [share.toFixed(2).padStart(5), `${longestMs.toFixed(0)} ms`.padStart(8), `${answers} × ${kinds.join(', ')}`.padEnd(14)];
    console.log(`${figures.join('  ')}  ${name}${isBad ? '  ← too slow' : ''}`);
  }
  if (bad.length > 0) throw new Error(`too slow: ${bad.join('; ')}`);
}

/** Small runs a second: of as many as there are to be, and of as many more as it takes until something else is done. */
async function pace(call, isDone = () => true) {
  const started = performance.now();
  let begun = 0;
  const one = async () => {
    while (begun < RUNS || !isDone()) {
      begun += 1;
      await smallRun(call);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, one));
  return (begun * 1000) / (performance.now() - started);
}

async function smallRun(call) {
  const submitted = await call('POST', '/api/v1/runs', JSON.stringify({ cwl: SMALL, project_id: 'small' }));
  if (submitted.status !== 201 && submitted.status !== 202 && submitted.status !== 200)
    throw new Error(`a small run was answered ${submitted.status}: ${submitted.text}`);
  const { run_id: id } = JSON.parse(submitted.text);
  const { text } = await call('GET', `/api/v1/runs/${id}/events`);
  if (!text.includes('succeeded')) throw new Error(`run ${id} did not succeed:\n${text}`);
}

function sendAgainAndAgain(call, body) {
  let stopped = false;
  let begin;
  const begun = new Promise((done) => (begin = done));
  const seen = { answers: 0, longestMs: 0, kinds: new Set() };
  const ended = (async () => {
    for (let first = true; first || (AGAIN && !stopped); first = false) {
      const started = performance.now();
      const answering = call('POST', '/api/v1/runs', body);
      begin();
      const { status } = await answering;
      seen.answers += 1;
      seen.longestMs = Math.max(seen.longestMs, performance.now() - started);
      seen.kinds.add(String(status));
    }
  })();
  return {
    begun,
    answers: () => seen.answers,
    stop: async () => {
      stopped = true;
      await ended;
      return { ...seen, kinds: [...seen.kinds].sort() };
    },
  };
}

/** Name → makes the body: as long as the gateway takes. */
async function bodies() {
  const entry = join(root, 'tests/fuzz/large-documents.ts');
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'esm', platform: 'node' });
  const { LARGE_DOCUMENTS, LARGE_JOBS, JOB_TOOL } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  const documents = Object.entries(LARGE_DOCUMENTS).flatMap(([name, text]) => [
    [name, (size) => JSON.stringify({ cwl: text(size), project_id: 'large' })],
    ...(isObject(text(1_000)) ? [[`${name}, as an object`, (size) => `{"cwl":${text(size)},"project_id":"large"}`]] : []),
  ]);
  const jobs = Object.entries(LARGE_JOBS).flatMap(([name, text]) => {
    return isObject(text(1_000))
      ? [[`a job of ${name}`, (size) => `{"cwl":${JSON.stringify(JOB_TOOL)},"project_id":"large","inputs":${text(size)}}`]]
      : [];
  });
  return [...documents, ...jobs].filter(([name]) => name.includes(ONLY)).map(([name, make]) => [name, () => longest(make)]);
}

function isObject(text) {
  try {
    return text.startsWith('{') && typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

/** What is escaped in JSON is longer there. */
function longest(make) {
  let size = BODY_BYTES - 1_000;
  for (;;) {
    const body = Buffer.from(make(size));
    if (body.length <= BODY_BYTES) return body;
    size = Math.floor((size * (BODY_BYTES - 1_000)) / body.length) - 1_000;
  }
}

function client(http, maxSockets) {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const { hostname, port } = new URL(http);
  return async (method, path, body) => {
    const call = request({ hostname, port, method, path, agent, headers: { 'content-type': 'application/json' } });
    call.end(body);
    const [answer] = await once(call, 'response');
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    return { status: answer.statusCode, text };
  };
}

async function command(...args) {
  const child = spawn(weft, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`weft ${args.join(' ')} ended with ${code}:\n${said}`);
  return said;
}

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}
