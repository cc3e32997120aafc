/** What no input may be, whoever names it, and what a task may change: with every runtime of ours. */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { executor } from '@weft/contracts';
import { fileUriToPath, pathToFileUri } from '@weft/storage';
import { RunnerFixture } from './runner.fixture.js';

const { InputKind } = executor;

export function reachContract(create: () => RunnerFixture): void {
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = create();
    await runner.start();
  });
  afterAll(() => runner.dispose());

  it('lets a task change in place what its run published, and nothing else', async () => {
    const spec = runner.shell('echo changed > mine; cat mine');
    const uri = runner.published('r-test/t.1/in-place.txt', 'before');
    // An earlier result has the same bytes, and keeps them.
    const earlier = runner.published('r-earlier/t.1/in-place.txt', 'x');
    rmSync(fileUriToPath(earlier));
    linkSync(fileUriToPath(uri), fileUriToPath(earlier));
    spec.inputs = [runner.input(`${spec.workDir}/mine`, uri, { writable: true, inPlace: true })];
    expect((await runner.run(spec)).stdout).toBe('changed\n');
    expect([uri, earlier].map((one) => readFileSync(fileUriToPath(one), 'utf8'))).toEqual(['changed\n', 'before']);
    await runner.release(spec);
  });

  it("does not change a user's file, another run's or the data directory in place, by whatever name", async () => {
    const [mine, theirs] = [runner.file('user.txt', 'kept'), runner.published('r-other/t.1/theirs.txt', 'kept')];
    runner.published('r-test/t.1/here.txt', 'x');
    symlinkSync(fileUriToPath(mine), join(runner.directory, 'data/runs/r-test/t.1/link'));
    const through = pathToFileUri(join(runner.directory, 'data/runs/r-test/t.1/link'));
    const around = `${pathToFileUri(join(runner.directory, 'data/runs/r-test'))}/../r-other/t.1/theirs.txt`;
    for (const uri of [mine, theirs, through, around]) {
      const spec = runner.shell('echo changed > mine');
      spec.inputs = [runner.input(`${spec.workDir}/mine`, uri, { writable: true, inPlace: true })];
      expect((await runner.run(spec)).finished).toMatchObject({
        failure: { code: 'INPUT_FILE', message: `input ${uri} is not of this run and cannot be changed in place`, retryable: false },
      });
      await runner.release(spec);
    }
    for (const runId of ['..', '', '../r-other', '.']) {
      const spec = { ...runner.shell('echo changed > mine'), runId };
      spec.inputs = [runner.input(`${spec.workDir}/mine`, theirs, { writable: true, inPlace: true })];
      expect((await runner.run(spec)).finished).toMatchObject({ failure: { code: 'INPUT_FILE', retryable: false } });
      await runner.release(spec);
    }
    expect([mine, theirs].map((one) => readFileSync(fileUriToPath(one), 'utf8'))).toEqual(['kept', 'kept']);
  });

  it.each([
    ['a file of the kernel', 'FILE', () => '/proc/self/environ', /lies in a file system of the kernel/],
    ['one by way of a link', 'FILE', (at: string) => (symlinkSync('/proc/1/environ', join(at, 'link')), join(at, 'link')), /of the kernel/],
    ['a device', 'FILE', () => '/dev/zero', /of the kernel/],
    ['a pipe', 'FILE', (at: string) => (execFileSync('mkfifo', [join(at, 'pipe')]), join(at, 'pipe')), /neither a file nor a directory/],
    ['a directory with a pipe in it', 'DIRECTORY', (at: string) => (execFileSync('mkfifo', [join(at, 'pipe')]), at), /holds a pipe, pipe/],
    ['the root directory', 'DIRECTORY', () => '/', /holds \/proc/],
    ['the kernel itself', 'DIRECTORY', () => '/sys', /of the kernel/],
    ['a directory of the stack', 'DIRECTORY', (_at: string, own: string) => own, /belongs to the stack itself/],
    ['a file in it', 'FILE', (_at: string, own: string) => join(own, 'secret'), /belongs to the stack itself/],
    ['what is not there in it', 'FILE', (_at: string, own: string) => join(own, 'none'), /belongs to the stack itself|does not exist/],
    [
      "another run's result by a link",
      'FILE',
      (at: string) => {
        symlinkSync(fileUriToPath(runner.published('r-other/t.1/linked.txt', 'theirs')), join(at, 'link'));
        return join(at, 'link');
      },
      /leads to results of runs by another name/,
    ],
    [
      'one by a link among the results of its own run',
      'FILE',
      () => {
        const link = join(dirname(fileUriToPath(runner.published('r-test/l.1/x', 'x'))), 'link');
        rmSync(link, { force: true });
        symlinkSync(fileUriToPath(runner.published('r-other/t.1/linked.txt', 'theirs')), link);
        return link;
      },
      /leads to results of runs by another name/,
    ],
    ['what holds it', 'DIRECTORY', (_at: string, own: string) => dirname(own), /holds the stack's own directories/],
  ] as const)('%s is no input, read-only or as a copy', async (_what, kind, make, why) => {
    const path = make(mkdtempSync(join(runner.directory, 'reach-')), runner.ownDirectory);
    for (const writable of [false, true]) {
      const spec = runner.shell('true');
      const uri = pathToFileUri(path);
      spec.inputs = [runner.input(`${spec.workDir}/x`, uri, { writable, kind: InputKind[kind] })];
      const { failure } = (await runner.run(spec)).finished;
      expect(failure).toMatchObject({ code: 'INPUT_FILE', message: expect.stringMatching(why), retryable: false });
      await runner.release(spec);
    }
  });

  it('a copy of a directory follows no link to what is no input, and takes no set-user-id bit', async () => {
    const folder = mkdtempSync(join(runner.directory, 'copied-'));
    writeFileSync(join(folder, 'run'), 'bytes', { mode: 0o755 });
    chmodSync(join(folder, 'run'), 0o6755);
    const copy = (): executor.TaskSpec => {
      const spec = runner.shell('ls -l d | grep run | cut -c1-10; cat d/in d/run');
      spec.inputs = [runner.input(`${spec.workDir}/d`, pathToFileUri(folder), { writable: true, kind: InputKind.DIRECTORY })];
      return spec;
    };
    symlinkSync(join(folder, 'run'), join(folder, 'in'));
    const good = copy();
    expect((await runner.run(good)).stdout).toBe('-rwxr-xr-x\nbytesbytes');
    await runner.release(good);
    const theirs = fileUriToPath(runner.published('r-other/t.1/copied.txt', 'theirs'));
    for (const target of ['/proc/self/environ', join(runner.ownDirectory, 'secret'), '/dev/zero', theirs, dirname(theirs)]) {
      symlinkSync(target, join(folder, 'out'));
      const spec = copy();
      expect((await runner.run(spec)).finished).toMatchObject({ failure: { code: 'INPUT_FILE', retryable: false } });
      await runner.release(spec);
      rmSync(join(folder, 'out'));
    }
  });

  it('a stream takes the place of an input file, whose bytes stay; into an input directory it is not put', async () => {
    const uri = runner.file('streamed.txt', 'kept');
    const folder = dirname(fileUriToPath(uri));
    const before = readdirSync(folder);
    const named = { ...runner.shell('cat x; echo written'), stdoutPath: 'x' };
    named.inputs = [runner.input(`${named.workDir}/x`, uri)];
    const { finished } = await runner.run(named);
    expect([finished?.failure, finished?.exitCode]).toEqual([undefined, 0]);
    const { files } = await runner.collect(named, [{ path: 'x', contents: true }]);
    expect(files.map(({ contents }) => contents)).toEqual(['keptwritten\n']);
    await runner.release(named);
    for (const [stdoutPath, why] of [
      ['d', 'an input directory has that name'],
      ['d/streamed.txt', 'it lies in an input directory'],
      ['d/new.txt', 'it lies in an input directory'],
      ['d/new/new.txt', 'it lies in an input directory'],
    ] as const) {
      const spec = { ...runner.shell('echo written'), stdoutPath };
      spec.inputs = [runner.input(`${spec.workDir}/d`, pathToFileUri(folder), { kind: InputKind.DIRECTORY })];
      const failure = { code: 'INPUT_FILE', message: `stdout cannot be '${stdoutPath}': ${why}`, retryable: false };
      expect((await runner.run(spec)).finished).toMatchObject({ failure });
      await runner.release(spec);
    }
    expect(readFileSync(fileUriToPath(uri), 'utf8')).toBe('kept');
    expect(readdirSync(folder)).toEqual(before);
  });
}
