/**
 * Runs every check of the repository one after the other, prepares what they need (Redis, Docker, images), and adds up the results.
 *
 * Invariants:
 *  1. What cannot be run is counted as skipped and said, never left out.
 *  2. What was started for the checks is stopped afterwards.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandError } from '../errors.js';
import { distDirectory } from '../stack/build-copy.js';
import { ensureRedisServer } from '../stack/redis.js';
import { checkConformance } from './conformance.js';
import { type DockerEngine, ensureDocker } from './docker.js';
import { ensurePrograms } from './packages.js';
import { ensureScikitLearn } from './python.js';
import { NOTHING, type Tally, add, closingLine, exitCodeOf, tallyOfChaos, tallyOfJest } from './results.js';
import { ensureSwift } from './swift.js';

const ROOT = resolve(distDirectory(), '..');
const CLI = join(distDirectory(), 'cli.mjs');
const PARTS = ['typecheck', 'lint', 'unit', 'redis', 'docker', 'e2e', 'conformance', 'chaos'] as const;
type Part = (typeof PARTS)[number];

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function selfTest(only: string[]): Promise<number> {
  const unknown = only.filter((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown.length > 0) throw new CommandError(`no such part: ${unknown.join(', ')}; there are ${PARTS.join(', ')}`);
  const wanted = PARTS.filter((part) => only.length === 0 || only.includes(part));
  const needs = (...parts: Part[]): boolean => parts.some((part) => wanted.includes(part));
  const scratch = mkdtempSync(join(tmpdir(), 'weft-test-'));
  let engine: DockerEngine | undefined;
  let total = NOTHING;
  try {
    if (needs('unit')) ensureScikitLearn(say);
    if (needs('unit', 'redis', 'e2e', 'chaos')) ensurePrograms(say);
    if (needs('e2e')) ensureSwift(say);
    if (needs('redis', 'e2e', 'conformance', 'chaos')) ensureRedisServer(say);
    if (needs('docker', 'e2e', 'conformance', 'chaos')) engine = await ensureDocker(join(ROOT, 'tests/images'), scratch, say);
    for (const part of wanted) {
      say(`—— ${part}`);
      const tally = await runPart(part, scratch, engine);
      say(`${part}: ${closingLine(tally)}`);
      total = add(total, tally);
    }
  } finally {
    await engine?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  process.stdout.write(`${closingLine(total)}\n`);
  return exitCodeOf(total, process.env['CI'] === 'true');
}

async function runPart(part: Part, scratch: string, engine: DockerEngine | undefined): Promise<Tally> {
  if (part === 'typecheck') return one(await run('node_modules/.bin/tsc', ['--noEmit', '-p', 'tsconfig.json']));
  if (part === 'lint') return lint();
  if ((part === 'docker' || part === 'conformance' || part === 'chaos') && engine?.unavailable) {
    say(`SKIPPED ${part}: ${engine.unavailable}`);
    return { ...NOTHING, skipped: 1 };
  }
  if (part === 'conformance') {
    const weft = (args: string[], env: Record<string, string>): Promise<boolean> => run(process.execPath, [CLI, ...args], env);
    return checkConformance({ root: ROOT, scratch, say, weft });
  }
  if (part === 'chaos') return chaos(scratch);
  return jest(part, scratch);
}

/** The short form, always the same. */
async function chaos(scratch: string): Promise<Tally> {
  const report = join(scratch, 'chaos.json');
  const args = ['tests/chaos/run.mjs', '--short', '--report', report];
  await run(process.execPath, args);
  if (existsSync(report)) return tallyOfChaos(readFileSync(report, 'utf8'));
  say('chaos: it ended without a report');
  return { ...NOTHING, failed: 1 };
}

async function lint(): Promise<Tally> {
  if (existsSync(join(ROOT, 'tools/lint.mjs'))) return one(await run(process.execPath, ['tools/lint.mjs']));
  say('SKIPPED lint: tools/lint.mjs is not there');
  return { ...NOTHING, skipped: 1 };
}

async function jest(project: string, scratch: string): Promise<Tally> {
  const report = join(scratch, `${project}.json`);
  const args = ['node_modules/jest/bin/jest.js', `--selectProjects=${project}`, '--passWithNoTests', '--json', `--outputFile=${report}`];
  // The report is complete when the tests are: a socket that lingers in Jest must not hold up (or hang) the other parts.
  args.push('--forceExit');
  // Services that are started for a whole file would otherwise fight for two cores.
  const inBand = project === 'unit' ? [] : ['--runInBand'];
  await run(process.execPath, [...args, ...inBand], { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' });
  if (existsSync(report)) return tallyOfJest(readFileSync(report, 'utf8'));
  say(`${project}: jest ended without a report`);
  return { ...NOTHING, failed: 1 };
}

function one(ok: boolean): Tally {
  return ok ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1 };
}

/** Output goes to stderr: stdout carries the result alone. */
function run(command: string, args: string[], env: Record<string, string> = {}): Promise<boolean> {
  const program = command.startsWith('/') ? command : join(ROOT, command);
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
    child.on('error', fail);
    child.on('close', (code) => done(code === 0));
  });
}
