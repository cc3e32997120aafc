/** A runner with a client of its own, and tasks for it: ours in this process, or whatever a suite says how to start. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { executor } from '@weft/contracts';
import { callServerStream, callUnary, createClient } from '@weft/platform';
import { pathToFileUri } from '@weft/storage';
import { startStepRunner } from '../src/app.js';
import type { StepRunnerConfig } from '../src/config.js';

const { InputKind } = executor;
let tasks = 0;

export interface Watched {
  events: executor.TaskEvent[];
  stdout: string;
  stderr: string;
  /** Handle of `started`; undefined where the task never started. */
  handle: string | undefined;
  finished: executor.Finished;
}

/** How to start the runner that is tested. */
export type Launch = (config: StepRunnerConfig) => Promise<{ address: string; close(): Promise<void> }>;

export class RunnerFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-runner-'));
  private runner: Awaited<ReturnType<Launch>> | undefined;
  private connected: executor.ContainerExecutorClient | undefined;

  constructor(
    readonly runtime: 'process' | 'docker',
    private readonly image?: string,
    private readonly overrides: Partial<StepRunnerConfig> = {},
    private readonly launch: Launch = startStepRunner,
  ) {}

  get sandboxRoot(): string {
    return join(this.directory, 'sandboxes');
  }

  get publishTo(): string {
    return `${pathToFileUri(join(this.directory, 'data', 'runs'))}/`;
  }

  config(): StepRunnerConfig {
    return {
      listen: `unix:${join(this.directory, 'runner.sock')}`,
      pool: 'test',
      runtimes: [this.runtime],
      sandboxRoot: this.sandboxRoot,
      dataDirectory: join(this.directory, 'data'),
      storage: { own: { closed: [this.ownDirectory], open: [], results: join(this.directory, 'data') } },
      publishFsync: false,
      logLevel: 'silent',
      ...this.overrides,
    };
  }

  get client(): executor.ContainerExecutorClient {
    if (this.connected === undefined) throw new Error('the runner was not started');
    return this.connected;
  }

  async start(): Promise<void> {
    this.runner = await this.launch(this.config());
    this.connect(this.runner.address);
  }

  connect(address: string): void {
    this.connected = createClient(executor.ContainerExecutorClient, address);
  }

  async stop(): Promise<void> {
    this.disconnect();
    await this.runner?.close();
    this.runner = undefined;
  }

  disconnect(): void {
    this.connected?.close();
    this.connected = undefined;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Writes a file outside the sandboxes and gives its URI. */
  file(name: string, contents: string): string {
    const path = join(this.directory, 'inputs', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    return pathToFileUri(path);
  }

  /** Of the stack's own, in a directory that holds it. */
  get ownDirectory(): string {
    const own = join(this.directory, 'site', 'own');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'secret'), 'secret');
    return own;
  }

  /** As if a task had published it. */
  published(path: string, contents: string): string {
    const full = join(this.directory, 'data', 'runs', path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, contents, { mode: 0o444 });
    return pathToFileUri(full);
  }

  uri(name: string): string {
    return pathToFileUri(join(this.directory, 'inputs', name));
  }

  spec(argv: string[], more: Partial<executor.TaskSpec> = {}): executor.TaskSpec {
    const taskId = more.taskId ?? `t${process.pid}-${++tasks}`;
    const image = this.image === undefined ? undefined : executor.Image.create({ reference: this.image });
    const paths = this.pathsOf(taskId);
    return executor.TaskSpec.create({
      attempt: 1,
      runId: 'r-test',
      runtime: this.runtime,
      image,
      argv,
      workDir: paths.work,
      tmpDir: paths.tmp,
      ...more,
      taskId,
    });
  }

  shell(script: string, more: Partial<executor.TaskSpec> = {}): executor.TaskSpec {
    return this.spec(['/bin/sh', '-c', script], more);
  }

  /** Directories as the task sees them. */
  pathsOf(taskId: string): { work: string; tmp: string; in: string } {
    if (this.runtime === 'docker') return { work: '/var/spool/cwl', tmp: '/tmp', in: '/var/lib/cwl' };
    const root = join(this.sandboxRoot, `${taskId}-1`);
    return { work: join(root, 'work'), tmp: join(root, 'tmp'), in: join(root, 'in') };
  }

  input(path: string, uri: string, more: Partial<executor.Input> = {}): executor.Input {
    return executor.Input.create({ path, kind: InputKind.FILE, source: { $case: 'uri', value: uri }, ...more });
  }

  execute(spec: executor.TaskSpec, signal?: AbortSignal): AsyncIterable<executor.TaskEvent> {
    return callServerStream(this.client.execute.bind(this.client), spec, { signal });
  }

  async run(spec: executor.TaskSpec): Promise<Watched> {
    return watch(this.execute(spec));
  }

  collect(
    spec: executor.TaskSpec,
    items: Partial<executor.CollectItem>[],
    more: Partial<executor.CollectRequest> = {},
  ): Promise<executor.CollectResponse> {
    const request = executor.CollectRequest.create({
      taskId: spec.taskId,
      attempt: spec.attempt,
      items: items.map((item) => executor.CollectItem.create(item)),
      publishTo: this.publishTo,
      ...more,
    });
    return callUnary(this.client, this.client.collect, request);
  }

  cancel(spec: executor.TaskSpec, graceMs = 0): Promise<executor.CancelResponse> {
    return callUnary(this.client, this.client.cancel, { taskId: spec.taskId, attempt: spec.attempt, graceMs, waitingOnly: false });
  }

  /** Cancels it where it waits for room. */
  withdraw(spec: executor.TaskSpec): Promise<executor.CancelResponse> {
    return callUnary(this.client, this.client.cancel, { taskId: spec.taskId, attempt: spec.attempt, graceMs: 0, waitingOnly: true });
  }

  release(spec: executor.TaskSpec): Promise<executor.ReleaseResponse> {
    return callUnary(this.client, this.client.release, { taskId: spec.taskId, attempt: spec.attempt });
  }

  describe(): Promise<executor.DescribeResponse> {
    return callUnary(this.client, this.client.describe, {});
  }
}

/** Reads a stream to its end; `onEvent` may act on what goes by. */
export async function watch(
  events: AsyncIterable<executor.TaskEvent>,
  onEvent: (seen: Omit<Watched, 'finished'>) => void = () => undefined,
): Promise<Watched> {
  const seen: Omit<Watched, 'finished'> = { events: [], stdout: '', stderr: '', handle: undefined };
  let finished: executor.Finished | undefined;
  for await (const event of events) {
    seen.events.push(event);
    const what = event.event;
    if (what?.$case === 'log') seen[what.value.stream === executor.Log_Stream.STDERR ? 'stderr' : 'stdout'] += what.value.data.toString();
    if (what?.$case === 'started') seen.handle = what.value.handle;
    if (what?.$case === 'finished') finished = what.value;
    onEvent(seen);
  }
  if (finished === undefined) throw new Error('the stream ended without `finished`');
  return { ...seen, finished };
}
