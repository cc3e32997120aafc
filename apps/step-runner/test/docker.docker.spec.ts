import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Docker from 'dockerode';
import { executor } from '@weft/contracts';
import { READ_ONLY_VIEW } from '@weft/runtimes';
import { admissionContract, SMALL_RUNNER } from './admission.contract.js';
import { executorContract, wholeLogContract } from './executor.contract.js';
import { reachContract } from './reach.contract.js';
import { RunnerFixture, watch } from './runner.fixture.js';

const IMAGE = 'debian:stable-slim';
const docker = new Docker();

function containersOf(runnerId: string): Promise<Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`weft.runner=${runnerId}`] } });
}

describe('step-runner with the docker runtime', () => {
  executorContract(() => new RunnerFixture('docker', IMAGE));
  reachContract(() => new RunnerFixture('docker', IMAGE));
  wholeLogContract(() => new RunnerFixture('docker', IMAGE));
});

describe('admission of containers', () => {
  admissionContract(() => new RunnerFixture('docker', IMAGE, SMALL_RUNNER));
});

describe('step-runner, containers only', () => {
  const runner = new RunnerFixture('docker', IMAGE);
  beforeAll(() => runner.start());
  afterAll(() => runner.dispose());

  it('says which image cannot be had, and that it tried', async () => {
    const reference = 'weft.invalid/weft/nothing:9';
    const { finished, events } = await runner.run(runner.shell('true', { image: executor.Image.create({ reference }) }));
    expect(finished.failure).toMatchObject({ code: 'IMAGE_PULL', message: expect.stringContaining(`cannot pull image '${reference}'`) });
    expect(events.map((event) => event.event?.$case)).toEqual(['preparing', 'finished']);
  });

  it('gives containers no network, read-only inputs and its own user', async () => {
    const spec = runner.shell('ls /sys/class/net; id -u; echo x > /var/lib/cwl/0/in.txt || echo refused; echo made > f');
    spec.inputs = [runner.input('/var/lib/cwl/0/in.txt', runner.file('in.txt', 'kept'))];
    const { stdout } = await runner.run(spec);
    expect(stdout).toBe(`lo\n${process.getuid?.()}\nrefused\n`);
    await runner.release(spec);
  });

  it('leaves no container after release', async () => {
    const { runnerId } = await runner.describe();
    const spec = runner.shell('true');
    await runner.run(spec);
    await runner.release(spec);
    const left = await containersOf(runnerId);
    expect(left.filter(({ Labels }) => Labels['weft.task'] === spec.taskId)).toEqual([]);
  });

  it('leaves containers of another runner alone that uses the same engine and bears the same name', async () => {
    const [one, other] = [1, 2].map(() => new RunnerFixture('docker', IMAGE, { runnerId: 'namesake' })) as [RunnerFixture, RunnerFixture];
    await one.start();
    const spec = one.shell('echo up; while [ ! -e go ]; do sleep 0.1; done; exit 7');
    const handle = await new Promise<string>((started) => {
      void watch(one.execute(spec), (seen) => seen.handle !== undefined && started(seen.handle));
    });
    await other.start();
    expect((await containersOf('namesake')).map(({ Id }) => Id)).toEqual([handle]);
    writeFileSync(join(one.sandboxRoot, `${spec.taskId}-1`, 'work', 'go'), '');
    const { finished } = await watch(one.execute(spec));
    expect(finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 7 });
    await one.release(spec);
    await one.dispose();
    await other.dispose();
  });

  it('fails with the name of a command that the image does not have', async () => {
    const { finished } = await runner.run(runner.spec(['no-such-tool-of-weft']));
    expect(finished.failure).toMatchObject({ code: 'COMMAND_NOT_FOUND', message: expect.stringContaining('no-such-tool-of-weft') });
  });
});

