// How long after a container has ended a watcher of its run hears of it: `node bench/exit-latency.mjs [--tasks N]`.
// From the engine's own 'die' event (its time stamp) to the arrival of the task's `succeeded` at a client of the gateway's gRPC Watch,
// outputs collected and published. One task after the other; both clocks are this machine's.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import Docker from 'dockerode';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const at = process.argv.indexOf('--tasks');
const TASKS = at < 0 ? 100 : Number(process.argv[at + 1]);
const DOCUMENT = JSON.stringify({
  cwlVersion: 'v1.2',
  class: 'CommandLineTool',
  requirements: { DockerRequirement: { dockerPull: 'debian:stable-slim' } },
  baseCommand: ['echo', 'hello'],
  inputs: {},
  stdout: 'out.txt',
  outputs: { out: 'stdout' },
});

const scratch = mkdtempSync(join(tmpdir(), 'weft-bench-'));
const env = { ...process.env, WEFT_HOME: join(scratch, 'home'), WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0' };
const weft = join(root, 'weft');
try {
  if (spawnSync(weft, ['up', '--detach'], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) throw new Error('weft up failed');
  await main();
} finally {
  spawnSync(weft, ['down'], { env, stdio: 'ignore' });
  rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  const died = await deaths();
  const runs = await client();
  const latencies = [];
  for (let i = 0; i < TASKS + 5; i += 1) {
    const ms = await one(runs, died);
    // The first ones warm up caches and compilers.
    if (i >= 5) latencies.push(ms);
  }
  died.close();
  runs.close();
  latencies.sort((a, b) => a - b);
  const percentile = (p) => latencies[Math.min(latencies.length - 1, Math.ceil((p / 100) * latencies.length) - 1)].toFixed(1);
  console.log(
    `exit of a container to a watcher seeing it, ${TASKS} tasks: p50 ${percentile(50)} ms, p90 ${percentile(90)} ms, p99 ${percentile(99)} ms`,
  );
}

/** Milliseconds from the container's death to the watcher's news. */
async function one(runs, died) {
  const { run } = await new Promise((done, fail) =>
    runs.Submit({ cwl: DOCUMENT, inputs_json: '{}' }, (error, answer) => (error ? fail(error) : done(answer))),
  );
  const seen = await new Promise((done, fail) => {
    const stream = runs.Watch({ run_id: run.run_id, after_sequence: 0 });
    let seenMs;
    stream.on('data', ({ task_status: change }) => {
      if (change?.task?.status === 'TASK_STATUS_SUCCEEDED') seenMs = performance.timeOrigin + performance.now();
    });
    stream.on('error', fail);
    stream.on('end', () => (seenMs === undefined ? fail(new Error(`run ${run.run_id} did not succeed`)) : done(seenMs)));
  });
  return seen - (await died.of(run.run_id));
}

/** The times at which containers of runs died, by run. */
async function deaths() {
  const stream = await new Docker().getEvents({ filters: JSON.stringify({ type: ['container'], event: ['die'], label: ['weft.run'] }) });
  const times = new Map();
  const waiting = new Map();
  createInterface({ input: stream }).on('line', (line) => {
    const { Actor, timeNano } = JSON.parse(line);
    const runId = Actor.Attributes['weft.run'];
    times.set(runId, timeNano / 1e6);
    waiting.get(runId)?.();
  });
  return {
    of: async (runId) => {
      if (!times.has(runId)) await new Promise((done) => waiting.set(runId, done));
      return times.get(runId);
    },
    close: () => stream.destroy(),
  };
}

async function client() {
  const socket = connect(join(env.WEFT_HOME, 'run/stack.sock'));
  const [line] = await once(createInterface({ input: socket }), 'line');
  socket.destroy();
  const { grpc } = JSON.parse(line).services.gateway.addresses;
  const definition = loadSync('weft/gateway/v1/runs.proto', {
    includeDirs: [join(root, 'proto')],
    keepCase: true,
    enums: String,
    longs: Number,
  });
  const { Runs } = loadPackageDefinition(definition).weft.gateway.v1;
  return new Runs(grpc, credentials.createInsecure());
}
