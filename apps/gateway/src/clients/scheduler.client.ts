/** The scheduler as the gateway calls it: promises and async iterables that fail with ServiceError. */
import { scheduler, run } from '@weft/contracts';
import { callServerStream, callUnary, createClient, HealthClient, type ServiceTls } from '@weft/platform';

/** Milliseconds a unary call may take before it fails with DEADLINE_EXCEEDED. */
const UNARY_DEADLINE_MS = 30_000;
const PEER = 'the scheduler';

export class SchedulerGateway {
  private readonly client: scheduler.SchedulerClient;
  readonly health: HealthClient;

  constructor(address: string, secret?: string, tls?: ServiceTls) {
    this.client = createClient(scheduler.SchedulerClient, address, secret, tls);
    this.health = new HealthClient(address, PEER, { secret, tls });
  }

  submit(request: scheduler.SubmitRunRequest): Promise<scheduler.SubmitRunResponse> {
    return callUnary(this.client, this.client.submitRun, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  get(request: scheduler.GetRunRequest): Promise<scheduler.GetRunResponse> {
    return callUnary(this.client, this.client.getRun, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  list(request: scheduler.ListRunsRequest): Promise<scheduler.ListRunsResponse> {
    return callUnary(this.client, this.client.listRuns, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  tasks(request: scheduler.ListTasksRequest): Promise<scheduler.ListTasksResponse> {
    return callUnary(this.client, this.client.listTasks, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  cancel(request: scheduler.CancelRunRequest): Promise<scheduler.CancelRunResponse> {
    return callUnary(this.client, this.client.cancelRun, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  retry(request: scheduler.RetryRunRequest): Promise<scheduler.RetryRunResponse> {
    return callUnary(this.client, this.client.retryRun, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  delete(request: scheduler.DeleteRunRequest): Promise<scheduler.DeleteRunResponse> {
    return callUnary(this.client, this.client.deleteRun, request, { deadlineMs: UNARY_DEADLINE_MS, peer: PEER });
  }

  watch(request: scheduler.WatchRunRequest, signal: AbortSignal): AsyncIterable<run.RunEvent> {
    return callServerStream(this.client.watchRun.bind(this.client), request, { signal, peer: PEER });
  }

  logs(request: scheduler.StreamLogsRequest, signal: AbortSignal): AsyncIterable<run.LogChunk> {
    return callServerStream(this.client.streamLogs.bind(this.client), request, { signal, peer: PEER });
  }

  object(request: scheduler.ReadObjectRequest, signal: AbortSignal): AsyncIterable<run.ObjectData> {
    return callServerStream(this.client.readObject.bind(this.client), request, { signal, peer: PEER });
  }

  taskLog(request: scheduler.ReadTaskLogRequest, signal: AbortSignal): AsyncIterable<run.LogData> {
    return callServerStream(this.client.readTaskLog.bind(this.client), request, { signal, peer: PEER });
  }

  close(): void {
    this.health.close();
    this.client.close();
  }
}
