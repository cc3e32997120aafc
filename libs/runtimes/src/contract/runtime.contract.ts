/**
 * What every runtime must do; run by each runtime's spec against the real thing.
 * Tests order events by what the tool itself says in its log, never by time.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import type { LogSink, RunningTask, RuntimeTask, TaskRuntime } from '../ports.js';

export interface RuntimeUnderTest {
  runtime: TaskRuntime;
  /** Image with a POSIX shell at /bin/sh; absent for runtimes without images. */
  image?: string;
}

let sequence = 0;

/** A sandbox on disk and the tasks in it. */
export class SandboxFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-runtime-'));
  readonly work = join(this.directory, 'work');
  readonly tmp = join(this.directory, 'tmp');

  constructor(
    private readonly containers: boolean,
    private readonly image: string | undefined,
  ) {
    mkdirSync(this.work);
    mkdirSync(this.tmp);
  }

  /** `more` refines the runtime task; `spec` its spec. */
  task(argv: string[], spec: Partial<executor.TaskSpec> = {}, more: Partial<RuntimeTask> = {}): RuntimeTask {
    const taskId = `contract-${process.pid}-${++sequence}`;
    const [workDir, tmpDir] = this.containers ? ['/var/spool/cwl', '/tmp'] : [this.work, this.tmp];
    const image = this.image === undefined ? undefined : executor.Image.create({ reference: this.image });
    return {
      spec: executor.TaskSpec.create({ taskId, attempt: 1, runId: 'r-contract', runtime: 'x', image, argv, workDir, tmpDir, ...spec }),
      key: `${taskId}.1`,
      hostWorkDir: this.work,
      hostTmpDir: this.tmp,
      devices: [],
      readOnly: [],
      mounts: this.containers
        ? [
            { hostPath: this.work, taskPath: workDir, readOnly: false },
            { hostPath: this.tmp, taskPath: tmpDir, readOnly: false },
          ]
        : [],
      ...more,
    };
  }

  shell(script: string, spec: Partial<executor.TaskSpec> = {}, more: Partial<RuntimeTask> = {}): RuntimeTask {
    return this.task(['/bin/sh', '-c', script], spec, more);
  }

  path(name: string): string {
    return join(this.work, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A log that can be waited for. */
export class LogRecorder {
  stdout = '';
  stderr = '';
  private watchers: (() => void)[] = [];

  readonly log: LogSink = (stream, data) => {
    this[stream] += data.toString();
    for (const watcher of this.watchers) watcher();
  };

  /** Resolves once stdout holds `text`. */
  saying(text: string): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.stdout.includes(text)) resolve();
      };
      this.watchers.push(check);
      check();
    });
  }
}

