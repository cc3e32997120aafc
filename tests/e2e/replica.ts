/** One more scheduler of a stack, in its own process, and the runs as it shows them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type run, scheduler } from '@weft/contracts';
import { callServerStream, createClient } from '@weft/platform';
import { ENDED } from './runs-client.js';
import { ROOT, type Stack } from './stack.js';

export class Replica {
  readonly client: scheduler.SchedulerClient;

  private constructor(
    private readonly child: ChildProcess,
    address: string,
  ) {
    this.client = createClient(scheduler.SchedulerClient, address);
  }

  /** Resolves when it serves: it has its share of the free partitions by then. */
  static async start(stack: Stack, name: string): Promise<Replica> {
    const address = `unix:${join(stack.runDirectory, `${name}.sock`)}`;
    const env = { ...stack.serviceEnvironment, WEFT_SCHEDULER_LISTEN: address };
    const child = spawn(process.execPath, [join(ROOT, 'dist/scheduler.mjs')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.pipe(createWriteStream(join(stack.scratch, `${name}.log`)));
    await new Promise<void>((ready, fail) => {
      createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('ready') && ready());
      child.once('close', (code) => fail(new Error(`${name} ended with ${code}`)));
    });
    return new Replica(child, address);
  }

  /** The status a run ends with, as this replica tells it. */
  async end(runId: string): Promise<run.RunStatusChanged> {
    for await (const { event } of callServerStream(this.client.watchRun.bind(this.client), { runId, afterSequence: 0 })) {
      if (event?.$case === 'runStatus' && ENDED.includes(event.value.status)) return event.value;
    }
    throw new Error(`the events of run ${runId} broke off`);
  }

  /** With SIGTERM it gives back what it holds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.client.close();
    const gone = new Promise<number | null>((done) => this.child.once('close', done));
    this.child.kill(signal);
    return gone;
  }
}
