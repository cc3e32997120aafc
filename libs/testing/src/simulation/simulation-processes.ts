/**
 * The histories of a simulation, spread over processes of their own: as plain bundles they run several times faster than in a test runner's
 * module sandbox, and on every core.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Assignment, Verdict } from './histories.js';

const run = promisify(execFile);
/** Journals of broken histories are long. */
const MAX_OUTPUT_BYTES = 2 ** 28;
/** Histories make much that is soon gone: with room for it, little of it is looked at twice. */
const NODE_OPTIONS = ['--max-semi-space-size=32'];
const REQUIRE = "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);";

/** @param program calls `serveHistories` */
export async function simulate(program: URL, { from, to, without }: Omit<Assignment, 'stride'>): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-simulation-'));
  try {
    const bundle = join(folder, 'simulation.mjs');
    await bundled(program, bundle);
    const stride = Math.max(1, Math.min(availableParallelism(), to - from + 1));
    const verdicts = await Promise.all(
      Array.from({ length: stride }, (_, nth) => verdictOf(bundle, { from: from + nth, to, stride, without })),
    );
    return verdicts.reduce((sum, one) => ({
      histories: sum.histories + one.histories,
      steps: sum.steps + one.steps,
      broken: [...sum.broken, ...one.broken],
    }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bundled(program: URL, bundle: string): Promise<void> {
  // The command, not the module: that one does not work inside a test runner's sandbox.
  const esbuild = createRequire(import.meta.url).resolve('esbuild/bin/esbuild');
  const shape = ['--bundle', '--format=esm', '--platform=node', '--target=node20', '--main-fields=module,main', `--banner:js=${REQUIRE}`];
  await run(esbuild, [fileURLToPath(program), ...shape, `--outfile=${bundle}`, '--log-level=error']);
}

async function verdictOf(bundle: string, assignment: Assignment): Promise<Verdict> {
  const { stdout } = await run(process.execPath, [...NODE_OPTIONS, bundle, JSON.stringify(assignment)], {
    maxBuffer: MAX_OUTPUT_BYTES,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(stdout) as Verdict;
}
