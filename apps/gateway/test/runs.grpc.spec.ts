/** weft.gateway.v1.Runs over a real port with the generated client, reflection and health. */
import { makeClientConstructor, type Client, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { service as healthService } from 'grpc-health-check';
import { gateway, run, type scheduler as schedulerProto } from '@weft/contracts';
import { callServerStream, callUnary, createClient, ServiceError } from '@weft/platform';
import { checkHandlers } from '../src/grpc/grpc-server.js';
import { statusEvent } from './fake-scheduler.js';
import { startHarness, type Harness } from './harness.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {}\noutputs: {}\n';

const named = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, '']));

describe('weft.gateway.v1.Runs', () => {
  let harness: Harness;
  let client: gateway.RunsClient;

  beforeEach(async () => {
    harness = await startHarness();
    client = createClient(gateway.RunsClient, harness.gateway.grpcAddress);
  });
  afterEach(async () => {
    client.close();
    await harness.stop();
  });

  it('submits, gets, lists, cancels and deletes', async () => {
    const request = gateway.SubmitRequest.fromPartial({
      document: { $case: 'cwl', value: TOOL },
      name: 'n',
      deadlineS: 9,
      noContainer: true,
    });
    const { run: accepted, existing } = await callUnary(client, client.submit, request);
    expect([accepted?.status, existing]).toEqual([run.RunStatus.PENDING, false]);
    expect(harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun')).toMatchObject({
      document: { rootUri: 'inline:///workflow.cwl', files: { 'inline:///workflow.cwl': TOOL } },
      inputsJson: '{}',
      name: 'n',
      options: { noContainer: true, deadlineS: 9 },
    });
    const runId = accepted?.runId ?? '';
    expect((await callUnary(client, client.get, { runId })).run?.name).toBe('n');
    expect((await callUnary(client, client.list, gateway.ListRequest.fromPartial({ pageSize: 5 }))).runs).toHaveLength(1);
    expect((await callUnary(client, client.tasks, gateway.TasksRequest.fromPartial({ runId }))).tasks).toEqual([]);
    expect((await callUnary(client, client.retry, { runId })).run?.status).toBe(run.RunStatus.RUNNING);
    expect((await callUnary(client, client.cancel, { runId, reason: 'r' })).run?.status).toBe(run.RunStatus.CANCELLING);
    await callUnary(client, client.delete, { runId, onlyLogs: false });
    await expect(callUnary(client, client.get, { runId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('takes a bundle and refuses a submission without a document', async () => {
    const bundle = { rootUri: 'file:///a.cwl', files: { 'file:///a.cwl': TOOL } };
    await callUnary(client, client.submit, gateway.SubmitRequest.fromPartial({ document: { $case: 'bundle', value: bundle } }));
    expect(harness.scheduler.last<schedulerProto.SubmitRunRequest>('submitRun').document).toEqual(bundle);
    const none = callUnary(client, client.submit, gateway.SubmitRequest.fromPartial({}));
    await expect(none).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'cwl: no document was given' });
  });

  it.each<[string, Partial<gateway.SubmitRequest>]>([
    ['labels', { document: { $case: 'cwl', value: TOOL }, labels: named(40_000) }],
    ['files', { document: { $case: 'bundle', value: { rootUri: 'a0', files: named(40_000) } } }],
  ])('refuses a request of many %s before it is taken apart, and answers the next one', async (_, request) => {
    await expect(callUnary(client, client.submit, gateway.SubmitRequest.fromPartial(request))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'the request has more than 100,000 parts',
    });
    expect(harness.scheduler.asked).toEqual([]);
    const long = gateway.SubmitRequest.fromPartial({
      document: { $case: 'cwl', value: `${TOOL}# ${'x'.repeat(10_000_000)}` },
      labels: named(900),
    });
    expect((await callUnary(client, client.submit, long)).existing).toBe(false);
  });

  it('takes a bundle of as many files as the scheduler takes, and none that is longer than a body of REST', async () => {
    const bundle = { rootUri: 'a0', files: Object.fromEntries(Object.keys(named(10_000)).map((name) => [name, TOOL])) };
    const submit = (value: run.DocumentBundle): Promise<gateway.SubmitResponse> =>
      callUnary(client, client.submit, gateway.SubmitRequest.fromPartial({ document: { $case: 'bundle', value } }));
    expect((await submit(run.DocumentBundle.fromPartial(bundle))).existing).toBe(false);
    const long = run.DocumentBundle.fromPartial({ rootUri: 'a', files: { a: 'x'.repeat(17 * 1024 ** 2) } });
    await expect(submit(long)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });

  it('refuses a watch of many parts as a stream', async () => {
    const parts = Buffer.concat([
      gateway.WatchRequest.encode(gateway.WatchRequest.fromPartial({ runId: 'r' })).finish(),
      Buffer.alloc(400_000, Buffer.from([0x78, 1])),
    ]);
    const call = client.makeServerStreamRequest('/weft.gateway.v1.Runs/Watch', (bytes: Buffer) => bytes, run.RunEvent.decode, parts);
    const failed = new Promise<Error>((resolve) => call.once('error', resolve));
    call.resume();
    expect(await failed).toMatchObject({ details: 'the request has more than 100,000 parts' });
  });

  it('hands on diagnostics in the trailer', async () => {
    const diagnostic = run.Diagnostic.fromPartial({ code: 'cycle', line: 4, message: 'a → b → a' });
    harness.scheduler.failNext = new ServiceError('INVALID_ARGUMENT', 'one mistake', [diagnostic]);
    const request = gateway.SubmitRequest.fromPartial({ document: { $case: 'cwl', value: TOOL } });
    await expect(callUnary(client, client.submit, request)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'one mistake',
      diagnostics: [diagnostic],
    });
  });

  it('says when to come again where there is no room for another run', async () => {
    harness.scheduler.failNext = new ServiceError('RESOURCE_EXHAUSTED', 'full', undefined, { retryAfterMs: 1_200 });
    const request = gateway.SubmitRequest.fromPartial({ document: { $case: 'cwl', value: TOOL } });
    await expect(callUnary(client, client.submit, request)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterMs: 1_200 });
  });

  it('watches a run to its end', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    const first = statusEvent('r-1', 1, run.RunStatus.RUNNING);
    const last = statusEvent('r-1', 2, run.RunStatus.SUCCEEDED, '{}');
    events.push(first);
    const seen = callServerStream(client.watch.bind(client), { runId: 'r-1', afterSequence: 0 });
    expect((await seen.next()).value).toEqual(first);
    events.push(last);
    events.end();
    expect((await seen.next()).value).toEqual(last);
    expect((await seen.next()).done).toBe(true);
  });

  it('streams logs', async () => {
    const { logs } = harness.scheduler.add({ runId: 'r-1' });
    logs.push(run.LogChunk.fromPartial({ taskId: 't', text: 'hello' }));
    const texts: string[] = [];
    const request = gateway.LogsRequest.fromPartial({ runId: 'r-1' });
    for await (const chunk of callServerStream(client.logs.bind(client), request)) texts.push(chunk.text);
    expect(texts).toEqual(['hello']);
  });

  it('ends a watch with UNAVAILABLE when it closes', async () => {
    const { events } = harness.scheduler.add({ runId: 'r-1' });
    events.push(statusEvent('r-1', 1, run.RunStatus.RUNNING));
    const seen = callServerStream(client.watch.bind(client), { runId: 'r-1', afterSequence: 0 });
    await seen.next();
    const [next] = await Promise.allSettled([seen.next(), harness.gateway.close()]);
    expect(next).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', message: expect.stringContaining('closing') } });
  });

  it('answers the standard health service', async () => {
    const Health = makeClientConstructor(healthService, 'health');
    const health = new Health(harness.gateway.grpcAddress, (await import('@grpc/grpc-js')).credentials.createInsecure());
    const check = (service: string): Promise<unknown> => unaryOf(health, 'check', { service });
    expect(await check('')).toEqual({ status: 'SERVING' });
    expect(await check('weft.gateway.v1.Runs')).toEqual({ status: 'SERVING' });
    await expect(check('no.such.Service')).rejects.toMatchObject({ code: 5 });
    health.close();
  });

  it('describes itself by reflection', async () => {
    const Reflection = makeClientConstructor(reflectionService(), 'reflection');
    const client1 = new Reflection(harness.gateway.grpcAddress, (await import('@grpc/grpc-js')).credentials.createInsecure());
    const listed = await ask(client1, { list_services: '*' });
    expect(listed).toEqual({ list_services_response: { service: [{ name: 'weft.gateway.v1.Runs' }, { name: 'grpc.health.v1.Health' }] } });
    const described = await ask(client1, { file_containing_symbol: 'weft.gateway.v1.Runs' });
    const files = (described as { file_descriptor_response: { file_descriptor_proto: Buffer[] } }).file_descriptor_response;
    const text = Buffer.concat(files.file_descriptor_proto).toString('latin1');
    for (const name of ['Submit', 'Watch', 'RunEvent', 'Timestamp']) expect(text).toContain(name);
    client1.close();
  });
});

