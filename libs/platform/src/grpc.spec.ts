/** Server, client, handlers, errors and the service secret, through real sockets. */
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, scheduler } from '@weft/contracts';
import {
  type CallContext,
  type RunningGrpcServer,
  ServiceError,
  callServerStream,
  callUnary,
  createClient,
  HealthClient,
  isServiceError,
  serverStream,
  startGrpcServer,
  unary,
} from './index.js';

const { submitRun, watchRun } = scheduler.SchedulerService;
const definition = { submitRun, watchRun };

type Handlers = {
  submit?: (request: scheduler.SubmitRunRequest, context: CallContext) => Promise<scheduler.SubmitRunResponse>;
  watch?: (request: scheduler.WatchRunRequest, context: CallContext) => AsyncIterable<run.RunEvent>;
};

const answer = (runId: string): scheduler.SubmitRunResponse => scheduler.SubmitRunResponse.fromPartial({ run: { runId } });
const event = (sequence: number): run.RunEvent => run.RunEvent.fromPartial({ runId: 'r-1', sequence });
const request = scheduler.SubmitRunRequest.fromPartial({ name: 'demo' });
const watchRequest = scheduler.WatchRunRequest.fromPartial({ runId: 'r-1' });
const socketPath = (): string => join(mkdtempSync(join(tmpdir(), 'weft-grpc-')), 's.sock');

const opened: { close(graceMs?: number): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const item of opened.splice(0).reverse()) await item.close(0);
});

async function serve(handlers: Handlers, listen = `unix:${socketPath()}`, secret?: string): Promise<RunningGrpcServer> {
  const implementation = {
    submitRun: unary(handlers.submit ?? (async () => answer('r-1'))),
    watchRun: serverStream(
      handlers.watch ??
        async function* () {
          yield event(1);
        },
    ),
  };
  const server = await startGrpcServer({ listen, services: [{ definition, implementation }], secret });
  opened.push(server);
  return server;
}

function client(server: RunningGrpcServer, secret?: string): scheduler.SchedulerClient {
  const made = createClient(scheduler.SchedulerClient, server.address, secret);
  opened.push(made);
  return made;
}

const submit = (from: scheduler.SchedulerClient): Promise<scheduler.SubmitRunResponse> => callUnary(from, from.submitRun, request);

const failure = async (promise: Promise<unknown>): Promise<ServiceError> => {
  const caught: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isServiceError(caught)) throw new Error(`expected a ServiceError, got ${String(caught)}`);
  return caught;
};

