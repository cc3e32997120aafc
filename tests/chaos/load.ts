/**
 * Submits the mix, follows every run to its end and compares it with the undisturbed reference. What failed or was cancelled may go on by a retry;
 * what succeeded may be submitted again, so that its results are used.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ChaosClient, type FinalRun, LostRun, type TaskOf, type WatchedEvent } from './client.js';
import { type Item, MIX } from './mix.js';
import { lookAt, spoil } from './outputs.js';
import type { Progress } from './progress.js';
import type { PROJECTS, Submission } from './schedule.js';
import { RETENTION_MS, type World } from './world.js';

/** What must not be, by the oracle that says so. */
export type Complain = (oracle: 'lost' | 'ends' | 'bytes' | 'keys' | 'watchers', text: string) => void;

export interface Acknowledged {
  runId: string;
  key: string;
  project: (typeof PROJECTS)[number];
  kind: string;
  cancelled: boolean;
  /** No gateway knows it any more. */
  lost?: boolean;
  /** As a client saw it right after its end. */
  ended?: { run: FinalRun; tasks: TaskOf[] };
}

const UNDISTURBED = { n: -1, dialect: 'grpc', gateway: 0, copies: 1, noCache: true, project: 'chaos', priority: 0 } as const;

export class Load {
  /** By `<kind>/<variant>`: how a run ends where nothing disturbs it, and how after it was mended and retried. */
  private readonly reference = new Map<string, string>();
  readonly acknowledged: Acknowledged[] = [];
  /** Keys under way, for the report of a test that does not end. */
  readonly open = new Map<string, string>();
  retried = 0;
  /** Retries that came after the retention time, when the files that the run would have gone on from were gone. */
  late = 0;
  submittedAgain = 0;

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
      const submission: Submission = { ...UNDISTURBED, kind, variant, maxParallelTasks: 0, resume: false };
      const { fails } = itemOf(kind);
      await this.through(submission, `reference-${kind}-${variant}`, (name, final, ending) => {
        if ((final.status === 'succeeded') === (fails === true && !name.endsWith(MENDED)))
          throw new Error(`undisturbed, ${name} ends as ${final.status}: ${final.failure?.message}`);
        this.reference.set(name, ending);
      });
    });
  }

  async take(submission: Submission): Promise<void> {
    try {
      await this.takeAll(submission);
    } catch (error) {
      if (!(error instanceof LostRun)) throw error;
      this.lose(error.runId);
    }
  }

  /** Named once, and asked for no more. */
  lose(runId: string): void {
    const run = this.acknowledged.find((one) => one.runId === runId);
    if (run === undefined || run.lost) return;
    run.lost = true;
    this.open.delete(run.key);
    this.complain('lost', `${run.key} (${run.kind}) ${runId} was acknowledged, and no gateway knows it any more`);
  }

  private async takeAll(submission: Submission): Promise<void> {
    const key = `s-${submission.n}`;
    const judge: Judge = (name, final, ending, run) => this.judge(name, final, ending, run);
    const { again, cancelAfter: _once, ...same } = submission;
    const first = await this.through(submission, key, judge);
    if (!again || first.status !== 'succeeded') return;
    if (again.file !== 'stays') spoil(first.outputs, again.pick, again.file);
    this.submittedAgain += 1;
    await this.through({ ...same, copies: 1, noCache: false }, `${key}-again`, judge, key);
  }

  /** From its submission to its last end. `place` names the folder that its inputs lead to. */
  private async through(submission: Submission, key: string, judge: Judge, place = key): Promise<FinalRun> {
    const { kind, variant, gateway } = submission;
    const item = itemOf(kind);
    const folder = join(this.world.folder, 'submissions', place);
    mkdirSync(folder, { recursive: true });
    this.open.set(key, `${kind}, not acknowledged`);
    const run = await this.submitted(submission, key, item, folder);
    // What was mended for the first is mended for the second.
    const name = `${kind}/${variant}${item.mend && place !== key ? MENDED : ''}`;
    let final = await this.end(run, submission);
    judge(name, final, this.ending(item, run), run);
    if (final.status === 'cancelled' ? submission.resume : item.mend && final.status === 'failed') {
      item.mend?.(folder);
      const { cancelAfter: _once, ...uncancelled } = submission;
      const goesOn = await this.client.retry(run.runId, gateway);
      final = await this.end(run, uncancelled);
      if (goesOn || final.status === 'succeeded') {
        this.retried += 1;
        judge(item.mend ? `${kind}/${variant}${MENDED}` : name, final, this.ending(item, run), run);
      } else if (Date.now() - Date.parse(final.finished_at) < RETENTION_MS) {
        this.complain('ends', `${name} ${run.runId} cannot be retried although it has only just ended`);
      } else this.late += 1;
    }
    this.open.delete(key);
    return final;
  }

  private async submitted(submission: Submission, key: string, item: Item, folder: string): Promise<Acknowledged> {
    const { kind, variant, dialect, gateway, noCache, project, priority, maxParallelTasks } = submission;
    const body = {
      ...{ document: item.document, inputs: item.inputs(variant, folder), key, name: key },
      ...{ project, noCache, priority, maxParallelTasks, failureMode: item.failureMode ?? ('fail-fast' as const) },
    };
    const copies = Array.from({ length: submission.copies }, (_, i) => this.client.submit(body, dialect, gateway + i));
    const ids = [...new Set(await Promise.all(copies))];
    if (ids.length > 1) this.complain('keys', `key ${key} gave ${ids.join(' and ')}`);
    const run: Acknowledged = { runId: ids[0] as string, key, project, kind, cancelled: false };
    this.acknowledged.push(run);
    this.open.set(key, `${kind} ${run.runId}`);
    return run;
  }

  private async end(run: Acknowledged, submission: Submission): Promise<FinalRun> {
    const { gateway } = submission;
    const ended = new AbortController();
    const cancel = this.cancelAt(submission, run, ended.signal);
    const events = await this.client.follow(run.runId, gateway);
    ended.abort();
    await cancel;
    const final = await this.client.final(run.runId, gateway);
    run.ended = { run: final, tasks: await this.client.tasks(run.runId, gateway) };
    for (const text of wrongIn(events, final)) this.complain('watchers', `run ${run.runId}: ${text}`);
    return final;
  }

  private async cancelAt({ cancelAfter, gateway }: Submission, run: Acknowledged, signal: AbortSignal): Promise<void> {
    if (cancelAfter === undefined) return;
    await this.progress.until(() => this.progress.of(run.runId) >= cancelAfter, 60_000, signal);
    if (signal.aborted) return;
    run.cancelled = true;
    await this.client.cancel(run.runId, gateway);
  }

  private judge(name: string, final: FinalRun, ending: string, run: Acknowledged): void {
    if (final.status === 'cancelled') {
      if (!run.cancelled) this.complain('ends', `${name} ${run.runId} was cancelled, which nobody asked for`);
      return;
    }
    const wanted = this.reference.get(name);
    if (ending === wanted) return;
    const why = final.failure === null ? '' : ` (${final.failure.message})`;
    this.complain('ends', `${name} ${run.runId} ended as ${ending}${why}; undisturbed: ${wanted}`);
  }

  /** How a run ended, in words that two runs of the same share. */
  private ending({ failureMode }: Item, { runId, ended }: Acknowledged): string {
    if (!ended) return 'not at all';
    const { status, failure, outputs } = ended.run;
    if (status === 'succeeded') {
      const { text, problems } = lookAt(outputs);
      for (const problem of problems) this.complain('bytes', `${runId}: ${problem}`);
      return `succeeded ${text}`;
    }
    // Where a failure stops the others, chance says how far they come.
    const tasks = failureMode === 'continue' ? ended.tasks.map(({ step, index, status }) => `${step}[${index}] ${status}`).sort() : [];
    return [`${status} ${failure?.code} ${failure?.step} ${failure?.exit_code}`, ...tasks].join(', ');
  }
}

