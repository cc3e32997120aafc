/**
 * A copy of the repository in which rules are undone and tests run.
 *
 * Invariants:
 *  1. The clone is only read: its own files (tools/sources.mjs) are copied, changed ones too; `node_modules` are hard links, which nothing writes to.
 *  2. Nothing outlives a run: what a test started and left is ended with it (PartRun), and each run has a limit.
 *  3. An edit is taken back, whatever the work that was done under it comes to.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PartRun } from '../../apps/cli/src/selftest/part.js';
import type { Edit, Project } from './undoings.js';
import { type Ran, ranOf } from './verdict.js';

const LIMIT_MS = 15 * 60_000;
/** Of a test that is known to wait for ever: many times what it takes otherwise. */
const HANGS_MS = 120_000;

export class Workplace {
  private readonly scratch = mkdtempSync(join(tmpdir(), 'weft-sabotage-'));
  private readonly root = join(this.scratch, 'clone');
  /** TMPDIR of the tests: a short name, because sockets lie below. */
  private readonly folder = join(this.scratch, 't');
  private readonly log = join(this.scratch, 'log');
  private current: PartRun | undefined;
  private ended: string | undefined;

  constructor(clone: string) {
    // Tests start programs as other users, too.
    chmodSync(this.scratch, 0o755);
    const listed = must(spawnSync(process.execPath, ['tools/sources.mjs', clone], { cwd: clone, encoding: 'utf8', maxBuffer: 64 << 20 }));
    for (const file of listed.split('\n').filter((name) => name !== '')) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      cpSync(join(clone, file), join(this.root, file));
    }
    const copy = (how: string): ReturnType<typeof spawnSync> =>
      spawnSync('cp', [how, join(clone, 'node_modules'), this.root], { encoding: 'utf8' });
    // On another file system, or of another user's files, there are no hard links.
    if (copy('-al').status !== 0) {
      rmSync(join(this.root, 'node_modules'), { recursive: true, force: true });
      must(copy('-a'));
    }
  }

  async whileUndone<T>(edits: readonly Edit[], work: () => Promise<T>): Promise<T> {
    const before = new Map<string, string>();
    try {
      for (const { file, take, put } of edits) {
        const path = join(this.root, file);
        const text = readFileSync(path, 'utf8');
        if (!before.has(path)) before.set(path, text);
        writeFileSync(path, text.split(take).join(put));
      }
      return await work();
    } finally {
      for (const [path, text] of before) writeFileSync(path, text);
    }
  }

  /** The tests of a spec whose full name has one of these in it. A string: why there is no result. */
  async test(project: Project, spec: string, names: readonly string[], hangs = false): Promise<Ran | string> {
    const report = join(this.scratch, 'report.json');
    rmSync(report, { force: true });
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder);
    chmodSync(this.folder, 0o1777);
    const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', project, '--runTestsByPath', spec, `--testNamePattern=${pattern}`];
    const run = new PartRun({ root: this.root, folder: this.folder, limitMs: LIMIT_MS, say: () => undefined });
    this.current = run;
    if (this.ended !== undefined) run.end(this.ended);
    const problem = await run.within(async () => {
      if (project !== 'unit' && !(await this.quietly(run, ['tools/build.mjs']))) return `it does not build: ${this.said()}`;
      const more = ['--json', `--outputFile=${report}`, '--forceExit', '--runInBand', `--cacheDirectory=${join(this.scratch, 'cache')}`];
      if (hangs) more.push(`--testTimeout=${HANGS_MS}`);
      await this.quietly(run, [...jest, ...more]);
      return existsSync(report) ? '' : `Jest ended without a report: ${this.said()}`;
    });
    this.current = undefined;
    if (problem === '') return ranOf(readFileSync(report, 'utf8'));
    return problem ?? run.ended ?? 'it has no result';
  }

  /** What runs is ended, and nothing runs any more. */
  end(why: string): void {
    this.ended = why;
    this.current?.end(why);
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private quietly(run: PartRun, args: string[]): Promise<boolean> {
    const env = { WEFT_SABOTAGE_LOG: this.log, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' };
    return run.run('/bin/sh', ['-c', 'exec "$0" "$@" >"$WEFT_SABOTAGE_LOG" 2>&1', process.execPath, ...args], env);
  }

  private said(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().slice(-500) : '';
  }
}

function must({ status, stdout, stderr }: ReturnType<typeof spawnSync>): string {
  if (status !== 0) throw new Error(String(stderr));
  return String(stdout);
}
