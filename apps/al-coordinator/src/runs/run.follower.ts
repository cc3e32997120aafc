/**
 * Sees the workflow of one command through: prepares the runtime, submits, watches, and brings the end back into the session.
 *
 * Invariants:
 *  1. Everything it does may be done again after a restart: the run's idempotency key is the command's id, and an end is taken once.
 *  2. What may pass (the scheduler is away) is tried again until it works or the coordinator closes; what cannot pass fails the command.
 *  3. Closing leaves commands open; the next start follows them again.
 */
import { run } from '@weft/contracts';
import { isServiceError, type Logger, ServiceError, toServiceError } from '@weft/platform';
import type { AlRuntime } from '../runtime/al-runtime.js';
import type { RuntimeProvider } from '../runtime/runtime.provider.js';
import type { RunEnd } from '../session/session.outcome.js';
import { finish } from '../session/session.outcome.js';
import type { Command } from '../session/session.types.js';
import type { SessionUpdater } from '../store/session.updater.js';
import type { TemplateCatalog } from '../templates/template.catalog.js';
import type { SchedulerPort } from './scheduler.port.js';

export interface FollowerDeps {
  updater: SessionUpdater;
  scheduler: SchedulerPort;
  templates: TemplateCatalog;
  runtime: RuntimeProvider;
  logger: Logger;
  /** Resolves after `ms`, at once where the signal aborts. */
  delay: (ms: number, signal: AbortSignal) => Promise<void>;
  now: () => string;
}

const TRANSIENT = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED'];
const MAX_DELAY_MS = 10_000;

export class RunFollower {
  private readonly stop = new AbortController();
  private readonly following = new Map<string, Promise<void>>();
  /** By command: whether its run was submitted; commands that are past that are not in it. */
  private readonly submitting = new Map<string, Promise<boolean>>();

  constructor(private readonly deps: FollowerDeps) {}

  /** Follows a command that has started, unless this process does already. Returns at once. */
  follow(command: Command): void {
    if (this.stop.signal.aborted || this.following.has(command.commandId)) return;
    const done = this.see(command)
      .catch((error: unknown) => {
        if (!this.stop.signal.aborted) this.deps.logger.error({ err: error, command: command.commandId }, 'following a command failed');
      })
      .finally(() => this.following.delete(command.commandId));
    this.following.set(command.commandId, done);
  }

  /** Resolves once a followed command has its run, or there will be none; at once for one that is not on its way. */
  async submitted(command: Command): Promise<void> {
    const submitting = this.submitting.get(command.commandId);
    if (submitting !== undefined && !(await submitting)) await this.following.get(command.commandId);
  }

  /** Resolves once a followed command has ended; at once for one that nobody follows here. */
  async ended(command: Command): Promise<void> {
    await this.following.get(command.commandId);
  }

