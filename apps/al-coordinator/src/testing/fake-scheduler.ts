/**
 * A scheduler for tests: a real gRPC server whose runs end when the test says so.
 */
import { run, scheduler } from '@weft/contracts';
import { type RunningGrpcServer, serverStream, ServiceError, startGrpcServer, unary } from '@weft/platform';

export interface FakeRun {
  runId: string;
  request: scheduler.SubmitRunRequest;
  inputs: Record<string, unknown>;
  /** Ends the run for those who watch and those who will. */
  succeed(outputs: object): void;
  fail(failure: Partial<run.Failure>): void;
}

interface Slot {
  run: FakeRun;
  end: Promise<run.RunStatusChanged>;
  settle: (end: run.RunStatusChanged) => void;
}

export class FakeScheduler {
  private readonly byKey = new Map<string, Slot>();
  private readonly byId = new Map<string, Slot>();
  private readonly arrived: FakeRun[] = [];
  private readonly waiting: ((run: FakeRun) => void)[] = [];
  private server: RunningGrpcServer | undefined;
  private readonly cancels: string[] = [];
  private readonly cancelWaiting: ((runId: string) => void)[] = [];
  submissions = 0;
  watches = 0;
  /** Thrown by the next submissions, first first. */
  readonly submitErrors: ServiceError[] = [];
  /** The next watches break off before the run ends. */
  brokenWatches = 0;

  async start(listen = '127.0.0.1:0'): Promise<string> {
    this.server = await startGrpcServer({
      listen,
      services: [{ definition: scheduler.SchedulerService, implementation: this.handlers() }],
    });
    return this.server.address;
  }

  async stop(): Promise<void> {
    await this.server?.close(0);
  }

  /** The next run that is submitted, or was and nobody asked for yet. */
  next(): Promise<FakeRun> {
    const waiting = this.arrived.shift();
    return waiting ? Promise.resolve(waiting) : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** The next run that somebody cancels, or did and nobody asked for yet. */
  nextCancel(): Promise<string> {
    const runId = this.cancels.shift();
    return runId ? Promise.resolve(runId) : new Promise((resolve) => this.cancelWaiting.push(resolve));
  }

  private handlers(): scheduler.SchedulerServer {
    const absent = unary(async (): Promise<never> => {
      throw new ServiceError('UNIMPLEMENTED', 'not part of this test');
    });
    return {
      submitRun: unary(async (request) => this.submit(request)),
      watchRun: serverStream((request) => this.watch(request.runId)),
      cancelRun: unary(async (request) => this.cancel(request.runId)),
      validateDocument: absent,
      getRun: absent,
      listRuns: absent,
      listTasks: absent,
      deleteRun: absent,
      trimCallCache: absent,
      retryRun: absent,
      streamLogs: serverStream(() => {
        throw new ServiceError('UNIMPLEMENTED', 'not part of this test');
      }),
      readObject: serverStream(() => {
        throw new ServiceError('UNIMPLEMENTED', 'not part of this test');
      }),
      readTaskLog: serverStream(() => {
        throw new ServiceError('UNIMPLEMENTED', 'not part of this test');
      }),
    };
  }

  private submit(request: scheduler.SubmitRunRequest): scheduler.SubmitRunResponse {
    this.submissions += 1;
    const error = this.submitErrors.shift();
    if (error) throw error;
    const known = this.byKey.get(request.idempotencyKey);
    const slot = known ?? this.open(request);
    return scheduler.SubmitRunResponse.fromPartial({ run: { runId: slot.run.runId }, existing: known !== undefined });
  }

  private open(request: scheduler.SubmitRunRequest): Slot {
    const runId = `r-${this.byId.size + 1}`;
    let settle: Slot['settle'] = () => undefined;
    const end = new Promise<run.RunStatusChanged>((resolve) => (settle = resolve));
    const ended = (changes: object): void => settle(run.RunStatusChanged.fromPartial(changes));
    const opened: FakeRun = {
      runId,
      request,
      inputs: JSON.parse(request.inputsJson) as Record<string, unknown>,
      succeed: (outputs) => ended({ status: run.RunStatus.SUCCEEDED, outputsJson: JSON.stringify(outputs) }),
      fail: (failure) => ended({ status: run.RunStatus.FAILED, failure }),
    };
    const slot = { run: opened, end, settle };
    this.byKey.set(request.idempotencyKey, slot);
    this.byId.set(runId, slot);
    const asker = this.waiting.shift();
    if (asker) asker(opened);
    else this.arrived.push(opened);
    return slot;
  }

  private async *watch(runId: string): AsyncIterable<run.RunEvent> {
    this.watches += 1;
    const slot = this.byId.get(runId);
    if (!slot) throw new ServiceError('NOT_FOUND', `no run ${runId}`);
    yield run.RunEvent.fromPartial({ runId, sequence: 1, event: { $case: 'runStatus', value: { status: run.RunStatus.RUNNING } } });
    if (this.brokenWatches > 0) {
      this.brokenWatches -= 1;
      throw new ServiceError('UNAVAILABLE', 'the scheduler goes away');
    }
    yield run.RunEvent.fromPartial({ runId, sequence: 2, event: { $case: 'runStatus', value: await slot.end } });
  }

  private cancel(runId: string): scheduler.CancelRunResponse {
    const asker = this.cancelWaiting.shift();
    if (asker) asker(runId);
    else this.cancels.push(runId);
    this.byId.get(runId)?.settle(run.RunStatusChanged.fromPartial({ status: run.RunStatus.CANCELLED }));
    return scheduler.CancelRunResponse.fromPartial({ run: { runId } });
  }
}
