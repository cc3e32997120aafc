/**
 * A client as the guides describe a careful one: an idempotency key with every submission, the same call again where no answer came,
 * event streams that are resumed after the last event seen, another gateway where one does not answer.
 *
 * Invariants:
 *  1. An answer that no guide describes is a problem, whatever is being done to the system at that time.
 *  2. Calls are repeated until they are answered or the client is stopped; an answer that no guide describes is heard so often and no more.
 *  3. A run that was acknowledged and that both gateways say they do not know, again and again, is lost: whoever asks for it hears LostRun.
 */
import { gateway, run } from '@weft/contracts';
import { callUnary, createClient, isServiceError } from '@weft/platform';

export interface ClientNotes {
  problem(text: string): void;
}

export interface SubmitBody {
  document: object;
  inputs: Record<string, unknown>;
  key: string;
  name: string;
  project: string;
  noCache: boolean;
  failureMode: 'fail-fast' | 'continue';
  priority: number;
  /** 0 = no limit. */
  maxParallelTasks: number;
}

export interface FinalRun {
  run_id: string;
  status: 'succeeded' | 'failed' | 'cancelled';
  outputs: Record<string, unknown> | null;
  failure: { code: string; message: string; step: string; exit_code: number | null } | null;
  finished_at: string;
}

export interface TaskOf {
  task_id: string;
  step: string;
  index: string;
  status: string;
  cached: boolean;
}

export interface WatchedEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

const CALL_LIMIT_MS = 20_000;
/** A stream carries a heartbeat every 15 s. */
const SILENCE_LIMIT_MS = 25_000;
const AGAIN_MS = 150;
/** Not now: the same call may be answered later. */
const PASSING_HTTP = new Set([429, 503, 504]);
const PASSING_GRPC = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'CANCELLED']);
const FINAL = new Set(['succeeded', 'failed', 'cancelled']);

/** Answers of one call that no guide describes, after which it is not made again. */
const TRIES = 20;
/** So often both gateways are asked for a run that one of them does not know. */
const LOST_LOOKS = 5;

/** An acknowledged run is unknown. */
export class LostRun extends Error {
  override readonly name = 'LostRun';
  constructor(readonly runId: string) {
    super(`run ${runId} was acknowledged, and no gateway knows it any more (404)`);
  }
}

class NotNow extends Error {}

class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

export class ChaosClient {
  private readonly grpc: gateway.RunsClient[];
  /** Calls that had to be made again. */
  repeated = 0;
  resumed = 0;

  constructor(
    private readonly gateways: { rest: string; grpc: string }[],
    private readonly notes: ClientNotes,
    private readonly stopped: AbortSignal,
  ) {
    this.grpc = gateways.map((address) => createClient(gateway.RunsClient, address.grpc));
  }

  close(): void {
    for (const client of this.grpc) client.close();
  }

  /** The run's id, once a gateway has acknowledged it. */
  submit(body: SubmitBody, dialect: 'rest' | 'grpc', first: number): Promise<string> {
    const what = `submission ${body.key} by ${dialect}`;
    return this.persist(what, first, (i) => (dialect === 'rest' ? this.submitRest(i, body) : this.submitGrpc(i, body)));
  }

  cancel(runId: string, first: number): Promise<void> {
    return this.ofRun(runId, `cancel of ${runId}`, first, async (i) => {
      await this.rest(i, `/api/v1/runs/${runId}/cancel`, { reason: 'the schedule says so' });
    });
  }

  /** Whether the run goes on; false: it is said that it cannot, which is 409. */
  async retry(runId: string, first: number): Promise<boolean> {
    return this.ofRun(runId, `retry of ${runId}`, first, async (i) => {
      const asked = this.rest(i, `/api/v1/runs/${runId}/retry`, 'POST');
      return asked.then(
        () => true,
        (error: unknown) => {
          if (error instanceof Refused && error.status === 409) return false;
          throw error;
        },
      );
    });
  }

