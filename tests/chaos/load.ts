/**
 * Submits the mix, follows every run to its end and compares it with the undisturbed reference.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosClient, FinalRun, WatchedEvent } from './client.js';
import { MIX } from './mix.js';
import { lookAt } from './outputs.js';
import type { Progress } from './progress.js';
import type { Submission } from './schedule.js';
import type { World } from './world.js';

export const PROJECT = 'chaos';

/** What must not be, by the oracle that says so. */
export type Complain = (oracle: 'ends' | 'bytes' | 'keys' | 'watchers', text: string) => void;

export interface Acknowledged {
  runId: string;
  key: string;
  kind: string;
  cancelled: boolean;
  ended?: FinalRun['status'];
}

export class Load {
  /** By `<kind>/<variant>`: how a run ends where nothing disturbs it. */
  private readonly reference = new Map<string, string>();
  readonly acknowledged: Acknowledged[] = [];
  /** Keys under way, for the report of a test that does not end. */
  readonly open = new Map<string, string>();

  constructor(
    private readonly world: World,
    private readonly client: ChaosClient,
    private readonly progress: Progress,
    private readonly complain: Complain,
  ) {}

  /** Runs everything once without disturbance. */
  async learn(kinds: readonly string[], variants: number): Promise<void> {
    const wanted = kinds.flatMap((kind) => Array.from({ length: variants }, (_, variant) => ({ kind, variant })));
    await inParallel(8, wanted, async ({ kind, variant }) => {
      const key = `reference-${kind}-${variant}`;
      const runId = await this.submit({ n: -1, kind, variant, dialect: 'grpc', gateway: 0, copies: 1, noCache: true }, key, 0);
      this.acknowledged.push({ runId, key, kind, cancelled: false });
      await this.client.follow(runId, 0);
      const final = await this.client.final(runId, 0);
      if ((final.status === 'succeeded') === (kind === 'failing'))
        throw new Error(`undisturbed, ${kind}/${variant} ends as ${final.status}: ${final.failure?.message}`);
      this.reference.set(`${kind}/${variant}`, this.ending(final));
      this.open.delete(key);
    });
  }

  async take(submission: Submission): Promise<void> {
    const key = `s-${submission.n}`;
    const copies = Array.from({ length: submission.copies }, (_, i) => this.submit(submission, key, submission.gateway + i));
    const ids = [...new Set(await Promise.all(copies))];
    if (ids.length > 1) this.complain('keys', `key ${key} gave ${ids.join(' and ')}`);
    const runId = ids[0] as string;
    const known: Acknowledged = { runId, key, kind: submission.kind, cancelled: false };
    this.acknowledged.push(known);
    this.open.set(key, `${submission.kind} ${runId}`);
    const ended = new AbortController();
    const cancel = this.cancelAt(submission, known, ended.signal);
    const events = await this.client.follow(runId, submission.gateway);
    ended.abort();
    await cancel;
    const final = await this.client.final(runId, submission.gateway);
    known.ended = final.status;
    this.judge(submission, known, final);
    this.judgeEvents(runId, events, final);
    this.open.delete(key);
  }

  private submit({ kind, variant, dialect, noCache }: Submission, key: string, first: number): Promise<string> {
    const item = MIX[kind];
    if (item === undefined) throw new Error(`no workflow is called '${kind}'`);
    const folder = join(this.world.folder, 'submissions', key);
    mkdirSync(folder, { recursive: true });
    this.open.set(key, `${kind}, not acknowledged`);
    const { document } = item;
    return this.client.submit(
      { document, inputs: item.inputs(variant, folder), key, name: key, project: PROJECT, noCache },
      dialect,
      first,
    );
  }

  private async cancelAt({ cancelAfter, gateway }: Submission, run: Acknowledged, signal: AbortSignal): Promise<void> {
    if (cancelAfter === undefined) return;
    await this.progress.until(() => this.progress.of(run.runId) >= cancelAfter, 60_000, signal);
    if (signal.aborted) return;
    run.cancelled = true;
    await this.client.cancel(run.runId, gateway);
  }

  private judge({ kind, variant }: Submission, run: Acknowledged, final: FinalRun): void {
    if (final.status === 'cancelled') {
      if (!run.cancelled) this.complain('ends', `${kind}/${variant} ${run.runId} was cancelled, which nobody asked for`);
      return;
    }
    const wanted = this.reference.get(`${kind}/${variant}`);
    const found = this.ending(final, run.runId);
    if (found !== wanted) {
      const why = final.failure === null ? '' : ` (${final.failure.message})`;
      this.complain('ends', `${kind}/${variant} ${run.runId} ended as ${found}${why}; undisturbed: ${wanted}`);
    }
  }

  /** How a run ended, in words that two runs of the same share. */
  private ending({ status, outputs, failure }: FinalRun, runId = ''): string {
    if (status !== 'succeeded') return `${status} ${failure?.code} ${failure?.step} ${failure?.exit_code}`;
    const { text, problems } = lookAt(outputs);
    for (const problem of problems) this.complain('bytes', `${runId}: ${problem}`);
    return `succeeded ${text}`;
  }

  /** A stream that was resumed is the same as one that was not. */
  private judgeEvents(runId: string, events: WatchedEvent[], final: FinalRun): void {
    const ids = events.filter(({ id }) => id !== '').map(({ id }) => id.split('.').map(Number) as [number, number?]);
    for (const [i, [sequence, ordinal = 0]] of ids.entries()) {
      const [before, ordinalBefore = 0] = ids[i - 1] ?? [0, 0];
      if (sequence < before || (sequence === before && ordinal <= ordinalBefore && i > 0))
        this.complain('watchers', `run ${runId}: event ${sequence}.${ordinal} came after ${before}.${ordinalBefore}`);
    }
    const succeeded = events
      .filter(({ event }) => event === 'task_status')
      .map(({ data }) => data['task'] as { task_id: string; status: string })
      .filter(({ status }) => status === 'succeeded')
      .map(({ task_id: taskId }) => taskId);
    const twice = succeeded.filter((taskId, i) => succeeded.indexOf(taskId) !== i);
    if (twice.length > 0) this.complain('watchers', `run ${runId}: ${twice.join(', ')} succeeded twice`);
    const last = events.findLast(({ event }) => event === 'run_status')?.data['status'];
    if (last !== final.status) this.complain('watchers', `run ${runId}: its events end with ${String(last)}, it is ${final.status}`);
  }
}

/** Takes items with so many hands until there are none or `signal` aborts. */
export async function inParallel<T>(
  hands: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const hand = async (): Promise<void> => {
    for (;;) {
      if (signal?.aborted) return;
      const next = iterator.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: hands }, hand));
}
