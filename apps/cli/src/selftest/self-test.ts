/**
 * Runs every check of the repository one after the other, prepares what they need (Redis, Docker, images), and adds up the results.
 *
 * Invariants:
 *  1. What cannot be run is counted as skipped and said, never left out.
 *  2. What was started for the checks is stopped afterwards, also where a part hangs or somebody interrupts them.
 *  3. Each part ends: by itself, or by its limit, which is a failure that is named like any other.
 *  4. The last lines say which part took how long and what failed; the very last one is the result, and alone on stdout.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandError } from '../errors.js';
import { distDirectory } from '../stack/build-copy.js';
import { ensureRedisServer } from '../stack/redis.js';
import { makeTemporaryFolder } from '../temporary-folder.js';
import { checkConformance } from './conformance.js';
import { type DockerEngine, ensureDocker, removeContainersOf } from './docker.js';
import { ensurePrograms } from './packages.js';
import { PartRun } from './part.js';
import { ensureScikitLearn } from './python.js';
import {
  NOTHING,
  type PartResult,
  type Tally,
  add,
  closingLine,
  exitCodeOf,
  failure,
  skip,
  summaryLines,
  tallyOfChaos,
  tallyOfJest,
} from './results.js';
import { ensureSwift } from './swift.js';

const ROOT = resolve(distDirectory(), '..');
const CLI = join(distDirectory(), 'cli.mjs');
/** In minutes: many times what each takes on a quiet machine of two cores. For what hangs; how long a part takes says nothing. */
const LIMITS = { typecheck: 20, lint: 20, unit: 90, redis: 60, docker: 60, e2e: 120, conformance: 120, chaos: 45 } as const;
type Part = keyof typeof LIMITS;
const PARTS = Object.keys(LIMITS) as Part[];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function selfTest(only: string[]): Promise<number> {
  const unknown = only.filter((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown.length > 0) throw new CommandError(`no such part: ${unknown.join(', ')}; there are ${PARTS.join(', ')}`);
  const checks = new Checks(PARTS.filter((part) => only.length === 0 || only.includes(part)));
  const handlers = SIGNALS.map((signal) => [signal, () => checks.interrupt(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    return await checks.run();
  } finally {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  }
}

class Checks {
  private readonly scratch = makeTemporaryFolder('weft-test-');
  /** TMPDIR of the parts: a short name, because sockets lie below. */
  private readonly folder = join(this.scratch, 't');
  private readonly results: PartResult[] = [];
  private engine: DockerEngine | undefined;
  private current: PartRun | undefined;
  private interrupted: (typeof SIGNALS)[number] | undefined;

  constructor(private readonly wanted: readonly Part[]) {
    // Tests start programs as other users, too.
    chmodSync(this.scratch, 0o755);
    mkdirSync(this.folder);
    chmodSync(this.folder, 0o1777);
  }

  interrupt(signal: (typeof SIGNALS)[number]): void {
    this.interrupted = signal;
    this.current?.end(`interrupted by ${signal}: ending what was started`);
  }

  async run(): Promise<number> {
    try {
      await this.prepare();
      for (const part of this.wanted) {
        if (this.interrupted !== undefined) break;
        await this.runPart(part);
      }
    } finally {
      await this.cleanUp();
    }
    const total = this.results.map(({ tally }) => tally).reduce(add, NOTHING);
    const ci = process.env['CI'] === 'true';
    for (const line of summaryLines(this.results, ci)) say(line);
    if (this.interrupted !== undefined) say(`interrupted by ${this.interrupted}: this is not the whole result`);
    process.stdout.write(`${closingLine(total)}\n`);
    return this.interrupted === undefined ? exitCodeOf(total, ci) : 128 + constants.signals[this.interrupted];
  }

  private async prepare(): Promise<void> {
    const needs = (...parts: Part[]): boolean => this.interrupted === undefined && parts.some((part) => this.wanted.includes(part));
    if (needs('unit')) ensureScikitLearn(say);
    if (needs('unit', 'redis', 'e2e', 'chaos')) ensurePrograms(say);
    if (needs('e2e')) ensureSwift(say);
    if (needs('redis', 'e2e', 'conformance', 'chaos')) ensureRedisServer(say);
    if (needs('docker', 'e2e', 'conformance', 'chaos')) this.engine = await ensureDocker(join(ROOT, 'tests/images'), this.scratch, say);
  }

  private async runPart(part: Part): Promise<void> {
    say(`—— ${part}`);
    const began = performance.now();
    const run = new PartRun({ root: ROOT, folder: this.folder, limitMs: LIMITS[part] * 60_000, say: (line) => say(`${part}: ${line}`) });
    this.current = run;
    const tally = (await run.within(() => this.tallyOf(part, run))) ?? failure(run.ended ?? 'it has no result');
    this.current = undefined;
    const seconds = (performance.now() - began) / 1000;
    say(`${part}: ${closingLine(tally)} (${seconds.toFixed(0)} s)`);
    this.results.push({ part, tally, seconds });
  }

  private async tallyOf(part: Part, run: PartRun): Promise<Tally> {
    if (part === 'typecheck') return one(await run.run(bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']), 'types');
    if (part === 'lint') return one(await run.run(process.execPath, ['tools/lint.mjs']), 'lint');
    if ((part === 'docker' || part === 'conformance' || part === 'chaos') && this.engine?.unavailable) {
      say(`SKIPPED ${part}: ${this.engine.unavailable}`);
      return skip(this.engine.unavailable);
    }
    if (part === 'conformance') {
      const weft = (args: string[], env: Record<string, string>): Promise<boolean> => run.run(process.execPath, [CLI, ...args], env);
      return checkConformance({ root: ROOT, scratch: this.folder, say, weft });
    }
    return part === 'chaos' ? this.chaos(run) : this.jest(part, run);
  }

  /** The short form, always the same. */
  private async chaos(run: PartRun): Promise<Tally> {
    const report = join(this.scratch, 'chaos.json');
    await run.run(process.execPath, ['tests/chaos/run.mjs', '--short', '--report', report]);
    return existsSync(report) ? tallyOfChaos(readFileSync(report, 'utf8')) : failure('it ended without a report');
  }

  private async jest(project: Part, run: PartRun): Promise<Tally> {
    const report = join(this.scratch, `${project}.json`);
    const args = ['node_modules/jest/bin/jest.js', `--selectProjects=${project}`, '--passWithNoTests', '--json', `--outputFile=${report}`];
    // The report is complete when the tests are: a socket that lingers in Jest must not hold up (or hang) the other parts.
    args.push('--forceExit');
    // Services that are started for a whole file would otherwise fight for two cores.
    const inBand = project === 'unit' ? [] : ['--runInBand'];
    await run.run(process.execPath, [...args, ...inBand], { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' });
    return existsSync(report) ? tallyOfJest(readFileSync(report, 'utf8'), ROOT) : failure('Jest ended without a report');
  }

  private async cleanUp(): Promise<void> {
    if (this.engine !== undefined && this.engine.unavailable === undefined) removeContainersOf(this.scratch, say);
    await this.engine?.stop();
    this.keepEvidence();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  /** What a chaos test keeps for whoever looks for the cause of its failure outlasts the checks. */
  private keepEvidence(): void {
    for (const name of readdirSync(this.folder).filter((entry) => entry.startsWith('weft-chaos-'))) {
      const kept = join(tmpdir(), name);
      renameSync(join(this.folder, name), kept);
      say(`chaos: logs, schedule and report are in ${kept} now`);
    }
  }
}

function one(ok: boolean, name: string): Tally {
  return ok ? { ...NOTHING, passed: 1 } : failure(`${name}: see above`);
}

function bin(name: string): string {
  return join(ROOT, 'node_modules/.bin', name);
}