const MENDED = ', mended';

type Judge = (name: string, final: FinalRun, ending: string, run: Acknowledged) => void;

function itemOf(kind: string): Item {
  const item = MIX[kind];
  if (item === undefined) throw new Error(`no workflow is called '${kind}'`);
  return item;
}

/** A stream that was resumed is the same as one that was not. */
function wrongIn(events: WatchedEvent[], final: FinalRun): string[] {
  const wrong: string[] = [];
  const ids = events.filter(({ id }) => id !== '').map(({ id }) => id.split('.').map(Number) as [number, number?]);
  for (const [i, [sequence, ordinal = 0]] of ids.entries()) {
    const [before, ordinalBefore = 0] = ids[i - 1] ?? [0, 0];
    if (sequence < before || (sequence === before && ordinal <= ordinalBefore && i > 0))
      wrong.push(`event ${sequence}.${ordinal} came after ${before}.${ordinalBefore}`);
  }
  const succeeded = events
    .filter(({ event }) => event === 'task_status')
    .map(({ data }) => data['task'] as { task_id: string; status: string })
    .filter(({ status }) => status === 'succeeded')
    .map(({ task_id: taskId }) => taskId);
  const twice = succeeded.filter((taskId, i) => succeeded.indexOf(taskId) !== i);
  if (twice.length > 0) wrong.push(`${twice.join(', ')} succeeded twice`);
  const last = events.findLast(({ event }) => event === 'run_status')?.data['status'];
  if (last !== final.status) wrong.push(`its events end with ${String(last)}, it is ${final.status}`);
  return wrong;
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
