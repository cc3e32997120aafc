// Measures weft, and cwltool beside it where it is installed, over the workflows of a folder: `npm run bench [folder] [--runs N]`.
// The folder is ../shared/bench where that is there, else bench/workflows. Medians; every figure of one table comes from one run.
// Every task is executed, as it is by default: a run would have to ask for the results of another.
// Whole: wall time of the command with a stack that is up. Marginal: (wall(N) - wall(1)) / (N - 1).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerFloorMs } from './docker-floor.mjs';
import { stackProcesses } from './stack-processes.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const runsAt = args.indexOf('--runs');
const RUNS = runsAt < 0 ? 3 : Number(args[runsAt + 1]);
const named = args.find((arg, index) => !arg.startsWith('-') && (runsAt < 0 || index !== runsAt + 1));
const shared = resolve(root, '../shared/bench');
const folder = resolve(named ?? (existsSync(shared) ? shared : join(root, 'bench/workflows')));

const CASES = [
  { name: 'one tool', document: 'true.cwl', one: 'empty.json' },
  { name: 'scatter of 1000 echo', document: 'scatter-echo.cwl', one: 'n1.json', many: 'n1000.json', n: 1000, memory: true },
  { name: 'chain of 50 cat', document: 'chain-1.cwl', one: 'chain.json', manyDocument: 'chain-50.cwl', many: 'chain.json', n: 50 },
  { name: '200 ExpressionTools', document: 'scatter-exprtool.cwl', one: 'n1.json', many: 'n200.json', n: 200 },
  { name: '200 JavaScript arguments', document: 'scatter-echojs.cwl', one: 'n1.json', many: 'n200.json', n: 200 },
  { name: '200 step valueFrom', document: 'scatter-stepvf.cwl', one: 'n1.json', many: 'n200.json', n: 200 },
  { name: '40 Docker tasks', document: 'scatter-docker.cwl', one: 'n1.json', many: 'n40.json', n: 40, docker: true },
];

const scratch = mkdtempSync(join(tmpdir(), 'weft-bench-'));
// Ports of its own: a stack that is running here goes on undisturbed.
const env = { ...process.env, WEFT_HOME: join(scratch, 'home'), WEFT_HTTP_LISTEN: '127.0.0.1:0', WEFT_GRPC_LISTEN: '127.0.0.1:0' };
const weft = join(root, 'weft');
const engines = [{ name: 'weft', command: (doc, job, out) => [weft, 'run', '--quiet', '--outdir', out, doc, job] }];
if (has('cwltool')) engines.push({ name: 'cwltool', command: (doc, job, out) => ['cwltool', '--quiet', '--outdir', out, doc, job] });

let outdirs = 0;
try {
  await main();
} finally {
  spawnSync(weft, ['down'], { env, stdio: 'ignore' });
  rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, Node ${process.version}, ${folder}, medians of ${RUNS}\n`,
  );
  const floors = [
    ['node -e 0', await median(() => timed(['node', '-e', '0']))],
    ['spawn of 1000 echo by xargs -P2', await median(() => timed(['sh', '-c', 'seq 1000 | xargs -P2 -n1 echo >/dev/null']))],
  ];
  const dockerFloors = engineAnswers()
    ? [
        ['Docker API, a container, one at a time', await median(() => dockerFloorMs(10, 1))],
        [`Docker API, a container, ${cpus().length} at a time`, await median(() => dockerFloorMs(40, cpus().length))],
      ]
    : [];
  spawnSync(weft, ['--version'], { stdio: 'ignore' });
  const cold = await median(async () => {
    spawnSync(weft, ['down'], { env, stdio: 'ignore' });
    return timed(engines[0].command(join(folder, 'true.cwl'), join(folder, 'empty.json'), outdir()));
  });
  must(spawnSync(weft, ['up', '--detach'], { env, stdio: ['ignore', 'ignore', 'inherit'] }), 'weft up');
  const rows = [['weft, nothing running', seconds(cold), '', '', '']];
  for (const test of CASES) rows.push(...(await measure(test)));
  print(['case', 'whole', 'one task', 'marginal per task', 'cwltool / weft'], rows);
  print(
    ['floor', 'whole'],
    floors.map(([name, ms]) => [name, seconds(ms)]),
  );
  if (dockerFloors.length > 0)
    print(
      ['floor', 'per container'],
      dockerFloors.map(([name, ms]) => [name, `${ms.toFixed(0)} ms`]),
    );
}

async function measure(test) {
  if (test.docker && !engineAnswers()) return [[test.name, 'no Docker engine answers', '', '', '']];
  const results = [];
  for (const engine of engines) {
    const run = (document, job) => median(() => timed(engine.command(join(folder, document), join(folder, job), outdir())));
    const one = await run(test.document, test.one);
    const watch = test.memory && engine.name === 'weft' ? watchMemory() : undefined;
    const many = test.many === undefined ? undefined : await run(test.manyDocument ?? test.document, test.many);
    results.push({ engine: engine.name, one, many, peakMiB: watch?.stop() });
  }
  return results.map(({ engine, one, many, peakMiB }) => {
    const other = results.find((result) => result.engine === 'cwltool');
    const ratio = engine === 'weft' && other ? `${((other.many ?? other.one) / (many ?? one)).toFixed(2)} ×` : '';
    const marginal = many === undefined ? '' : `${((many - one) / (test.n - 1)).toFixed(2)} ms`;
    const memory = peakMiB === undefined ? '' : `, stack's peak ${peakMiB.toFixed(0)} MiB`;
    return [`${engine}, ${test.name}${memory}`, seconds(many ?? one), seconds(one), marginal, ratio];
  });
}

/** Peak of the summed proportional set sizes of the stack's processes. */
function watchMemory() {
  let peak = 0;
  const timer = setInterval(() => {
    const kib = stackPids()
      .map(pssKib)
      .reduce((sum, size) => sum + size, 0);
    peak = Math.max(peak, kib / 1024);
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function stackPids() {
  return stackProcesses(env.WEFT_HOME).map(({ pid }) => pid);
}

function pssKib(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function outdir() {
  outdirs += 1;
  return join(scratch, `out-${outdirs}`);
}

/** Milliseconds of wall time; a command that fails ends the benchmark: its time would mean nothing. */
function timed([command, ...rest]) {
  const started = process.hrtime.bigint();
  return new Promise((done, fail) => {
    const child = spawn(command, rest, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', fail);
    child.on('close', (code) => {
      if (code !== 0) fail(new Error(`${[command, ...rest].join(' ')} ended with exit code ${code}:\n${errors}`));
      else done(Number(process.hrtime.bigint() - started) / 1e6);
    });
  });
}

async function median(measureOnce) {
  const times = [];
  for (let i = 0; i < RUNS; i += 1) times.push(await measureOnce());
  times.sort((a, b) => a - b);
  const middle = Math.floor(times.length / 2);
  return times.length % 2 === 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
}

function has(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

function engineAnswers() {
  return spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
}

function must({ status }, what) {
  if (status !== 0) throw new Error(`${what} failed`);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

function print(header, rows) {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  for (const row of [header, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  console.log('');
}
