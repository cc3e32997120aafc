/**
 * The scheduler over gRPC.
 */
import { run, scheduler } from '@weft/contracts';
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

  async *watch(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<run.RunEvent, void, undefined> {
    for await (const message of callServerStream<scheduler.WatchRunRequest, run.RunEvent>(
      this.client.watchRun.bind(this.client),
      { runId, afterSequence },
      { signal },
    )) {
      const { event } = message;
      if (event?.$case === 'runStatus' && event.value.outputsOmitted)
        yield {
          ...message,
          event: { ...event, value: { ...event.value, outputsJson: await this.outputs(runId, signal), outputsOmitted: false } },
        };
      else yield message;
    }
  }

  /** An output object that is too long for an event. */
  private async outputs(runId: string, signal: AbortSignal): Promise<string> {
    const read = this.client.readObject.bind(this.client);
    const parts: Uint8Array[] = [];
    for await (const { data } of callServerStream<scheduler.ReadObjectRequest, run.ObjectData>(
      read,
      { runId, kind: run.ObjectKind.OUTPUTS, taskId: '' },
      { signal },
    ))
      parts.push(data);
    return Buffer.concat(parts).toString();
  }

  async cancel(runId: string, reason: string, signal: AbortSignal): Promise<void> {
    await callUnary(this.client, this.client.cancelRun, { runId, reason }, { signal, deadlineMs: CALL_DEADLINE_MS });
  }

  close(): void {
    this.client.close();
  }
}
