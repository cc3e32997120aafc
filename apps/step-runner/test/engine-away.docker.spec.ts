/** A runner whose Docker engine is killed, stopped, frozen and started again under its tasks. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { OwnEngine, ownEngineUnavailable } from '@weft/testing';
import type { StepRunnerConfig } from '../src/config.js';
import { RunnerFixture, type Watched, watch } from './runner.fixture.js';

const IMAGE = 'alpine:latest';
const unavailable = ownEngineUnavailable();
if (unavailable !== undefined && process.env['CI'] !== 'true') console.warn(`SKIPPED: ${unavailable}`);
const describeWithEngine = unavailable === undefined || process.env['CI'] === 'true' ? describe : describe.skip;
/** Says that it runs, waits for a file, and says how often it was begun. */
const WAITING = 'echo up >&2; while [ ! -e go ]; do sleep 0.1; done; echo done > result; echo end >&2';

/** One task as it is watched. */
class Followed {
  private readonly seen: string[] = [];
  private readonly listeners = new Set<() => void>();
  readonly end: Promise<Watched>;

  constructor(
    readonly runner: RunnerFixture,
    readonly spec: executor.TaskSpec,
  ) {
    let logged = '';
    this.end = watch(runner.execute(spec), ({ events, stderr }) => {
      const last = events.at(-1)?.event;
      if (last?.$case === 'preparing') this.seen.push(last.value.text);
      else if (last?.$case === 'queued') this.seen.push(`queued ${last.value.reason}`);
      else if (last?.$case === 'log') this.seen.push(`log ${stderr.slice(logged.length).trim()}`);
      else this.seen.push(last?.$case ?? '');
      logged = stderr;
      for (const listener of this.listeners) listener();
    });
  }

  /** Resolves when something like it has been seen so many times. */
  saw(what: RegExp, times = 1): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.seen.filter((one) => what.test(one));
        if (found.length < times) return;
        this.listeners.delete(look);
        resolve(found[times - 1] ?? '');
      };
      this.listeners.add(look);
      look();
    });
  }

  times(what: RegExp): number {
    return this.seen.filter((one) => what.test(one)).length;
  }

  /** Lets the tool end, however often it is begun again from now on. */
  go(): void {
    const work = join(this.runner.sandboxRoot, `${this.spec.taskId}-1`, 'work');
    const letGo = (): void => {
      if (existsSync(work)) writeFileSync(join(work, 'go'), '');
    };
    let begun = this.times(/log up/);
    this.listeners.add(() => {
      if (this.times(/log up/) > begun) letGo();
      begun = this.times(/log up/);
    });
    letGo();
  }
}

