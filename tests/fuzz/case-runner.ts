/**
 * Sends cases to a worker thread and waits for each no longer than DEADLINE_MS. A case that is late is tried once more in a thread of its own,
 * because the machine may have been busy elsewhere; only then it counts as a hang.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { FuzzAnswer, FuzzCase } from './case-worker.js';

/** What a user may have to wait for an answer. */
const DEADLINE_MS = 2000;
const LATE = Symbol('late');
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export class CaseRunner {
  readonly reached: Record<FuzzAnswer['reached'], number> = { diagnostics: 0, plan: 0, inputs: 0 };
  private worker: Worker | undefined;

  private constructor(
    private readonly folder: string,
    private readonly program: string,
  ) {}

  /** `program`: the worker thread's source in this folder. */
  static async start(program = 'case-worker'): Promise<CaseRunner> {
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
    return new CaseRunner(folder, program);
  }

  /** Throws where an invariant was broken, the thread died (out of memory), or no answer came. */
  async check(one: FuzzCase): Promise<void> {
    let answer = await this.ask(one);
    if (answer === LATE) answer = await this.ask(one);
    if (answer === LATE) throw new Error(`no answer within ${DEADLINE_MS} ms`);
    if (answer.broken !== undefined) throw new Error(answer.broken);
    this.reached[answer.reached] += 1;
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async ask(one: FuzzCase): Promise<FuzzAnswer | typeof LATE> {
    const worker = (this.worker ??= new Worker(join(this.folder, `${this.program}.mjs`), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    }));
    const answer = await new Promise<FuzzAnswer | typeof LATE>((resolve, reject) => {
      const timer = setTimeout(() => finish(() => resolve(LATE)), DEADLINE_MS);
      const onMessage = (reply: FuzzAnswer): void => finish(() => resolve(reply));
      const onError = (error: unknown): void => {
        this.worker = undefined;
        finish(() => reject(new Error(`the thread died: ${String(error)}`)));
      };
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError);
        settle();
      };
      worker.on('message', onMessage).on('error', onError);
      worker.postMessage(one);
    });
    if (answer === LATE) {
      this.worker = undefined;
      await worker.terminate();
    }
    return answer;
  }
}