describe('addresses', () => {
  it('gives the real port of 127.0.0.1:0', async () => {
    const server = await serve({}, '127.0.0.1:0');
    expect(server.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    const response = await submit(client(server));
    expect(response.run?.runId).toBe('r-1');
  });

  it('keeps a unix socket to its owner', async () => {
    const path = socketPath();
    await serve({}, `unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each(['0.0.0.0:0', '[::]:0', '192.0.2.1:0', 'weft.example:0'])('refuses %s without a secret', async (listen) => {
    expect((await failure(serve({}, listen))).code).toBe('FAILED_PRECONDITION');
  });

  it.each(['nonsense', 'unix:relative/path', 'host:70000', `unix:/${'x'.repeat(108)}`])('rejects the address %s', async (listen) => {
    expect((await failure(serve({}, listen))).code).toBe('INVALID_ARGUMENT');
  });

  it('takes over a socket that nobody serves any more, but no live one and no other file', async () => {
    const path = socketPath();
    const server = await serve({}, `unix:${path}`);
    expect((await failure(serve({}, `unix:${path}`))).code).toBe('ALREADY_EXISTS');
    expect((await submit(client(server))).run?.runId).toBe('r-1');

    const stale = socketPath();
    await leaveStaleSocket(stale);
    await serve({}, `unix:${stale}`);

    const file = socketPath();
    writeFileSync(file, 'precious');
    expect((await failure(serve({}, `unix:${file}`))).code).toBe('ALREADY_EXISTS');
  });
});

/** A socket file without a process behind it: closing a listener that is bound elsewhere leaves its old name. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { linkSync } = await import('node:fs');
  const other = `${path}.orig`;
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(other, resolve));
  linkSync(other, path);
  await new Promise((resolve) => listener.close(resolve));
}

describe('secret', () => {
  it('is asked on every call but health', async () => {
    const server = await serve({}, '127.0.0.1:0', 'hunter2');
    expect((await failure(submit(client(server)))).code).toBe('UNAUTHENTICATED');
    const wrong = client(server, 'hunter3');
    expect((await failure(callUnary(wrong, wrong.submitRun, request))).code).toBe('UNAUTHENTICATED');
    const stream = callServerStream(wrong.watchRun.bind(wrong), watchRequest);
    expect((await failure(stream.next())).code).toBe('UNAUTHENTICATED');
    const right = client(server, 'hunter2');
    expect((await callUnary(right, right.submitRun, request)).run?.runId).toBe('r-1');
    expect(await checkHealth(server, '')).toBe('SERVING');
    expect(await checkHealth(server, 'weft.scheduler.v1.Scheduler')).toBe('SERVING');
    expect(await checkHealth(server, 'no.such.Service')).toBe(5);
  });
});

describe('health', () => {
  const health = (address: string): HealthClient => {
    const made = new HealthClient(address, 'the scheduler');
    opened.push(made);
    return made;
  };

  it('is that of what the server needs, and has an answer also where that has none', async () => {
    const needs = { ready: (): Promise<void> => Promise.resolve() };
    const server = await startGrpcServer({ listen: `unix:${socketPath()}`, services: [], ready: () => needs.ready() });
    opened.push(server);
    await health(server.address).check(10_000);
    const unserving = { code: 'UNAVAILABLE', message: expect.stringContaining('the scheduler answers that it does not serve') };
    needs.ready = () => Promise.reject(new Error('gone'));
    expect(await failure(health(server.address).check(10_000))).toMatchObject(unserving);
    expect(await checkHealth(server, '')).toBe('NOT_SERVING');
    needs.ready = () => new Promise(() => undefined);
    expect(await failure(health(server.address).check(10_000))).toMatchObject(unserving);
  });

  it('of a server that is not there is said', async () => {
    expect(await failure(health(`unix:${socketPath()}`).check(10_000))).toMatchObject({ message: 'the scheduler does not answer' });
  });
});

/** Asks with the standard package's own definition, so that ours is checked against it. Status name, or gRPC code of the refusal. */
async function checkHealth(server: RunningGrpcServer, service: string): Promise<unknown> {
  const { service: standard } = await import('grpc-health-check');
  const { credentials, makeGenericClientConstructor } = await import('@grpc/grpc-js');
  const health = new (makeGenericClientConstructor(standard, 'Health'))(server.address, credentials.createInsecure());
  opened.push(health);
  const check = health['Check'] ?? health['check'];
  return new Promise((resolve) => {
    check?.call(health, { service }, (error: { code: number } | null, response: { status: string }) =>
      resolve(error ? error.code : response.status),
    );
  });
}

describe('a service that does not answer', () => {
  const peer = 'the scheduler';

  it('is named where the caller names it', async () => {
    const gone = createClient(scheduler.SchedulerClient, `unix:${socketPath()}`);
    opened.push(gone);
    const expected = { code: 'UNAVAILABLE', message: 'the scheduler does not answer' };
    expect(await failure(callUnary(gone, gone.submitRun, request, { peer }))).toMatchObject(expected);
    expect(await failure(callServerStream(gone.watchRun.bind(gone), watchRequest, { peer }).next())).toMatchObject(expected);
  });

  it('is not mistaken for one that answers UNAVAILABLE', async () => {
    const server = await serve({
      submit: async () => {
        throw new ServiceError('UNAVAILABLE', 'Redis is away');
      },
      watch: async function* () {
        yield event(1);
        throw new ServiceError('UNAVAILABLE', 'the scheduler is closing');
      },
    });
    const c = client(server);
    expect((await failure(callUnary(c, c.submitRun, request, { peer }))).message).toBe('Redis is away');
    const stream = callServerStream(c.watchRun.bind(c), watchRequest, { peer });
    await stream.next();
    expect((await failure(stream.next())).message).toBe('the scheduler is closing');
  });
});

describe('handlers', () => {
  it('carry code, message and diagnostics across', async () => {
    const diagnostics = [run.Diagnostic.fromPartial({ severity: run.Severity.ERROR, code: 'unknown-field', message: 'ärger', line: 3 })];
    const server = await serve({
      submit: async () => {
        throw new ServiceError('INVALID_ARGUMENT', 'one mistake', diagnostics);
      },
    });
    const caught = await failure(submit(client(server)));
    expect(caught).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'one mistake', diagnostics });
  });

  it('cut what does not fit into a trailer, and say so', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => run.Diagnostic.fromPartial({ message: `mistake ${n} ${'é'.repeat(50)}` }));
    const server = await serve({
      submit: async () => {
        throw new ServiceError('INVALID_ARGUMENT', 'ü'.repeat(100_000), many);
      },
    });
    const caught = await failure(submit(client(server)));
    expect(caught.code).toBe('INVALID_ARGUMENT');
    expect(caught.diagnostics?.at(-1)?.code).toBe('more-diagnostics');
    expect(caught.message).toContain('(cut)');
  });

  it('turn a thrown exception, synchronous or not, into INTERNAL', async () => {
    const server = await serve({
      submit: () => {
        throw new TypeError('oops');
      },
      watch: () => {
        throw new TypeError('oops');
      },
    });
    const c = client(server);
    expect(await failure(callUnary(c, c.submitRun, request))).toMatchObject({ code: 'INTERNAL', message: 'oops' });
    expect(await failure(callServerStream(c.watchRun.bind(c), watchRequest).next())).toMatchObject({ code: 'INTERNAL', message: 'oops' });
  });

  it('tell a handler that its caller went away', async () => {
    let told: (value: string) => void;
    const aborted = new Promise<string>((resolve) => (told = resolve));
    const controller = new AbortController();
    const server = await serve({
      submit: (_request, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            told('aborted');
            resolve(answer('late'));
          });
          controller.abort();
        }),
    });
    const c = client(server);
    const caught = await failure(callUnary(c, c.submitRun, request, { signal: controller.signal }));
    expect(caught.code).toBe('CANCELLED');
    expect(await aborted).toBe('aborted');
  });
});

describe('streams', () => {
  it('deliver everything in order under back-pressure', async () => {
    const text = 'x'.repeat(32 * 1024);
    let produced = 0;
    const server = await serve({
      watch: async function* () {
        for (; produced < 200; produced++)
          yield run.RunEvent.fromPartial({ sequence: produced, event: { $case: 'note', value: { text } } });
      },
    });
    const c = client(server);
    const seen: number[] = [];
    for await (const message of callServerStream(c.watchRun.bind(c), watchRequest)) {
      if (seen.length === 0) expect(produced).toBeLessThan(200);
      seen.push(message.sequence);
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it('close the source when the consumer leaves', async () => {
    let closed: (value: string) => void;
    const finished = new Promise<string>((resolve) => (closed = resolve));
    const server = await serve({
      watch: async function* (_request, { signal }) {
        try {
          yield event(1);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        } finally {
          closed('closed');
        }
      },
    });
    const c = client(server);
    for await (const message of callServerStream(c.watchRun.bind(c), watchRequest)) {
      expect(message.sequence).toBe(1);
      break;
    }
    expect(await finished).toBe('closed');
  });
});

describe('start and close', () => {
  const implementation = { submitRun: unary(async () => answer('r-1')), watchRun: serverStream(async function* () {}) };

  it.each([
    ['missing', { submitRun: implementation.submitRun }, 'no handler for watchRun'],
    ['surplus', { ...implementation, watchRuns: implementation.watchRun }, 'no rpc for watchRuns'],
  ])('throws at a %s handler', async (_kind, broken, words) => {
    const start = startGrpcServer({ listen: '127.0.0.1:0', services: [{ definition, implementation: broken }] });
    expect((await failure(start)).message).toContain(words);
  });

  it('lets a running call finish before it is closed', async () => {
    let finish: () => void = () => undefined;
    let entered: () => void;
    const running = new Promise<void>((resolve) => (entered = resolve));
    const server = await serve({
      submit: () =>
        new Promise((resolve) => {
          finish = () => resolve(answer('r-9'));
          entered();
        }),
    });
    const c = client(server);
    const call = callUnary(c, c.submitRun, request);
    await running;
    const closing = server.close(60_000);
    finish();
    expect((await call).run?.runId).toBe('r-9');
    await closing;
    expect((await failure(callUnary(c, c.submitRun, request))).code).toBe('UNAVAILABLE');
  });

  it('cancels what does not finish in time', async () => {
    const server = await serve({
      watch: async function* (_request, { signal }) {
        yield event(1);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    });
    const c = client(server);
    const stream = callServerStream(c.watchRun.bind(c), watchRequest);
    await stream.next();
    await server.close(0);
    expect(await failure(stream.next())).toMatchObject({ code: 'UNAVAILABLE', message: 'the service cut the call off' });
  });

  it('a call that is cut off is not the caller’s doing', async () => {
    let entered: () => void;
    const running = new Promise<void>((resolve) => (entered = resolve));
    const server = await serve({ submit: () => (entered(), new Promise(() => undefined)) });
    const c = client(server);
    const call = failure(callUnary(c, c.submitRun, request, { peer: 'the scheduler' }));
    await running;
    await server.close(0);
    expect(await call).toMatchObject({ code: 'UNAVAILABLE', message: 'the scheduler cut the call off' });
  });
});
