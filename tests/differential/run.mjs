// Runs documents that a seed makes with cwltool and with weft, and shows where they differ.
//
//   npm run differential -- [--count N] [--seed S] [--only tool|workflow] [--folder where] [--verbose]
//
// 1. The seed of a case makes its document, job and files: `--count 1 --seed S` repeats it.
// 2. Exit 1 where weft fails alone or gives other outputs. Where cwltool fails alone is counted, not judged: it has defects of its own.
// 3. weft runs from dist/, with a WEFT_HOME of its own below the folder.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../../tools/build.mjs';
import { makeCase } from './cases.mjs';
import { difference, normal } from './compare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const cli = resolve(here, '../../dist/cli.mjs');
const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    folder: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const PYTHON = '/usr/bin/python3';
if (spawnSync(PYTHON, ['-c', 'import cwltool']).status !== 0) {
  console.error('cwltool is needed: apt-get install cwltool');
  process.exit(2);
}
await build({ log: (line) => process.stderr.write(`weft: ${line}\n`) });

const folder = resolve(options.folder ?? mkdtempSync(join(tmpdir(), 'weft-differential-')));
const home = join(folder, 'home');
const env = { ...process.env, WEFT_HOME: home, WEFT_RUNNER_ID: `differential-${process.pid}`, WEFT_LINGER_S: '600' };
const cwltool = startCwltool();
const tally = { same: 0, 'both fail': 0, 'only cwltool fails': 0, 'only weft fails': 0, differ: 0 };
const SHOWN = new Set(options.verbose ? Object.keys(tally).slice(1) : ['only weft fails', 'differ']);
try {
  const first = Number(options.seed);
  for (let seed = first; seed < first + Number(options.count); seed += 1) await compare(seed);
} finally {
  cwltool.close();
  await runWeft(['down']);
  if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
console.log(
  Object.entries(tally)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', '),
);
process.exitCode = tally['only weft fails'] + tally.differ > 0 ? 1 : 0;

async function compare(seed) {
  const place = join(folder, String(seed));
  rmSync(place, { recursive: true, force: true });
  const { files, document, job } = makeCase(seed, options.only);
  for (const [path, content] of Object.entries(files)) write(join(place, path), content);
  const arguments_ = (outdir) => ['--quiet', '--no-container', '--outdir', join(place, outdir), join(place, document), join(place, job)];
  const [theirs, ours] = await Promise.all([
    cwltool.run(['--disable-color', '--relax-path-checks', ...arguments_('cwltool')]),
    runWeft(['run', ...arguments_('weft')]),
  ]);
  for (const [name, { code, stdout, stderr }] of Object.entries({ cwltool: theirs, weft: ours }))
    write(join(place, `${name}.log`), `${code}\n${stdout}\n${stderr}`);
  const [verdict, why] = judge(theirs, ours);
  tally[verdict] += 1;
  if (SHOWN.has(verdict)) console.log(`${seed}: ${verdict}: ${why}`);
}

function judge(theirs, ours) {
  const lines = ({ stderr }) => stderr.trim().split('\n').filter((line) => !/^INFO|completed permanentFail|Final process status/.test(line)); // prettier-ignore
  const [said, weSaid] = [lines(theirs).slice(-3), lines(ours).slice(0, 3)].map((some) => some.join('\n    '));
  if (theirs.code !== 0 && ours.code !== 0) return ['both fail', `\n    ${weSaid}\n    ${said}`];
  if (theirs.code !== 0) return ['only cwltool fails', said];
  if (ours.code !== 0) return ['only weft fails', weSaid];
  const found = difference(normal(JSON.parse(theirs.stdout)), normal(JSON.parse(ours.stdout)));
  return found === undefined ? ['same', ''] : ['differ', found];
}

/** One process for all cases: a call answers the arguments on a line. */
function startCwltool() {
  const child = spawn(PYTHON, [join(here, 'cwltool-batch.py')], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(args) {
      child.stdin.write(`${JSON.stringify(args)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('cwltool has ended');
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

async function runWeft(args) {
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
