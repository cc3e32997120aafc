/** A scheduler that is a real gRPC server and keeps its runs in memory; tests script what it answers and see what it was asked. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { registry, run, scheduler } from '@weft/contracts';
import { ServiceError, serverStream, startGrpcServer, unary, type CallContext, type RunningGrpcServer } from '@weft/platform';
import { Feed } from './event-source.js';
import { FakeRegistry } from './fake-registry.js';

export const AT = new Date('2026-01-31T12:00:00.000Z');

export interface FakeRun {
  run: run.Run;
  events: Feed<run.RunEvent>;
  logs: Feed<run.LogChunk>;
  tasks: run.Task[];
  wholeLog: Buffer[];
  /** Where they are not the run's own. */
  objects: Partial<Record<'inputs' | 'outputs', Buffer[]>>;
}

export interface Asked {
  rpc: string;
  request: unknown;
  context: CallContext;
}

export class FakeScheduler {
  readonly registry = new FakeRegistry();
  readonly asked: Asked[] = [];
  readonly runs = new Map<string, FakeRun>();
  /** The next call of any rpc fails with this. */
  failNext: ServiceError | undefined;
  /** Diagnostics that the next submission is accepted with. */
  warnings: run.Diagnostic[] = [];
  private server: RunningGrpcServer | undefined;
  private readonly keys = new Map<string, string>();

  async start(listen = '127.0.0.1:0', secret?: string): Promise<string> {
    const services = [
      { definition: scheduler.SchedulerService as ServiceDefinition, implementation: this.handlers() },
      { definition: registry.RunnerRegistryService as ServiceDefinition, implementation: this.registry.handlers() },
    ];
    this.server = await startGrpcServer({ listen, services, secret });
    return this.server.address;
  }

  async stop(): Promise<void> {
    for (const { events, logs } of this.runs.values()) {
      events.end();
      logs.end();
    }
    await this.server?.close(0);
  }

  /** Adds a run in any state. */
  add(partial: Partial<run.Run> & { runId: string }): FakeRun {
    const defaults = { status: run.RunStatus.RUNNING, planHash: 'ab'.repeat(32), submittedAt: AT, inputsJson: '{}', pool: 'default' };
    const fake: FakeRun = {
      run: run.Run.fromPartial({ ...defaults, ...partial }),
      events: new Feed(),
      logs: new Feed(),
      tasks: [],
      wholeLog: [],
      objects: {},
    };
    this.runs.set(fake.run.runId, fake);
    return fake;
  }

  /** The request of the last call of an rpc. */
  last<T>(rpc: string): T {
    const found = this.asked.filter((call) => call.rpc === rpc).at(-1);
    if (!found) throw new Error(`${rpc} was not called`);
    return found.request as T;
  }

  reset(): void {
    this.asked.length = 0;
    this.runs.clear();
    this.keys.clear();
    this.failNext = undefined;
    this.warnings = [];
  }

  private handlers(): scheduler.SchedulerServer {
    return {
      submitRun: this.unary('submitRun', (request: scheduler.SubmitRunRequest) => this.submit(request)),
      validateDocument: this.unary('validateDocument', (_request: scheduler.ValidateDocumentRequest) => ({ diagnostics: this.warnings })),
      getRun: this.unary('getRun', ({ runId }: scheduler.GetRunRequest) => ({ run: this.find(runId).run })),
      listRuns: this.unary('listRuns', (request: scheduler.ListRunsRequest) => this.list(request)),
      listTasks: this.unary('listTasks', ({ runId }: scheduler.ListTasksRequest) => ({ tasks: this.find(runId).tasks, nextPageToken: '' })),
      cancelRun: this.unary('cancelRun', ({ runId }: scheduler.CancelRunRequest) => {
        const found = this.find(runId);
        found.run.status = run.RunStatus.CANCELLING;
        return { run: found.run };
      }),
      retryRun: this.unary('retryRun', ({ runId }: scheduler.RetryRunRequest) => {
        const found = this.find(runId);
        if (found.run.status === run.RunStatus.SUCCEEDED)
          throw new ServiceError('FAILED_PRECONDITION', `run '${runId}' succeeded: there is nothing to retry`);
        found.run.status = run.RunStatus.RUNNING;
        return { run: found.run };
      }),
      deleteRun: this.unary('deleteRun', ({ runId }: scheduler.DeleteRunRequest) => {
        if (this.find(runId).run.status === run.RunStatus.RUNNING)
          throw new ServiceError('FAILED_PRECONDITION', `run '${runId}' is running`);
        this.runs.delete(runId);
        return {};
      }),
      trimCallCache: this.unary('trimCallCache', () => ({ removed: 0, bytes: 0 })),
      watchRun: serverStream((request: scheduler.WatchRunRequest, context) => this.watch(request, context)),
      readObject: serverStream((request: scheduler.ReadObjectRequest, context) => this.object(request, context)),
      readTaskLog: serverStream((request: scheduler.ReadTaskLogRequest, context) => this.taskLog(request, context)),
      streamLogs: serverStream((request: scheduler.StreamLogsRequest, context) => this.logs(request, context)),
    };
  }