  /** With or without new tasks from now on. False: nobody knows the runner, which is away. */
  async drain(runnerId: string, draining: boolean, first: number): Promise<boolean> {
    return this.persist(`drain of ${runnerId}`, first, async (i) => {
      const asked = this.rest(i, `/api/v1/runners/${runnerId}/${draining ? 'drain' : 'undrain'}`, 'POST');
      return asked.then(
        () => true,
        (error: unknown) => {
          if (error instanceof Refused && error.status === 404) return false;
          throw error;
        },
      );
    });
  }

  async tasks(runId: string, first: number): Promise<TaskOf[]> {
    return this.pages(`tasks of ${runId}`, `/api/v1/runs/${runId}/tasks?page_size=500`, 'tasks', first, runId);
  }

  /** The ended run as the gateway shows it. */
  final(runId: string, first: number): Promise<FinalRun> {
    return this.ofRun(runId, `look at ${runId}`, first, async (i) => {
      const found = (await this.rest(i, `/api/v1/runs/${runId}`)) as unknown as FinalRun;
      if (!FINAL.has(found.status)) this.notes.problem(`run ${runId} is ${found.status} although its event stream has ended`);
      return found;
    });
  }

  /** All runs of a project, newest first. */
  async list(project: string): Promise<{ run_id: string; name: string; status: string }[]> {
    return this.pages('list of runs', `/api/v1/runs?project_id=${project}&page_size=500`, 'runs', 0);
  }

  private async pages<T>(what: string, path: string, field: string, first: number, runId?: string): Promise<T[]> {
    const found: T[] = [];
    let token = '';
    do {
      const more = token && `&page_token=${encodeURIComponent(token)}`;
      const call = (i: number): Promise<Record<string, unknown>> => this.rest(i, path + more);
      const page = await (runId === undefined ? this.persist(what, first, call) : this.ofRun(runId, what, first, call));
      for (const one of page[field] as T[]) found.push(one);
      token = (page['next_page_token'] as string | null) ?? '';
    } while (token !== '');
    return found;
  }

  /** All events of a run, from the first to its end. */
  async follow(runId: string, first: number): Promise<WatchedEvent[]> {
    const seen: WatchedEvent[] = [];
    for (let turn = first; ; turn += 1) {
      this.stopped.throwIfAborted();
      try {
        if (await this.followOnce(runId, turn % this.gateways.length, seen)) return seen;
      } catch (error) {
        if (isUnknown(error)) await this.throwIfLost(runId);
        else if (!isPassing(error)) throw error;
      }
      this.resumed += 1;
      await this.aWhile();
    }
  }

