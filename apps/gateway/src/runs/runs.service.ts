/**
 * The public Runs API, once for every transport: gRPC handlers, REST controllers and dialects all call this.
 *
 * Invariants:
 *  1. It holds no state; each call is one call to the scheduler.
 *  2. A call that fails rejects with the scheduler's ServiceError as it is (code, message, diagnostics).
 */
import type { gateway, run, scheduler } from '@weft/contracts';
import { ServiceError } from '@weft/platform';
import type { SchedulerGateway } from '../clients/scheduler.client.js';
import type { GatewayMetrics } from '../ops/gateway-metrics.js';
import { checkedBundle, inlineBundle } from './document.js';

/** The interface a submission came in by; a label of the submission counter. */
export type Dialect = 'rest' | 'grpc' | 'dvre';

export type SubmittedRun = { run: run.Run; existing: boolean; diagnostics: run.Diagnostic[] };

export class RunsService {
  constructor(
    private readonly scheduler: SchedulerGateway,
    private readonly metrics: GatewayMetrics,
  ) {}

  /** `field` is what the dialect calls the document, for messages. */
  async submit(request: gateway.SubmitRequest, dialect: Dialect, field = 'cwl'): Promise<SubmittedRun> {
    const response = await this.scheduler.submit({
      document: documentOf(request, field),
      inputsJson: request.inputsJson === '' ? '{}' : request.inputsJson,
      inputsBaseUri: request.inputsBaseUri,
      name: request.name,
      projectId: request.projectId,
      pool: request.pool,
      labels: request.labels,
      idempotencyKey: request.idempotencyKey,
      options: optionsOf(request),
    });
    if (!response.existing) this.metrics.runsSubmitted.inc({ dialect });
    return { run: present(response.run), existing: response.existing, diagnostics: response.diagnostics };
  }

  async get(runId: string): Promise<run.Run> {
    return present((await this.scheduler.get({ runId })).run);
  }

  /** `labels`: only runs that carry all of them. */
  list(request: gateway.ListRequest, labels: Record<string, string> = {}): Promise<gateway.ListResponse> {
    return this.scheduler.list({ ...request, labels });
  }

  tasks(request: gateway.TasksRequest): Promise<gateway.TasksResponse> {
    return this.scheduler.tasks(request);
  }

  watch(request: gateway.WatchRequest, signal: AbortSignal): AsyncIterable<run.RunEvent> {
    return this.scheduler.watch(request, signal);
  }

  logs(request: gateway.LogsRequest, signal: AbortSignal): AsyncIterable<run.LogChunk> {
    return this.scheduler.logs(request, signal);
  }

  object(request: gateway.ObjectRequest, signal: AbortSignal): AsyncIterable<run.ObjectData> {
    return this.scheduler.object(request, signal);
  }

  taskLog(request: gateway.TaskLogRequest, signal: AbortSignal): AsyncIterable<run.LogData> {
    return this.scheduler.taskLog(request, signal);
  }

  async cancel(runId: string, reason: string): Promise<run.Run> {
    return present((await this.scheduler.cancel({ runId, reason })).run);
  }

  async retry(runId: string): Promise<run.Run> {
    return present((await this.scheduler.retry({ runId })).run);
  }

  async delete(runId: string, onlyLogs = false): Promise<void> {
    await this.scheduler.delete({ runId, onlyLogs });
  }
}

function optionsOf(request: gateway.SubmitRequest): scheduler.RunOptions {
  const { noContainer, defaultContainer, deadlineS, maxAttempts, failureMode, oomRetryFactor } = request;
  const { cache, noCache, keepIntermediates, priority, maxParallelTasks } = request;
  return {
    ...{ noContainer, defaultContainer, deadlineS, maxAttempts, failureMode, oomRetryFactor },
    ...{ cache, noCache, keepIntermediates, priority, maxParallelTasks },
    // Whoever comes through a gateway may be anybody: the host's programs are not looked for where they say.
    caller: undefined,
  };
}

function documentOf(request: gateway.SubmitRequest, field: string): run.DocumentBundle {
  const { document } = request;
  if (!document) throw new ServiceError('INVALID_ARGUMENT', `${field}: no document was given`);
  return document.$case === 'cwl' ? inlineBundle(field, document.value) : checkedBundle(field, document.value);
}

function present(found: run.Run | undefined): run.Run {
  if (!found) throw new ServiceError('INTERNAL', 'the scheduler answered without a run');
  return found;
}