  private unary<Req, Res>(rpc: string, answer: (request: Req) => Res) {
    return unary(async (request: Req, context: CallContext): Promise<Res> => {
      this.asked.push({ rpc, request, context });
      this.throwScripted();
      return answer(request);
    });
  }

  private throwScripted(): void {
    const error = this.failNext;
    this.failNext = undefined;
    if (error) throw error;
  }

  private submit(request: scheduler.SubmitRunRequest): scheduler.SubmitRunResponse {
    const known = this.keys.get(request.idempotencyKey);
    if (request.idempotencyKey !== '' && known) return { run: this.find(known).run, existing: true, diagnostics: [] };
    const runId = `r-${String(this.runs.size + 1).padStart(26, '0')}`;
    const { name, projectId, pool, labels, inputsJson } = request;
    const added = this.add({ runId, status: run.RunStatus.PENDING, name, projectId, pool, labels, inputsJson });
    this.keys.set(request.idempotencyKey, runId);
    return { run: added.run, existing: false, diagnostics: this.warnings };
  }

  private list({ projectId, statuses, pageSize, pageToken, labels }: scheduler.ListRunsRequest): scheduler.ListRunsResponse {
    const wanted = [...this.runs.values()]
      .map((fake) => fake.run)
      .filter((found) => projectId === '' || found.projectId === projectId)
      .filter((found) => statuses.length === 0 || statuses.includes(found.status))
      .filter((found) => Object.entries(labels).every(([name, value]) => found.labels[name] === value));
    const from = Number(pageToken || 0);
    const to = from + (pageSize || 50);
    return { runs: wanted.slice(from, to), nextPageToken: to < wanted.length ? String(to) : '' };
  }

  private async *watch(request: scheduler.WatchRunRequest, context: CallContext): AsyncGenerator<run.RunEvent, void> {
    this.asked.push({ rpc: 'watchRun', request, context });
    for await (const event of this.find(request.runId).events.read(true, context.signal)) {
      if (event.sequence > request.afterSequence) yield event;
    }
  }

  private async *taskLog(request: scheduler.ReadTaskLogRequest, context: CallContext): AsyncGenerator<run.LogData, void> {
    this.asked.push({ rpc: 'readTaskLog', request, context });
    this.throwScripted();
    for (const data of this.find(request.runId).wholeLog) yield { data };
  }

  private async *object(request: scheduler.ReadObjectRequest, context: CallContext): AsyncGenerator<run.ObjectData, void> {
    this.asked.push({ rpc: 'readObject', request, context });
    this.throwScripted();
    const { run: found, tasks, objects } = this.find(request.runId);
    const task = tasks.find(({ taskId }) => taskId === request.taskId);
    const isInputs = request.kind === run.ObjectKind.INPUTS;
    const own = request.taskId !== '' ? (task?.outputsJson ?? '') : isInputs ? found.inputsJson : found.outputsJson;
    const pieces = objects[isInputs ? 'inputs' : 'outputs'] ?? (own === '' ? [] : [Buffer.from(own)]);
    if (pieces.length === 0) throw new ServiceError('NOT_FOUND', `run '${request.runId}' has no such object`);
    for (const data of pieces) yield { data };
  }

  private async *logs(request: scheduler.StreamLogsRequest, context: CallContext): AsyncGenerator<run.LogChunk, void> {
    this.asked.push({ rpc: 'streamLogs', request, context });
    this.throwScripted();
    for await (const chunk of this.find(request.runId).logs.read(request.follow, context.signal)) {
      if (request.taskId === '' || chunk.taskId === request.taskId) yield chunk;
    }
  }

  private find(runId: string): FakeRun {
    const found = this.runs.get(runId);
    if (!found) throw new ServiceError('NOT_FOUND', `no run '${runId}'`);
    return found;
  }
}

export const statusEvent = (runId: string, sequence: number, status: run.RunStatus, outputsJson = ''): run.RunEvent =>
  run.RunEvent.fromPartial({ runId, sequence, at: AT, event: { $case: 'runStatus', value: { status, outputsJson } } });

export const taskEvent = (runId: string, sequence: number, taskId: string, status: run.TaskStatus): run.RunEvent =>
  run.RunEvent.fromPartial({ runId, sequence, at: AT, event: { $case: 'taskStatus', value: { task: { taskId, status } } } });

export const noteEvent = (runId: string, sequence: number, text: string): run.RunEvent =>
  run.RunEvent.fromPartial({ runId, sequence, at: AT, event: { $case: 'note', value: { text } } });
