/** weft.gateway.v1.Runs over gRPC: each rpc is one call of the Runs API. */
import type { gateway, run } from '@weft/contracts';
import { serverStream, ServiceError, unary, type CallContext } from '@weft/platform';
import type { OpenStreams } from '../http/open-streams.js';
import type { RunsService } from '../runs/runs.service.js';

export function runsHandlers(runs: RunsService, streams: OpenStreams): gateway.RunsServer {
  return {
    submit: unary((request: gateway.SubmitRequest) => runs.submit(request, 'grpc')),
    get: unary(async (request: gateway.GetRequest) => ({ run: await runs.get(request.runId) })),
    object: serverStream((request: gateway.ObjectRequest, context) =>
      followed<run.ObjectData>(streams, context, (signal) => runs.object(request, signal)),
    ),
    list: unary((request: gateway.ListRequest) => runs.list(request)),
    tasks: unary((request: gateway.TasksRequest) => runs.tasks(request)),
    watch: serverStream((request: gateway.WatchRequest, context) =>
      followed<run.RunEvent>(streams, context, (signal) => runs.watch(request, signal)),
    ),
    logs: serverStream((request: gateway.LogsRequest, context) =>
      followed<run.LogChunk>(streams, context, (signal) => runs.logs(request, signal)),
    ),
    taskLog: serverStream((request: gateway.TaskLogRequest, context) =>
      followed<run.LogData>(streams, context, (signal) => runs.taskLog(request, signal)),
    ),
    cancel: unary(async (request: gateway.CancelRequest) => ({ run: await runs.cancel(request.runId, request.reason) })),
    retry: unary(async (request: gateway.RetryRequest) => ({ run: await runs.retry(request.runId) })),
    delete: unary(async (request: gateway.DeleteRequest) => {
      await runs.delete(request.runId, request.onlyLogs);
      return {};
    }),
  };
}

/** The stream until it ends, the client leaves or the gateway closes: then UNAVAILABLE, so that nobody takes it for the run's end. */
async function* followed<T>(
  streams: OpenStreams,
  context: CallContext,
  open: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const controller = streams.open();
  const leave = (): void => controller.abort();
  context.signal.addEventListener('abort', leave, { once: true });
  if (context.signal.aborted) leave();
  try {
    yield* open(controller.signal);
  } catch (error) {
    if (streams.closed) throw new ServiceError('UNAVAILABLE', 'the gateway is closing; connect again and go on from the last message');
    throw error;
  } finally {
    context.signal.removeEventListener('abort', leave);
    leave();
  }
}
