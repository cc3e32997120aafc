import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { executor } from '@weft/contracts';
import { LogRecorder, runtimeContract, SandboxFixture } from '../contract/runtime.contract.js';
import type { RunningTask, RuntimeTask } from '../ports.js';
import { LABELS } from './create-options.js';
import { DockerRuntime, type DockerRuntimeOptions } from './docker-runtime.js';

const image = 'debian:stable-slim';
const runnerId = `spec-${process.pid}`;
const ownerId = `${runnerId}-owner`;
const docker = new Docker();
const problems: unknown[] = [];

function createRuntime(more: Partial<DockerRuntimeOptions> = {}): DockerRuntime {
  return new DockerRuntime({
    runnerId,
    ownerId,
    open: () => Promise.reject(new Error('no archives here')),
    onProblem: (text, error) => problems.push([text, error]),
    ...more,
  });
}

async function containersLeft(): Promise<string[]> {
  const listed = await docker.listContainers({ all: true, filters: { label: [`${LABELS.runner}=${runnerId}`] } });
  return listed.map(({ Labels }) => Labels[LABELS.key] ?? '');
}

runtimeContract('docker', () => Promise.resolve({ runtime: createRuntime(), image }));

describe('DockerRuntime', () => {
  const runtime = createRuntime();
  let sandbox: SandboxFixture;
  let recorder: LogRecorder;
  beforeEach(() => {
    sandbox = new SandboxFixture(true, image);
    recorder = new LogRecorder();
  });
  afterEach(async () => {
    sandbox.dispose();
    expect(await containersLeft()).toEqual([]);
    expect(problems).toEqual([]);
  });
  const finish = async (task: RuntimeTask, by = runtime): Promise<{ outcome: string; exitCode: number }> => {
    const running = await by.start(task, { log: recorder.log, preparing: () => undefined });
    try {
      return await running.wait();
    } finally {
      await running.remove();
    }
  };

  it('labels the container and locks it down', async () => {
    const resources = executor.Resources.create({ cores: 0.5, ramBytes: 64 * 1024 * 1024 });
    const running = await runtime.start(sandbox.shell('echo up; sleep 1000', { resources }), {
      log: recorder.log,
      preparing: () => undefined,
    });
    await recorder.saying('up');
    const { Config, HostConfig } = await docker.getContainer(running.handle).inspect();
    await running.remove();
    expect(Config.Labels).toMatchObject({
      'weft.attempt': '1',
      'weft.run': 'r-contract',
      'weft.owner': ownerId,
      'weft.runner': runnerId,
      'weft.task': expect.stringContaining('contract-'),
    });
    expect(HostConfig).toMatchObject({ CapDrop: ['ALL'], NetworkMode: 'none', NanoCpus: 5e8, Memory: 64 * 1024 * 1024, Init: true });
    expect(HostConfig.SecurityOpt).toContain('no-new-privileges');
    expect(await running.wait()).toMatchObject({ exitCode: 137 });
  });

  it('has the shared memory that it asks for', async () => {
    await finish(sandbox.shell('df -k --output=size /dev/shm | tail -n 1', { shmBytes: 100 * 1024 ** 2 }));
    expect(recorder.stdout.trim()).toBe(String(100 * 1024));
  });

  it('has no network unless asked for', async () => {
    await finish(sandbox.shell('ls /sys/class/net'));
    expect(recorder.stdout).toBe('lo\n');
    await finish(sandbox.shell('ls /sys/class/net', { network: true }));
    expect(recorder.stdout).toContain('eth0');
  });

  it('mounts inputs read-only', async () => {
    const task = sandbox.shell('echo x > /var/lib/cwl/0/f');
    task.mounts.push({ hostPath: sandbox.tmp, taskPath: '/var/lib/cwl/0', readOnly: true });
    expect((await finish(task)).exitCode).not.toBe(0);
    expect(recorder.stderr).toContain('Read-only file system');
  });

  it('recognises that the memory limit ended the tool', async () => {
    const resources = executor.Resources.create({ ramBytes: 16 * 1024 * 1024 });
    const status = await finish(sandbox.shell('head -c 200000000 /dev/zero | tail', { resources }));
    expect(status).toMatchObject({ outcome: 'out-of-memory', exitCode: 137 });
  });

  it.each(['SIGKILL', 'SIGTERM'])('takes a container that somebody ends with %s for a failure that may pass', async (signal) => {
    const running = await runtime.start(sandbox.shell('echo up; sleep 1000 & wait'), { log: recorder.log, preparing: () => undefined });
    await recorder.saying('up');
    await docker.getContainer(running.handle).kill({ signal });
    await expect(running.wait()).rejects.toMatchObject({
      code: 'RUNTIME_LOST',
      retryable: true,
      message: expect.stringContaining('from outside'),
    });
    await running.remove();
  });

  it.each(['kill -9 $$', 'exit 137', 'exit 143'])('takes `%s` for what the tool itself had to say', async (script) => {
    expect(await finish(sandbox.shell(script))).toMatchObject({ outcome: 'exited', exitCode: script === 'exit 143' ? 143 : 137 });
  });

  it.each<[string, string, object]>([
    ['a child of the tool, which fails over that', '(tail /dev/zero); exit 3', { outcome: 'out-of-memory', exitCode: 3 }],
    ['a child that the tool can do without', '(tail /dev/zero); exit 0', { outcome: 'exited', exitCode: 0 }],
  ])('recognises that the memory limit ended %s', async (_what, script, status) => {
    const resources = executor.Resources.create({ ramBytes: 16 * 1024 * 1024 });
    expect(await finish(sandbox.shell(script, { resources }))).toMatchObject(status);
  });

  it("uses the image's entrypoint", async () => {
    const task = sandbox.task(['-c', 'echo by $BASH_VERSION'], { image: executor.Image.create({ reference: 'bash:4.4' }) });
    expect((await finish(task)).exitCode).toBe(0);
    expect(recorder.stdout).toMatch(/^by \d/);
  });

  it.each(['docker.io/debian:stable-slim', 'docker.io/library/debian:stable-slim', 'library/debian:stable-slim'])(
    'finds the image as %s',
    async (reference) => {
      expect((await finish(sandbox.shell('true', { image: executor.Image.create({ reference }) }))).exitCode).toBe(0);
    },
  );

  it('says which image cannot be had and why, once for all that wait', async () => {
    const reference = 'localhost:1/weft/no-such-image:1';
    const texts: string[] = [];
    const start = (): Promise<unknown> =>
      runtime.start(sandbox.shell('true', { image: executor.Image.create({ reference }) }), {
        log: recorder.log,
        preparing: (text) => texts.push(text),
      });
    const failure = {
      name: 'RuntimeFailure',
      code: 'IMAGE_PULL',
      retryable: true,
      message: expect.stringContaining(`cannot pull image '${reference}': `),
    };
    await Promise.all([expect(start()).rejects.toMatchObject(failure), expect(start()).rejects.toMatchObject(failure)]);
    expect(texts).toContain(`pulling image ${reference}`);
  });

  it('does not try to pull an id', async () => {
    const reference = `sha256:${'0'.repeat(64)}`;
    await expect(finish(sandbox.shell('true', { image: executor.Image.create({ reference }) }))).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
    });
  });

  it('builds a Dockerfile, once', async () => {
    const dockerfile = `FROM alpine:latest\nLABEL weft.spec=${runnerId}\nENV MADE=here\n`;
    const built = executor.Image.create({ reference: `weft-spec-${process.pid}:built`, dockerfile });
    try {
      expect((await finish(sandbox.shell('echo $MADE', { image: built }))).exitCode).toBe(0);
      expect(recorder.stdout).toBe('here\n');
    } finally {
      await docker.getImage(built.reference).remove({ force: true });
    }
  });

  it('loads an archive', async () => {
    const repo = `weft-spec-${process.pid}`;
    const reference = `${repo}:loaded`;
    await docker.getImage('alpine:latest').tag({ repo, tag: 'loaded' });
    const archive = await collectBytes(await docker.getImage(reference).get());
    await docker.getImage(reference).remove();
    const opened: string[] = [];
    const loading = createRuntime({
      open: (uri) => {
        opened.push(uri);
        return Promise.resolve(Readable.from([archive]));
      },
    });
    try {
      const loaded = executor.Image.create({ reference, loadUri: 'file:///archive.tar' });
      expect((await finish(sandbox.shell('true', { image: loaded }), loading)).exitCode).toBe(0);
      expect((await finish(sandbox.shell('true', { image: loaded }), loading)).exitCode).toBe(0);
      expect(opened).toEqual(['file:///archive.tar']);
    } finally {
      await docker.getImage(reference).remove({ force: true });
    }
  });

  it('imports an archive of a root file system under the name it is given', async () => {
    const reference = `weft-spec-${process.pid}:imported`;
    const source = await docker.createContainer({ Image: 'alpine:latest', Cmd: ['true'] });
    const archive = await collectBytes(await source.export());
    await source.remove();
    const importing = createRuntime({ open: () => Promise.resolve(Readable.from([archive])) });
    try {
      const imported = executor.Image.create({ reference, importUri: 'file:///root.tar' });
      expect((await finish(sandbox.shell('true', { image: imported }), importing)).exitCode).toBe(0);
    } finally {
      await docker.getImage(reference).remove({ force: true });
    }
  });

  it('adopts what an earlier life started, with all of its output, and removes what nobody knows', async () => {
    const task = sandbox.shell(
      'echo before; while [ ! -e go ]; do sleep 0.1; done; echo after; printf last; exit 4',
      {},
      { hostStdout: sandbox.path('out') },
    );
    const [unknown, kept] = [sandbox.shell('sleep 1000'), sandbox.shell('sleep 1000')];
    const earlier = createRuntime();
    await earlier.start(task, { log: recorder.log, preparing: () => undefined });
    await earlier.start(unknown, { log: recorder.log, preparing: () => undefined });
    const own = await earlier.start(kept, { log: recorder.log, preparing: () => undefined });
    const later = createRuntime();
    const adopted: { key: string; task: RunningTask }[] = [];
    await later.adopt((key) => (key === task.key ? task : key === kept.key ? 'keep' : 'remove'), {
      log: () => recorder.log,
      expected: true,
      adopted: (key, found) => adopted.push({ key, task: found }),
    });
    expect(adopted.map(({ key }) => key)).toEqual([task.key]);
    expect((await containersLeft()).sort()).toEqual([task.key, kept.key].sort());
    await own.remove();
    writeFileSync(sandbox.path('go'), '');
    expect(await adopted[0]?.task.wait()).toMatchObject({ outcome: 'exited', exitCode: 4 });
    expect(sandbox.read('out')).toBe('before\nafter\nlast');
    await adopted[0]?.task.remove();
  });
});

describe('an engine that is not there', () => {
  const before = process.env['DOCKER_HOST'];
  afterEach(() => {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
  });
  it('is said to be unavailable, with the reason', async () => {
    process.env['DOCKER_HOST'] = 'unix:///nonexistent/docker.sock';
    const runtime = createRuntime();
    expect((await runtime.probe()).unavailable).toContain('/nonexistent/docker.sock');
    const sandbox = new SandboxFixture(true, image);
    await expect(runtime.start(sandbox.shell('true'), { log: () => undefined, preparing: () => undefined })).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      retryable: true,
    });
    const adopting = runtime.adopt(() => 'remove', { log: () => () => undefined, adopted: () => undefined, expected: false });
    await expect(adopting).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE', retryable: true });
    sandbox.dispose();
  });
});

async function collectBytes(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
