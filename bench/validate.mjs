// How long loading and checking a document takes, warm, and whether it grows linearly: 500 and 5,000 inline steps, as YAML and as JSON.
//
//   node bench/validate.mjs [--runs 7]
//
// Prints the median per document and, per format, the time of one step at 5,000 over that at 500: 1 is linear.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SIZES = [500, 5000];
const runs = Math.max(1, Number(process.argv[process.argv.indexOf('--runs') + 1]) || 7);

const tool = (n) => ({
  class: 'CommandLineTool',
  doc: `step ${n} says what it was told`,
  baseCommand: ['echo', '-n'],
  arguments: ['--', { valueFrom: '$(runtime.cores)', position: 1 }],
  requirements: { ResourceRequirement: { coresMin: 1, ramMin: 64 } },
  inputs: { message: { type: 'string?', default: `m${n}`, inputBinding: { position: 2, prefix: '-m' } }, files: 'File[]?' },
  outputs: { said: { type: 'File', outputBinding: { glob: `out-${n}.txt` } } },
  stdout: `out-${n}.txt`,
});

/** A chain of inline steps, with a second link per step so that no step stands alone. */
function workflow(size) {
  const steps = {};
  for (let n = 0; n < size; n += 1) {
    const files = n === 0 ? 'files' : [`s${n - 1}/said`];
    const linked = n === 0 ? files : { source: files, linkMerge: 'merge_flattened' };
    steps[`s${n}`] = { run: tool(n), in: { message: 'text', files: linked }, out: ['said'] };
  }
  const outputs = { last: { type: 'File', outputSource: `s${size - 1}/said` } };
  return {
    cwlVersion: 'v1.2',
    class: 'Workflow',
    requirements: { MultipleInputFeatureRequirement: {} },
    inputs: { text: 'string', files: 'File[]' },
    outputs,
    steps,
  };
}

/** Block style, two spaces, as people write it. */
function yaml(value, indent = '') {
  if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value)}\n`;
  const list = Array.isArray(value);
  const entries = list ? value.map((item) => ['-', item]) : Object.entries(value).map(([key, item]) => [`${key}:`, item]);
  if (entries.length === 0) return list ? ' []\n' : ' {}\n';
  return `\n${entries.map(([lead, item]) => `${indent}${lead}${yaml(item, `${indent}  `)}`).join('')}`;
}

async function loader() {
  const folder = await mkdtemp(join(tmpdir(), 'weft-validate-'));
  try {
    const outfile = join(folder, 'cwl.mjs');
    const entry = new URL('../libs/cwl/src/index.ts', import.meta.url).pathname;
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
      banner: { js: REQUIRE },
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

async function median(load, text) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    const result = await load('weft:document.cwl', { fetch: () => Promise.resolve(text) });
    times.push(performance.now() - start);
    if (result.plan === undefined) throw new Error(JSON.stringify(result.diagnostics.slice(0, 3)));
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)];
}

const { loadDocument } = await loader();
const formats = { YAML: (document) => yaml(document).trimStart(), JSON: (document) => JSON.stringify(document, null, 2) };
await median(loadDocument, formats.YAML(workflow(200)));
for (const [name, print] of Object.entries(formats)) {
  const perStep = [];
  for (const size of SIZES) {
    const text = print(workflow(size));
    const ms = await median(loadDocument, text);
    perStep.push(ms / size);
    console.log(
      `${name} ${String(size).padStart(5)} steps  ${(text.length / 1024).toFixed(0).padStart(5)} KiB  ${ms.toFixed(0).padStart(5)} ms`,
    );
  }
  console.log(`${name} per step at ${SIZES[1]} / at ${SIZES[0]}: ${(perStep[1] / perStep[0]).toFixed(2)}`);
}