export function runtimeContract(name: string, create: () => Promise<RuntimeUnderTest>): void {
  describe(`runtime contract: ${name}`, () => {
    let subject: RuntimeUnderTest;
    let sandbox: SandboxFixture;
    let recorder: LogRecorder;
    beforeAll(async () => {
      subject = await create();
    });
    afterAll(async () => {
      await subject.runtime.close();
    });
    beforeEach(() => {
      sandbox = new SandboxFixture(subject.runtime.containers, subject.image);
      recorder = new LogRecorder();
    });
    afterEach(() => sandbox.dispose());

    const start = (task: RuntimeTask): Promise<RunningTask> =>
      subject.runtime.start(task, { log: recorder.log, preparing: () => undefined });
    const finish = async (task: RuntimeTask): Promise<Awaited<ReturnType<RunningTask['wait']>>> => {
      const running = await start(task);
      try {
        return await running.wait();
      } finally {
        await running.remove();
      }
    };

    it('is available', async () => {
      const probed = await subject.runtime.probe();
      expect(probed.unavailable).toBeUndefined();
      expect(probed.version).not.toBe('');
    });

    it.each([0, 1, 42, 127, 255])('reports exit code %d', async (code) => {
      expect(await finish(sandbox.shell(`exit ${code}`))).toMatchObject({ outcome: 'exited', exitCode: code });
    });

    it('knows what an image, or else a program, has in it, and says what the tool ran in', async () => {
      const contentOf = (reference: string): Promise<string | undefined> => subject.runtime.contentId(executor.Image.create({ reference }));
      const id = await contentOf(subject.image ?? 'sh');
      expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await contentOf('weft-spec-never-there')).toBeUndefined();
      expect((await finish(sandbox.shell('exit 0'))).imageId).toBe(subject.image === undefined ? undefined : id);
    });

    it('reports a signal as 128 + its number', async () => {
      expect(await finish(sandbox.shell('kill -KILL $$'))).toMatchObject({ outcome: 'exited', exitCode: 137 });
    });

    it('gives both streams to the log, byte for byte', async () => {
      await finish(sandbox.shell(`printf 'a\\nb'; printf 'ü\\n' >&2`));
      expect([recorder.stdout, recorder.stderr]).toEqual(['a\nb', 'ü\n']);
    });

    it('writes redirected streams to files and feeds stdin from one', async () => {
      writeFileSync(join(sandbox.directory, 'stdin'), 'from stdin\n');
      const task = sandbox.shell(
        'cat; echo oops >&2',
        {},
        { hostStdin: join(sandbox.directory, 'stdin'), hostStdout: sandbox.path('out'), hostStderr: sandbox.path('err') },
      );
      expect((await finish(task)).exitCode).toBe(0);
      expect([sandbox.read('out'), sandbox.read('err')]).toEqual(['from stdin\n', 'oops\n']);
      expect([recorder.stdout, recorder.stderr]).toEqual(['', '']);
    });

    it('keeps binary output as it is', async () => {
      const octal = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
      await finish(sandbox.shell(`printf '${octal}'`, {}, { hostStdout: sandbox.path('out') }));
      expect([...readFileSync(sandbox.path('out'))]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
    });

    it('has an empty stdin where none is given', async () => {
      await finish(sandbox.shell('wc -c'));
      expect(recorder.stdout.trim()).toBe('0');
    });

    it('runs in the working directory, and can write there and to the scratch directory', async () => {
      const task = sandbox.shell('pwd; echo x > made; echo y > "$SCRATCH/tmp-made"');
      task.spec.environment = { SCRATCH: task.spec.tmpDir };
      expect((await finish(task)).exitCode).toBe(0);
      expect(recorder.stdout.trim()).toBe(task.spec.workDir);
      expect(sandbox.read('made')).toBe('x\n');
      expect(readFileSync(join(sandbox.tmp, 'tmp-made'), 'utf8')).toBe('y\n');
    });

    it('passes arguments and variables unchanged', async () => {
      const awkward = [`it's`, '$HOME `x` "q"', 'a\nb', '', '-n', 'ü*?[', '\\', ' lead'];
      const environment = { A: `it's $HOME\n\\`, 'odd.name': 'v', LC_ALL: 'C', EMPTY: '' };
      const script = 'printf "<%s>" "$@"; printf "[%s][%s]" "$A" "${EMPTY-unset}"';
      await finish(sandbox.task(['/bin/sh', '-c', script, 'sh', ...awkward], { environment }));
      expect(recorder.stdout).toBe(`${awkward.map((word) => `<${word}>`).join('')}[it's $HOME\n\\][]`);
    });

    it('passes variables that a shell cannot name', async () => {
      await finish(sandbox.task(['env'], { environment: { 'odd.name': `v'1`, IFS: 'x', PS1: '$' } }));
      expect(recorder.stdout.split('\n')).toEqual(expect.arrayContaining([`odd.name=v'1`, 'IFS=x', 'PS1=$']));
    });

    it('says which command is missing', async () => {
      const missing = finish(sandbox.task(['weft-no-such-command', 'x']));
      await expect(missing).rejects.toMatchObject({
        name: 'RuntimeFailure',
        code: 'COMMAND_NOT_FOUND',
        retryable: false,
        message: expect.stringContaining('weft-no-such-command'),
      });
    });

    it('stops with TERM, and the tool may clean up', async () => {
      const running = await start(sandbox.shell(`trap 'echo cleaned; exit 3' TERM; echo ready; while :; do sleep 1; done`));
      await recorder.saying('ready');
      await running.stop(60_000, 'cancelled');
      expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
      await running.remove();
      expect(recorder.stdout).toContain('cleaned');
    });

    it('kills what ignores TERM, with its children', async () => {
      const running = await start(
        sandbox.shell(`trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo "ready"; while :; do sleep 1; done`),
      );
      await recorder.saying('ready');
      await running.stop(1, 'cancelled');
      expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
      await running.remove();
    });

    it('enforces the time limit', async () => {
      const task = sandbox.shell('while :; do sleep 1; done', { timeLimitMs: 50 });
      expect(await finish(task)).toMatchObject({ outcome: 'time-limit' });
    });

    it('answers every wait, also after the end, and stops what has ended without complaint', async () => {
      const running = await start(sandbox.shell('exit 5'));
      const [first, second] = await Promise.all([running.wait(), running.wait()]);
      await running.stop(1000, 'cancelled');
      await running.remove();
      expect([first.exitCode, second.exitCode, (await running.wait()).exitCode]).toEqual([5, 5, 5]);
      expect((await running.wait()).outcome).toBe('exited');
    });

    it('holds up a tool whose log is not accepted', async () => {
      let accept = (): void => undefined;
      let taken = 0;
      const running = await subject.runtime.start(sandbox.shell('head -c 20000000 /dev/zero; touch written'), {
        preparing: () => undefined,
        log: (_, data) => {
          taken += data.length;
          return taken > data.length ? undefined : new Promise<void>((resolve) => (accept = resolve));
        },
      });
      await started(() => taken > 0);
      expect(existsSync(sandbox.path('written'))).toBe(false);
      accept();
      expect((await running.wait()).exitCode).toBe(0);
      await running.remove();
      expect(taken).toBe(20_000_000);
    });

    it('runs many at once, each with its own log', async () => {
      const recorders = Array.from({ length: 6 }, () => new LogRecorder());
      const runs = recorders.map(async (own, index) => {
        const running = await subject.runtime.start(sandbox.shell(`echo ${index}`), { log: own.log, preparing: () => undefined });
        await running.wait();
        await running.remove();
      });
      await Promise.all(runs);
      expect(recorders.map((own) => own.stdout)).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n']);
    });
  });
}

/** Turns of the event loop until `condition` holds: ordered by I/O, not by a clock. */
export async function started(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