describe('checkHandlers', () => {
  const complete = Object.fromEntries(Object.keys(gateway.RunsService).map((rpc) => [rpc, () => undefined]));

  it('takes a service with a handler for every rpc', () => {
    expect(() => checkHandlers(gateway.RunsService, complete)).not.toThrow();
  });

  it('names rpcs without a handler and handlers without an rpc', () => {
    const { watch: _watch, ...rest } = complete;
    expect(() => checkHandlers(gateway.RunsService, { ...rest, wach: () => undefined })).toThrow(
      "weft.gateway.v1.Runs: rpc 'watch' has no handler, handler 'wach' has no rpc",
    );
  });
});

function unaryOf(client: Client, method: string, request: object): Promise<unknown> {
  const call = (client as unknown as Record<string, (request: object, callback: (error: Error | null, answer: unknown) => void) => void>)[
    method
  ];
  return new Promise((resolve, reject) => call!.call(client, request, (error, answer) => (error ? reject(error) : resolve(answer))));
}

/** One question on a reflection stream; the answer without the parts that only repeat the question. */
function ask(client: Client, request: object): Promise<unknown> {
  const open = client as unknown as { serverReflectionInfo(): import('@grpc/grpc-js').ClientDuplexStream<object, Record<string, unknown>> };
  const stream = open.serverReflectionInfo();
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.once('data', ({ list_services_response, file_descriptor_response, error_response }: Record<string, unknown>) => {
      stream.end();
      resolve(
        Object.fromEntries(Object.entries({ list_services_response, file_descriptor_response, error_response }).filter(([, v]) => v)),
      );
    });
    stream.write(request);
  });
}

function reflectionService(): ServiceDefinition {
  const folder = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const definition: PackageDefinition = loadSync(join(folder, 'build/proto/grpc/reflection/v1/reflection.proto'), { keepCase: true });
  return definition['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
}
