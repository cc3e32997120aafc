/**
 * Sends cases to a worker, a process of its own, and judges its answers.
 *
 * Invariants:
 *  1. What a case does to its worker ends that process and nothing else; the next case gets another one.
 *  2. A limit is work done, CPU time that the worker's own watch counts, never time that passes: a busy machine changes no verdict. A case that
 *     waits for nothing ends its worker as well (worker.ts).
 *  3. A case that took too long is tried once more by itself, in a worker that has compiled nothing for others; only then it counts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { FuzzAnswer, FuzzCase } from './case-worker.js';

/** Far more than any case of the corpus, far less than anybody would wait. */
const CPU_LIMIT_MS = 5_000;
const HEAP_LIMIT_MB = 512;
/** Of what a worker said before its end. */
const LAST_WORDS = 2_000;
const TOO_LONG = Symbol('too long');
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface CaseRunnerOptions {
  /** The worker's source in this folder. */
  program?: string;
  cpuLimitMs?: number;
}

interface Worker {
  child: ChildProcess;
  said: string;
}

export class CaseRunner {
  readonly reached: Record<FuzzAnswer['reached'], number> = { diagnostics: 0, plan: 0, inputs: 0 };
  private worker: Worker | undefined;

  private constructor(
    private readonly folder: string,
    private readonly program: string,
    private readonly cpuLimitMs: number,
  ) {}

  static async start({ program = 'case-worker', cpuLimitMs = CPU_LIMIT_MS }: CaseRunnerOptions = {}): Promise<CaseRunner> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-fuzz-'));
    await build({
      entryPoints: [join(process.cwd(), 'tests', 'fuzz', `${program}.ts`)],
      outfile: join(folder, `${program}.mjs`),
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
      banner: { js: REQUIRE },
    });
    return new CaseRunner(folder, program, cpuLimitMs);
  }

  /** Throws where an invariant was broken, the worker died, or the case was too much work. */
  async check(one: FuzzCase): Promise<void> {
    let answer = await this.ask(one);
    if (answer === TOO_LONG) answer = await this.ask(one);
    if (answer === TOO_LONG) throw new Error(`no answer after ${this.cpuLimitMs} ms of CPU time`);
    if (answer.broken !== undefined) throw new Error(answer.broken);
    this.reached[answer.reached] += 1;
  }

  async close(): Promise<void> {
    const child = this.worker?.child;
    if (child !== undefined) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private ask(one: FuzzCase): Promise<FuzzAnswer | typeof TOO_LONG> {
    const worker = (this.worker ??= this.begin());
    const { child } = worker;
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        child.off('message', onMessage).off('close', onClose).off('error', onError);
        how();
      };
      const onMessage = (answer: unknown): void => settle(() => resolve(answer as FuzzAnswer));
      const onError = (error: Error): void => settle(() => reject(error));
      // Streams included: what it said last is known then.
      const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.worker = undefined;
        settle(() => (signal === 'SIGXCPU' ? resolve(TOO_LONG) : reject(new Error(deathOf(code, signal, worker.said)))));
      };
      child.on('message', onMessage).on('close', onClose).on('error', onError);
      child.send(one);
    });
  }

  private begin(): Worker {
    const child = fork(join(this.folder, `${this.program}.mjs`), [String(this.cpuLimitMs)], {
      // A core file, where the system writes such, goes with the folder.
      cwd: this.folder,
      execArgv: [`--max-old-space-size=${HEAP_LIMIT_MB}`],
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const worker: Worker = { child, said: '' };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (worker.said = (worker.said + text).slice(-LAST_WORDS)));
    return worker;
  }
}

function deathOf(code: number | null, signal: NodeJS.Signals | null, said: string): string {
  if (code === 0) return 'the worker waits for nothing and has no answer';
  return `the worker died (${signal ?? `exit code ${code}`}): ${said.trim()}`;
}