describe('a runner that is killed', () => {
  const main = join(process.cwd(), 'dist/step-runner.mjs');
  let runner: RunnerFixture;
  let life: ChildProcess | undefined;
  beforeAll(() => {
    const built = spawnSync(process.execPath, ['tools/build.mjs', 'step-runner'], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
  });
  beforeEach(() => {
    runner = new RunnerFixture('docker', IMAGE);
  });
  afterEach(async () => {
    life?.kill('SIGTERM');
    if (life !== undefined) await once(life, 'exit');
    await runner.dispose();
  });

  /** A runner process; resolves when it says that it is ready. */
  async function live(): Promise<ChildProcess> {
    const env = {
      PATH: process.env['PATH'],
      WEFT_HOME: runner.directory,
      WEFT_RUNNER_LISTEN: runner.config().listen,
      WEFT_SANDBOX_ROOT: runner.sandboxRoot,
      WEFT_LOG_LEVEL: 'warn',
      ...(process.env['DOCKER_HOST'] === undefined ? {} : { DOCKER_HOST: process.env['DOCKER_HOST'] }),
    };
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    runner.connect((JSON.parse(line.replace(/^ready /, '')) as { address: string }).address);
    return child;
  }

  async function die(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
    runner.disconnect();
  }

  it('adopts its running containers and finished results in its next life, and forgets the rest', async () => {
    const first = await live();
    const { runnerId } = await runner.describe();
    const running = runner.shell('echo early; while [ ! -e go ]; do sleep 0.1; done; echo late; exit 6', { stdoutPath: 'out' });
    const done = runner.shell('echo result > r');
    const unwanted = runner.shell('echo up; sleep 1000');
    await runner.run(done);
    const handles = [running, unwanted].map(async (spec) => {
      for await (const event of runner.execute(spec)) if (event.event?.$case === 'started') return event.event.value.handle;
      return undefined;
    });
    const [handle] = await Promise.all(handles);
    await die(first);
    rmSync(join(runner.sandboxRoot, `${unwanted.taskId}-1`), { recursive: true });

    life = await live();
    expect((await runner.describe()).runnerId).toBe(runnerId);
    expect((await containersOf(runnerId)).map(({ Id }) => Id)).toEqual([handle]);
    const result = await runner.run(done);
    expect(result.finished.manifest.map(({ path }) => path)).toEqual(['r']);
    expect((await runner.collect(done, [{ path: 'r', contents: true }])).files[0]?.contents).toBe('result\n');

    const attached = await watch(runner.execute(running), (seen) => {
      if (seen.handle !== undefined) writeFileSync(join(runner.sandboxRoot, `${running.taskId}-1`, 'work', 'go'), '');
    });
    expect(attached.handle).toBe(handle);
    expect(attached.finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 6 });
    expect((await runner.collect(running, [{ path: 'out', contents: true }])).files[0]?.contents).toBe('early\nlate\n');
    await runner.release(running);
    await runner.release(done);
    expect(await containersOf(runnerId)).toEqual([]);
    expect(readdirSync(runner.sandboxRoot).filter((name) => !name.startsWith('.') && name !== READ_ONLY_VIEW)).toEqual([]);
  });

  it('leaves no host process behind', async () => {
    const first = await live();
    const paths = join(runner.sandboxRoot, 'host-1');
    const fifo = join(runner.directory, 'alive');
    execFileSync('mkfifo', [fifo]);
    const stream = new Socket({ fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
    // As long as this is open, the end of the stream does not come.
    const own = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const [here, gone] = [once(stream, 'data'), once(stream, 'close')];
    const spec = runner.shell(`exec 9>'${fifo}'; echo here >&9; exec sleep 1000`, {
      taskId: 'host',
      runtime: 'process',
      image: undefined,
      workDir: `${paths}/work`,
      tmpDir: `${paths}/tmp`,
    });
    const followed = runner.run(spec).catch((error: unknown) => error);
    await here;
    closeSync(own);
    await die(first);
    await gone;
    await followed;
    life = await live();
    expect(existsSync(paths)).toBe(false);
  });
});