describeWithEngine('an engine that goes away and comes back', () => {
  let engine: OwnEngine;
  let runner: RunnerFixture;
  const before = process.env['DOCKER_HOST'];
  const reserved = { cores: 1, ramBytes: 0, diskBytes: 0, gpus: 0 };

  beforeAll(async () => {
    engine = await OwnEngine.start([IMAGE]);
    process.env['DOCKER_HOST'] = engine.host;
  });
  afterAll(async () => {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
    await engine.dispose();
  });
  afterEach(async () => {
    expect((await runner.describe()).inUse?.cores).toBe(0);
    expect(engine.containers()).toEqual([]);
    await runner.dispose();
  });

  const begin = async (config: Partial<StepRunnerConfig> = {}): Promise<void> => {
    runner = new RunnerFixture('docker', IMAGE, { runtimes: ['docker', 'process'], capacity: { cores: 2 }, ...config });
    await runner.start();
  };
  const follow = (script: string, more: Partial<executor.TaskSpec> = {}): Followed =>
    new Followed(runner, runner.shell(script, { reserved, ...more }));
  const dockerOf = async (): Promise<executor.RuntimeInfo | undefined> =>
    (await runner.describe()).runtimes.find(({ name }) => name === 'docker');
  /** Lets it end, and takes it away with everything that it made. */
  const finish = async (task: Followed, files: string[] = ['go', 'result']): Promise<void> => {
    task.go();
    const { finished } = await task.end;
    expect(finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 0 });
    expect(finished.manifest.map(({ path }) => path)).toEqual(files);
    await runner.release(task.spec);
  };

  it.each(['SIGKILL', 'SIGTERM'] as const)('%s: the task is begun again as the same attempt', async (signal) => {
    await begin();
    // A tool that takes the engine's TERM for a reason to end well.
    const task = follow(`trap 'exit 0' TERM; ${WAITING}`);
    await task.saw(/log up/);
    await engine.end(signal);
    await engine.up();
    await task.saw(/is begun again \(1 of 5 times\)/);
    await task.saw(/log up/, 2);
    await finish(task);
  });

  it('an engine that keeps containers: the task goes on, and no line of its log comes twice', async () => {
    await engine.end('SIGTERM');
    await engine.up({ liveRestore: true });
    await begin();
    const task = follow(WAITING);
    await task.saw(/log up/);
    await engine.end('SIGKILL');
    await engine.up();
    await finish(task);
    const { stderr } = await task.end;
    expect(stderr).toBe('up\nend\n');
    expect([task.times(/^started/), task.times(/begun again/)]).toEqual([1, 0]);
  });

  it('an engine that keeps containers: what was to be a result and went through it is made again', async () => {
    await begin();
    const task = follow(`${WAITING}; echo whole`, { stdoutPath: 'out' });
    await task.saw(/log up/);
    await engine.end('SIGKILL');
    await engine.up({ liveRestore: true });
    await task.saw(/may be incomplete; the task is begun again/);
    await task.saw(/log up/, 2);
    await finish(task, ['go', 'out', 'result']);
    await engine.end('SIGTERM');
    await engine.up({ liveRestore: false });
  });

  it('an engine that hangs: it is told, other runtimes go on, and the task is found again as it was', async () => {
    await begin({ engineSilenceMs: 500 });
    const task = follow(WAITING);
    await task.saw(/log up/);
    engine.freeze();
    // Asked again and again by whoever registers the runner.
    let docker = await dockerOf();
    while (docker?.unavailable === '') docker = await dockerOf();
    expect(docker).toMatchObject({
      expected: true,
      unavailable: expect.stringContaining(`engine at ${engine.host}: not answering since 20`),
    });
    const paths = join(runner.sandboxRoot, 'host-1');
    mkdirSync(join(runner.directory, 'host'));
    const host = await runner.run(
      runner.shell('echo beside', {
        ...{ reserved, taskId: 'host', runtime: 'process', image: undefined },
        ...{ workDir: join(paths, 'work'), tmpDir: join(paths, 'tmp') },
      }),
    );
    expect(host.stdout).toBe('beside\n');
    const late = follow('echo late >&2');
    expect(await late.saw(/^queued/)).toContain('queued waiting for the Docker engine at');
    engine.thaw();
    await finish(task);
    expect([task.times(/^started/), task.times(/begun again/)]).toEqual([1, 0]);
    expect((await late.end).finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 0 });
    await runner.release(late.spec);
    expect((await dockerOf())?.unavailable).toBe('');
  });

  it('a task that is cancelled while the engine is away ends at once, and its container when the engine is back', async () => {
    await engine.end('SIGTERM');
    await engine.up({ liveRestore: true });
    await begin();
    const task = follow('echo up >&2; sleep 1000');
    await task.saw(/log up/);
    await engine.end('SIGKILL');
    await runner.cancel(task.spec, 10_000);
    expect((await task.end).finished.outcome).toBe(executor.Outcome.CANCELLED);
    expect((await runner.describe()).inUse?.cores).toBe(0);
    await engine.up({ liveRestore: false });
    await runner.release(task.spec);
  });

  it('an engine that stays away is waited for so long, and no longer', async () => {
    await begin({ engineWaitMs: 1 });
    const task = follow(WAITING);
    await task.saw(/log up/);
    await engine.end('SIGKILL');
    const { finished } = await task.end;
    expect(finished.failure).toMatchObject({ code: 'RUNTIME_UNAVAILABLE', retryable: true });
    expect(finished.failure?.message).toMatch(/not answering since .*; it was waited for 0 s$/);
    expect(await dockerOf()).toMatchObject({ expected: false });
    await engine.up();
    await runner.release(task.spec);
    // Nobody waits for its removal any more.
    while (engine.containers().length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([['kill'], ['rm', '--force'], ['stop', '--time', '0']])(
    'somebody says docker %s: the task is begun again',
    async (...command) => {
      await begin();
      const task = follow(`trap 'exit 0' TERM; ${WAITING}`);
      await task.saw(/log up/);
      engine.docker(...command, engine.containers()[0] ?? '');
      await task.saw(/from outside while the task ran.*; the task is begun again/);
      await task.saw(/log up/, 2);
      await finish(task);
    },
  );

  it('a tool that takes its container down each time comes to an end', async () => {
    await begin();
    const task = follow(`echo up >&2; sleep 1000`);
    for (let times = 1; times <= 6; times++) {
      await task.saw(/log up/, times);
      engine.docker('kill', engine.containers()[0] ?? '');
    }
    const { finished } = await task.end;
    expect(finished.failure).toMatchObject({ code: 'RUNTIME_LOST', retryable: false });
    expect(finished.failure?.message).toContain('that was the 6th time, and the task is not begun again');
    await runner.release(task.spec);
  });

  it('a runner that is started while the engine is away waits for it with what it had', async () => {
    await begin();
    const task = follow(WAITING);
    await task.saw(/log up/);
    task.end.catch(() => undefined);
    await engine.end('SIGKILL');
    await runner.stop();
    await runner.start();
    expect(await dockerOf()).toMatchObject({ expected: true });
    const again = new Followed(runner, task.spec);
    expect(await again.saw(/waiting for/)).toContain('docker');
    await engine.up();
    await again.saw(/is begun again \(1 of 5 times\)/);
    await again.saw(/log up/);
    await finish(again);
  });
});
