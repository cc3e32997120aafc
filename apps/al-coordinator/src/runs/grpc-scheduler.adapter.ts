/**
 * The scheduler over gRPC.
 */
import { scheduler } from '@weft/contracts';
import type { run } from '@weft/contracts';
import { callServerStream, callUnary, createClient, retryWhenTold, ServiceError, type ServiceTls } from '@weft/platform';
import type { RunRequest, SchedulerPort } from './scheduler.port.js';

const CALL_DEADLINE_MS = 30_000;

export class GrpcScheduler implements SchedulerPort {
  private readonly client: scheduler.SchedulerClient;

  constructor(address: string, secret?: string, tls?: ServiceTls) {
    this.client = createClient(scheduler.SchedulerClient, address, secret, tls);
  }

  async submit(request: RunRequest, signal: AbortSignal): Promise<string> {
    const { noContainer, cache, ...rest } = request;
    const options = { noContainer, cache: cache === true, noCache: cache === false };
    const message = scheduler.SubmitRunRequest.fromPartial({ ...rest, options });
    const submit = (): Promise<scheduler.SubmitRunResponse> =>
      callUnary(this.client, this.client.submitRun, message, { signal, deadlineMs: CALL_DEADLINE_MS });
    const response = await retryWhenTold(submit, { signal });
    if (!response.run) throw new ServiceError('INTERNAL', 'the scheduler answered without a run');
    return response.run.runId;
  }

  watch(runId: string, afterSequence: number, signal: AbortSignal): AsyncIterable<run.RunEvent> {
    return callServerStream(this.client.watchRun.bind(this.client), { runId, afterSequence }, { signal });
  }

  async cancel(runId: string, reason: string, signal: AbortSignal): Promise<void> {
    await callUnary(this.client, this.client.cancelRun, { runId, reason }, { signal, deadlineMs: CALL_DEADLINE_MS });
  }

  close(): void {
    this.client.close();
  }
}
