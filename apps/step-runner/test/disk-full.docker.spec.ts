/** A runner whose disk is full: a small file system of its own (needs root, as a container engine does). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
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
    runner = new RunnerFixture('process');
    disk = runner.sandboxRoot;
    mkdirSync(disk);
    mountSmall(disk);
    await runner.start();
  });
  afterAll(async () => {
    await runner.stop();
    execFileSync('umount', [disk]);
    await runner.dispose();
  });
  const fill = (): unknown =>
    execFileSync('sh', ['-c', `head -c ${8 * MIB} /dev/zero > ${join(disk, '.full')} || true`], { stdio: 'ignore' });
  const empty = (): void => rmSync(join(disk, '.full'));

  it('fails tasks whose inputs do not fit with DISK_FULL, for another attempt', async () => {
    const spec = runner.shell('true');
    const uri = runner.file('large', 'x'.repeat(6 * MIB));
    spec.inputs = [runner.input(`${spec.workDir}/large`, uri, { writable: true })];
    const { finished } = await runner.run(spec);
    expect(finished).toMatchObject({ outcome: Outcome.FAILED, failure: { code: 'DISK_FULL', retryable: true } });
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
    expect(finished.failure).toMatchObject({ code: 'DISK_FULL', retryable: true });
    await runner.release(text);
  });
});

it('a store that is full fails the publishing with RESOURCE_EXHAUSTED, which is tried again', async () => {
  const runner = new RunnerFixture('process');
  const data = join(runner.directory, 'data');
  mkdirSync(data);
  mountSmall(data);
  await runner.start();
  const spec = runner.shell(`head -c ${6 * MIB} /dev/zero > f`);
  expect((await runner.run(spec)).finished.exitCode).toBe(0);
  await expect(runner.collect(spec, [{ path: 'f', publish: true }])).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  await runner.release(spec);
  await runner.stop();
  execFileSync('umount', [data]);
  await runner.dispose();
});

function mountSmall(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
}