  /** Whether the stream came to the run's end. */
  private async followOnce(runId: string, i: number, seen: WatchedEvent[]): Promise<boolean> {
    const last = seen.findLast(({ id }) => id !== '')?.id;
    const silence = new Silence(SILENCE_LIMIT_MS);
    try {
      const response = await fetch(`${this.gateways[i]?.rest}/api/v1/runs/${runId}/events`, {
        headers: last === undefined ? {} : { 'last-event-id': last },
        signal: AbortSignal.any([silence.signal, this.stopped]),
      });
      // Nothing comes after the last event seen.
      if (response.status === 204) return true;
      if (response.status !== 200 || response.body === null) throw await this.refusal(response, `events of ${runId}`);
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        silence.broken();
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const event = parseEvent(block);
          if (event?.event === 'end') return true;
          if (event && event.event !== 'stream-error') seen.push(event);
        }
      }
      return false;
    } finally {
      silence.over();
    }
  }

  private async submitRest(i: number, body: SubmitBody): Promise<string> {
    const { document, inputs, key, name, project, noCache } = body;
    const how = { cache: !noCache, no_cache: noCache, failure_mode: body.failureMode, priority: body.priority };
    const limit = body.maxParallelTasks > 0 ? { max_parallel_tasks: body.maxParallelTasks } : {};
    const request = { cwl: document, inputs, name, project_id: project, ...how, ...limit };
    return String((await this.rest(i, '/api/v1/runs', request, { 'idempotency-key': key }))['run_id']);
  }

  private async submitGrpc(i: number, body: SubmitBody): Promise<string> {
    const { document, inputs, key, name, project, noCache } = body;
    const client = this.grpc[i] as gateway.RunsClient;
    const request = gateway.SubmitRequest.fromPartial({
      ...{ name, cache: !noCache, noCache, idempotencyKey: key, projectId: project, inputsJson: JSON.stringify(inputs) },
      ...{ priority: body.priority, maxParallelTasks: body.maxParallelTasks },
      failureMode: body.failureMode === 'continue' ? run.FailureMode.CONTINUE : run.FailureMode.FAIL_FAST,
      document: { $case: 'cwl', value: JSON.stringify(document) },
    });
    const answer = await callUnary(client, client.submit, request, { deadlineMs: CALL_LIMIT_MS, signal: this.stopped });
    if (!answer.run) throw new Error('an answer without a run');
    return answer.run.runId;
  }

  /** @param body what is posted; 'POST': nothing; absent: GET */
  private async rest(
    i: number,
    path: string,
    body?: object | 'POST',
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.gateways[i]?.rest}${path}`, {
      ...(body === undefined ? {} : { method: 'POST' }),
      ...(typeof body === 'object' && { body: JSON.stringify(body) }),
      headers: { ...(typeof body === 'object' && { 'content-type': 'application/json' }), ...headers },
      signal: AbortSignal.any([AbortSignal.timeout(CALL_LIMIT_MS), this.stopped]),
    });
    if (!response.ok) throw await this.refusal(response, path);
    return response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>);
  }

  private async refusal(response: Response, what: string): Promise<Error> {
    const text = `${what}: ${response.status} ${await response.text()}`;
    return PASSING_HTTP.has(response.status) ? new NotNow(text) : new Refused(response.status, text);
  }

  /** As `persist`, of a run that was acknowledged. */
  private ofRun<T>(runId: string, what: string, first: number, call: (gateway: number) => Promise<T>): Promise<T> {
    return this.persist(what, first, call, () => this.throwIfLost(runId));
  }

  private async persist<T>(
    what: string,
    first: number,
    call: (gateway: number) => Promise<T>,
    onUnknown?: () => Promise<void>,
  ): Promise<T> {
    let odd = 0;
    for (let turn = first; ; turn += 1) {
      this.stopped.throwIfAborted();
      try {
        return await call(turn % this.gateways.length);
      } catch (error) {
        this.stopped.throwIfAborted();
        if (onUnknown !== undefined && isUnknown(error)) await onUnknown();
        else if (!isPassing(error)) {
          odd += 1;
          if (odd === 1) this.notes.problem(`${what}: ${(error as Error).message}`);
          if (odd >= TRIES) throw error;
        }
      }
      this.repeated += 1;
      await this.aWhile();
    }
  }

  /** One gateway has said that it does not know the run. Where one does after all, that answer was a wrong one. */
  private async throwIfLost(runId: string): Promise<void> {
    for (let unknown = 0, turn = 0; unknown < LOST_LOOKS * this.gateways.length; turn += 1) {
      this.stopped.throwIfAborted();
      try {
        await this.rest(turn % this.gateways.length, `/api/v1/runs/${runId}`);
        this.notes.problem(`run ${runId} was said to be unknown (404), and is known`);
        return;
      } catch (error) {
        if (isUnknown(error)) unknown += 1;
        else if (!isPassing(error)) throw error;
      }
      await this.aWhile();
    }
    throw new LostRun(runId);
  }

  private aWhile(): Promise<void> {
    return new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

/** Ends a read of a stream that says nothing, not even that it is alive. */
class Silence {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly limitMs: number) {
    this.broken();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  broken(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new NotNow('silence')), this.limitMs);
  }

  over(): void {
    clearTimeout(this.timer);
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Refused && error.status === 404;
}

/** No answer, or one that says to come again. */
function isPassing(error: unknown): boolean {
  if (error instanceof NotNow) return true;
  if (isServiceError(error)) return PASSING_GRPC.has(error.code);
  // fetch: TypeError where the connection broke or was refused, TimeoutError and AbortError for the limits above.
  return ['TypeError', 'TimeoutError', 'AbortError'].includes((error as Error).name);
}

function parseEvent(block: string): WatchedEvent | undefined {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  const data = field('data');
  return data === '' ? undefined : { id: field('id'), event: field('event'), data: JSON.parse(data) as Record<string, unknown> };
}