  /** Has a run cancelled, however long the scheduler is away. Returns at once; close() waits for it. */
  cancelRun(runId: string, reason: string): void {
    const key = `cancel ${runId}`;
    const done = this.cancel(runId, reason)
      .catch((error: unknown) => {
        if (!this.stop.signal.aborted) this.deps.logger.error({ err: error, run: runId }, 'cancelling a run failed');
      })
      .finally(() => this.following.delete(key));
    this.following.set(key, done);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.following.values());
  }

  /** A run that has ended already, or is gone, is no error. */
  private async cancel(runId: string, reason: string): Promise<void> {
    try {
      await this.persist(() => this.deps.scheduler.cancel(runId, reason, this.stop.signal));
    } catch (error) {
      const { code } = toServiceError(error);
      if (code !== 'NOT_FOUND' && code !== 'FAILED_PRECONDITION') throw error;
    }
  }

  private async see(command: Command): Promise<void> {
    const end = await this.runToEnd(command);
    if (end === undefined) return;
    const stored = await this.deps.updater.update(command, (session, current, queued) =>
      finish(session, current, end, queued, this.deps.now()),
    );
    for (const next of stored?.commands ?? []) if (next.commandId !== command.commandId && !next.finishedAt) this.follow(next);
  }

  /** Undefined: the command was ended by somebody else meanwhile. */
  private async runToEnd(command: Command): Promise<RunEnd | undefined> {
    try {
      const runId = command.runId || (await this.submission(command));
      return runId === undefined ? undefined : await this.watch(runId);
    } catch (error) {
      if (this.stop.signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (!isServiceError(error)) this.deps.logger.warn({ err: error, command: command.commandId }, 'a command failed before its run');
      return { ok: false, message };
    }
  }

  private submission(command: Command): Promise<string | undefined> {
    const submission = this.submit(command);
    const outcome = submission
      .then(
        (runId) => runId !== undefined,
        () => false,
      )
      .finally(() => this.submitting.delete(command.commandId));
    this.submitting.set(command.commandId, outcome);
    return submission;
  }

  private async submit(command: Command): Promise<string | undefined> {
    if (!command.job) throw new Error('the command has not started');
    const runtime = await this.prepare(command);
    const request = await this.request(command, runtime);
    const runId = await this.persist(() => this.deps.scheduler.submit(request, this.stop.signal));
    const stored = await this.deps.updater.update(command, (session, current) =>
      current.finishedAt ? undefined : { session, commands: [{ ...current, status: 'running', runId }] },
    );
    if (stored) return runId;
    await this.cancel(runId, 'the command was stopped before its run began');
    return undefined;
  }

  /** What is told meanwhile goes to the log at once, and is among the command's notes before this resolves or rejects. */
  private async prepare(command: Command): Promise<AlRuntime> {
    let told = Promise.resolve();
    try {
      const note = (text: string): void => {
        this.deps.logger.info({ command: command.commandId }, text);
        told = told.then(() => this.tell(command, text));
      };
      return await this.persist(() => this.deps.runtime.get(note));
    } finally {
      await told;
    }
  }

  private async tell(command: Command, text: string): Promise<void> {
    await this.deps.updater.update(command, (session, current) =>
      current.finishedAt || current.notes.includes(text)
        ? undefined
        : { session, commands: [{ ...current, notes: [...current.notes, text] }] },
    );
  }

  private async request(command: Command, runtime: AlRuntime): Promise<Parameters<SchedulerPort['submit']>[0]> {
    const { template, inputs, cache } = command.job ?? {};
    if (!template) throw new Error('the command has not started');
    return {
      document: await this.deps.templates.bundle(template),
      inputsJson: JSON.stringify({ ...inputs, ...(runtime.kind === 'python' ? { python: runtime.python } : {}) }),
      name: template,
      projectId: command.projectId,
      labels: labelsOf(command, template),
      idempotencyKey: command.commandId,
      noContainer: runtime.kind === 'python',
      cache,
    };
  }

  private async watch(runId: string): Promise<RunEnd> {
    let after = 0;
    return this.persist(async () => {
      for await (const event of this.deps.scheduler.watch(runId, after, this.stop.signal)) {
        const end = endOf(event);
        if (end) return end;
        // Events of one log entry share its number: go on from the entry before, so that none of them is missed.
        after = Math.max(after, event.sequence - 1);
      }
      throw new ServiceError('UNAVAILABLE', `the watch on run ${runId} ended before the run`);
    });
  }

  /** Tries again, ever more slowly, what failed for a reason that may pass. */
  private async persist<T>(act: () => Promise<T>): Promise<T> {
    for (let pause = 250; ; pause = Math.min(pause * 2, MAX_DELAY_MS)) {
      try {
        return await act();
      } catch (error) {
        if (this.stop.signal.aborted || !TRANSIENT.includes(toServiceError(error).code)) throw error;
        this.deps.logger.warn({ err: error, pauseMs: pause }, 'the scheduler did not answer; trying again');
        await this.deps.delay(pause, this.stop.signal);
      }
    }
  }
}

function labelsOf(command: Command, template: string): Record<string, string> {
  const labels = {
    dal: 'true',
    project: command.projectId,
    'al.session': command.sessionId,
    'al.command': command.parsed.name,
    'al.command_id': command.commandId,
    'al.template': template,
    contract_address: command.contractAddress,
    transaction_hash: command.transactionHash,
    authorized_by: command.authorizedBy,
  };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

function endOf(event: run.RunEvent): RunEnd | undefined {
  if (event.event?.$case !== 'runStatus') return undefined;
  const { status, outputsJson, failure } = event.event.value;
  switch (status) {
    case run.RunStatus.SUCCEEDED:
      return { ok: true, outputsJson };
    case run.RunStatus.FAILED:
      return { ok: false, message: failureText(failure) };
    case run.RunStatus.CANCELLED:
      return { ok: false, message: 'the run was cancelled' };
    default:
      return undefined;
  }
}

function failureText(failure: run.Failure | undefined): string {
  if (!failure) return 'the run failed';
  const where = failure.step === '' ? '' : `step ${failure.step}: `;
  const tail = failure.stderrTail.filter((line) => line.trim() !== '').slice(-3);
  return `${where}${failure.message}${tail.length > 0 ? ` — ${tail.join(' | ')}` : ''}`;
}
