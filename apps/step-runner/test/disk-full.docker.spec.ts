/** A runner whose disk is full: a small file system of its own (needs root, as a container engine does). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { fileUriToPath } from '@weft/storage';
import { RunnerFixture } from './runner.fixture.js';

const { Outcome } = executor;
const MIB = 1024 ** 2;

describe('a runner whose disk is full', () => {
  let runner: RunnerFixture;
  let disk: string;
  beforeAll(async () => {
    runner = new RunnerFixture('process', undefined, { diskWaitMs: 1 });
    disk = runner.sandboxRoot;
    mkdirSync(disk);
    mountSmall(disk);
    await runner.start();
  });
  afterAll(async () => {
    await runner.stop();
    execFileSync('umount', ['--lazy', disk]);
    await runner.dispose();
  });
  const fill = (): unknown =>
    execFileSync('sh', ['-c', `head -c ${8 * MIB} /dev/zero > ${join(disk, '.full')} || true`], { stdio: 'ignore' });
  const empty = (): void => rmSync(join(disk, '.full'));

  const left = (): number => Number(execFileSync('du', ['-s', '-B1', '--exclude=.trash', disk], { encoding: 'utf8' }).split('\t')[0]);

  it('fails tasks whose inputs do not fit with DISK_FULL, for another attempt', async () => {
    const spec = runner.shell('true');
    const uri = runner.file('large', 'x'.repeat(6 * MIB));
    spec.inputs = [runner.input(`${spec.workDir}/large`, uri, { writable: true })];
    const { finished } = await runner.run(spec);
    expect(finished).toMatchObject({ outcome: Outcome.FAILED, failure: { code: 'DISK_FULL', retryable: true } });
    expect(finished.failure?.message).toMatch(/the disk of .*sandboxes.* has no room for it: \d.\d MiB of 4.0 MiB are free now/);
    expect(left()).toBeLessThan(MIB);
    await runner.release(spec);
    expect(readFileSync(fileUriToPath(uri)).length).toBe(6 * MIB);
  });

  it('fails tasks that cannot even begin', async () => {
    fill();
    const text = runner.shell('true');
    text.inputs = [
      executor.Input.create({
        path: `${text.workDir}/t`,
        kind: executor.InputKind.FILE,
        source: { $case: 'text', value: 'x'.repeat(MIB) },
      }),
    ];
    const { finished } = await runner.run(text);
    empty();
    expect(finished.failure).toMatchObject({
      code: 'DISK_FULL',
      retryable: true,
      message: expect.stringContaining('weft keeps 0.4 MiB of it free'),
    });
    await runner.release(text);
  });

  const FILL = `head -c ${8 * MIB} /dev/zero > "$PWD"/large`;
  it.each([
    [
      'and stays, with a file that has no name',
      `exec 3>f; rm f; head -c ${8 * MIB} /dev/zero >&3; exec sleep 1000`,
      /the task was ended: what it made takes/,
    ],
    [
      'and stays',
      `${FILL}; exec sleep 1000`,
      /the task was ended: what it made takes [34].\d MiB, more than that of any other, and the disk of/,
    ],
    ['and fails', `${FILL}`, /the tool ended with exit code 1; what it made takes [34].\d MiB, and the disk of/],
    ['and says that all is well', `${FILL}; exit 0`, /the tool ended well, but what it made takes [34].\d MiB, and the disk of/],
  ])(
    'a tool fills it %s: its attempt has failed for good, has let go what it held, and the next one runs',
    async (_how, script, message) => {
      const spec = runner.shell(script);
      const { finished } = await runner.run(spec);
      // The guard may have seen it before it ended.
      const either = new RegExp(`${message.source}|the task was ended: what it made takes`);
      expect(finished).toMatchObject({
        outcome: Outcome.FAILED,
        failure: { code: 'DISK_FULL', retryable: false, message: expect.stringMatching(either) },
      });
      expect(left()).toBeLessThan(MIB);
      await emptied();
      expect((await runner.run(runner.shell('echo on > f'))).finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
      await runner.release(spec);
    },
  );

  /** What was let go is removed by a process of its own. */
  async function emptied(): Promise<void> {
    while (readdirSync(join(disk, '.trash')).length > 0) await new Promise((done) => setImmediate(done));
  }
});

it('others wait while a disk is short, and go on when it has room', async () => {
  const runner = new RunnerFixture('process');
  mkdirSync(runner.sandboxRoot);
  mountSmall(runner.sandboxRoot);
  await runner.start();
  const filler = join(runner.sandboxRoot, '.full');
  writeFileSync(filler, Buffer.alloc(3.8 * MIB));
  const waiting: string[] = [];
  for await (const { event } of runner.execute(runner.shell('exit 3'))) {
    if (event?.$case === 'queued' && event.value.reason !== '') {
      waiting.push(event.value.reason);
      rmSync(filler, { force: true });
    }
    if (event?.$case === 'finished') expect(event.value).toMatchObject({ outcome: Outcome.EXITED, exitCode: 3 });
  }
  expect(waiting[0]).toMatch(/has 0.\d MiB of 4.0 MiB free; weft keeps 0.4 MiB of it free/);
  await runner.stop();
  execFileSync('umount', ['--lazy', runner.sandboxRoot]);
  await runner.dispose();
});

it('a store that is full fails the publishing with RESOURCE_EXHAUSTED, which is tried again', async () => {
  const runner = new RunnerFixture('process');
  const data = join(runner.directory, 'data');
  mkdirSync(data);
  mountSmall(data);
  await runner.start();
  const spec = runner.shell(`head -c ${6 * MIB} /dev/zero > f`);
  expect((await runner.run(spec)).finished.exitCode).toBe(0);
  await expect(runner.collect(spec, [{ path: 'f', publish: true }])).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringMatching(/'f' cannot be published: the disk of .*data.* has no room for it: \d.\d MiB of 4.0 MiB are free now/),
  });
  await runner.release(spec);
  await runner.stop();
  execFileSync('umount', ['--lazy', data]);
  await runner.dispose();
});

function mountSmall(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
}
