/** What a tool may do to its inputs, to what was published, and after its end: with real processes, by every means of containment. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { executor } from '@weft/contracts';
import { CONTAINMENT_LEVELS, type ContainmentLevel, ProcessRuntime } from '@weft/runtimes';
import { fileUriToPath, pathToFileUri } from '@weft/storage';
import { COPIED_BYTES } from '../src/sandbox/shield.js';
import { RunnerFixture, watch } from './runner.fixture.js';

const { EntryKind, InputKind, Outcome } = executor;

const levels: ContainmentLevel[] = [];
for (const level of CONTAINMENT_LEVELS) {
  const runtime = new ProcessRuntime({ containment: [level] });
  if ((await runtime.probe()).unavailable === undefined) levels.push(level);
  await runtime.close();
}

describe.each(levels)('contained by %s', (level) => {
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = new RunnerFixture('process', undefined, { containment: [level] });
    await runner.start();
  });
  afterAll(() => runner.dispose());
  const withInput = (script: string, uri: string, kind = InputKind.FILE): executor.TaskSpec => {
    const spec = runner.shell('');
    const path = `${runner.pathsOf(spec.taskId).in}/0/${kind === InputKind.FILE ? 'data.txt' : 'data'}`;
    return { ...spec, argv: ['/bin/sh', '-c', script, 'sh', path], inputs: [runner.input(path, uri, { kind })] };
  };
  const changed = (uri: string): object => ({
    outcome: Outcome.FAILED,
    failure: { code: 'INPUT_CHANGED', retryable: false, message: expect.stringContaining(uri) },
  });

  it('says so', async () => {
    expect((await runner.describe()).labels).toMatchObject({
      'weft.process.containment': level,
      'weft.process.inputs': level === 'namespaces' ? 'view' : 'copy',
    });
  });

  it.each([
    ['appends', 'echo more >> "$1"; true'],
    ['overwrites in place', 'printf MINE | dd of="$1" conv=notrunc 2>/dev/null; true'],
    ['truncates', ': > "$1" || true'],
  ])('the original is as it was, and nothing is taken of a tool that could write: it %s', async (_, script) => {
    const uri = runner.file(`${level}/data.txt`, 'mine\n');
    const { finished } = await runner.run(withInput(`chmod u+w "$1"; ${script}`, uri));
    if (level === 'namespaces') expect(finished).toMatchObject({ outcome: Outcome.EXITED });
    else expect(finished).toMatchObject(changed(uri));
    expect(readFileSync(fileUriToPath(uri), 'utf8')).toBe('mine\n');
  });

  it('what is in a directory is as it was', async () => {
    const uri = runner.file(`${level}/dir/sub/data.txt`, 'mine\n').replace('/sub/data.txt', '');
    const { finished } = await runner.run(withInput('echo more >> "$1/sub/data.txt"; touch "$1/new"; true', uri, InputKind.DIRECTORY));
    if (level !== 'namespaces') expect(finished).toMatchObject(changed(uri));
    expect(readFileSync(join(fileUriToPath(uri), 'sub/data.txt'), 'utf8')).toBe('mine\n');
    expect(existsSync(join(fileUriToPath(uri), 'new'))).toBe(false);
  });

  it('a change by another name of the input is found, and named', async () => {
    const uri = runner.file(`${level}/byname.txt`, 'mine\n');
    const { finished } = await runner.run(withInput(`echo more >> '${fileUriToPath(uri)}'`, uri));
    // A copy is what the tool was given: what becomes of the original is not its input any more.
    if (level === 'namespaces') expect(finished).toMatchObject(changed(uri));
    else expect(finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
  });

  it('a large input that could be written to is checked after the tool', async () => {
    const uri = runner.file(`${level}/large.txt`, 'mine\n');
    truncateSync(fileUriToPath(uri), COPIED_BYTES + 1);
    const { finished } = await runner.run(withInput('echo more >> "$1"; true', uri));
    if (level === 'namespaces') expect(finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
    else expect(finished).toMatchObject(changed(uri));
    rmSync(fileUriToPath(uri));
  });

  it('a link of an input directory that leads out of it is checked after the tool', async () => {
    const outside = runner.file(`${level}/outside.txt`, 'mine\n');
    const uri = runner.file(`${level}/linked/own.txt`, 'own\n').replace('/own.txt', '');
    const link = join(fileUriToPath(uri), 'out.txt');
    if (!existsSync(link)) symlinkSync(fileUriToPath(outside), link);
    const { finished } = await runner.run(withInput('echo more >> "$1/out.txt"', uri, InputKind.DIRECTORY));
    expect(finished).toMatchObject(changed(uri));
  });

  it('an input that only gets another name, or is read, is as it was', async () => {
    const uri = runner.file(`${level}/named.txt`, 'mine\n');
    const spec = withInput('mkfifo go; cat "$1"; read -r go < go', uri);
    let ready: () => void = () => undefined;
    const said = new Promise<void>((resolve) => (ready = resolve));
    const ended = watch(runner.execute(spec), ({ stdout }) => stdout.includes('mine') && ready());
    await said;
    linkSync(fileUriToPath(uri), join(runner.directory, `${level}-another`));
    writeFileSync(join(runner.pathsOf(spec.taskId).work, 'go'), 'go\n');
    expect((await ended).finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
  });

  it('knows an input by whatever name the tool found for it', async () => {
    const uri = runner.file(`${level}/known.txt`, 'mine\n');
    const spec = withInput('ln -s "$1" link; ln -s "$(readlink -f "$1")" real; readlink -f "$1"', uri);
    const { finished, stdout } = await runner.run(spec);
    expect(finished.manifest.map(({ path, inputUri }) => [path, inputUri])).toEqual([
      ['link', uri],
      ['real', uri],
    ]);
    const { files } = await runner.collect(spec, [
      { path: 'real', publish: true },
      { path: stdout.trim(), publish: true },
    ]);
    expect(files.map((file) => file.uri)).toEqual([uri, uri]);
  });

  it('runs a program that is an input', async () => {
    const uri = runner.file(`${level}/program`, '#!/bin/sh\necho ran\n');
    const spec = withInput('', uri);
    execFileSync('chmod', ['755', fileUriToPath(uri)]);
    spec.argv = [spec.inputs[0]!.path];
    expect(await runner.run(spec)).toMatchObject({ stdout: 'ran\n', finished: { exitCode: 0 } });
  });

  it('what is published is not what a name that the tool has kept leads to', async () => {
    const kept = join(runner.directory, `${level}-kept`);
    const spec = runner.shell(`echo one > out; ln out '${kept}'; echo two > suid; chmod 4775 suid; ln -s suid alias`);
    await runner.run(spec);
    const items = ['out', 'suid', 'alias'].map((path) => ({ path, publish: true, checksum: true, contents: true }));
    const { files } = await runner.collect(spec, items);
    const [out, suid, alias] = files.map((file) => fileUriToPath(file.uri)) as [string, string, string];
    appendFileSync(kept, 'evil\n');
    expect(readFileSync(out, 'utf8')).toBe('one\n');
    expect(files[0]).toMatchObject({ size: 4, contents: 'one\n', checksum: 'sha1$c7059bb19433cc3cabaa6236c83d56668a843dd2' });
    expect(statSync(out).ino).not.toBe(statSync(kept).ino);
    expect([out, suid, alias].map((path) => statSync(path).mode & 0o7777)).toEqual([0o444, 0o555, 0o555]);
    // One file under two names of the task's own costs no copy.
    expect(statSync(alias).ino).toBe(statSync(suid).ino);
    expect((await runner.collect(spec, items)).files).toEqual(files);
  });

  it('a published file is written again only by a task that updates it in place', async () => {
    const made = runner.shell('echo one > updated; mkdir d; echo one > d/f', { runId: 'updates' });
    await runner.run(made);
    const items = ['updated', 'd'].map((path) => ({ path, publish: true }));
    const publishTo = `${runner.publishTo}updates/`;
    const { files } = await runner.collect(made, items, { publishTo });
    const spec = runner.shell('test -w updated -a -w d/f && echo two >> updated && echo two >> d/f', { runId: 'updates' });
    const { work } = runner.pathsOf(spec.taskId);
    spec.inputs = files.map(({ uri, path }) =>
      runner.input(join(work, path), uri, { inPlace: true, kind: path === 'd' ? InputKind.DIRECTORY : InputKind.FILE }),
    );
    expect(files.map(({ uri }) => statSync(fileUriToPath(uri)).mode & 0o777)[0]).toBe(0o444);
    expect((await runner.run(spec)).finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
    const modes = ['updated', 'd/f'].map((path) => statSync(fileUriToPath(publishTo + path)).mode & 0o777);
    expect(modes).toEqual([0o644, 0o644]);
  });

  it('nobody writes to what is published, and its checksum is that of what lies there', async () => {
    const spec = runner.shell('mkfifo up; (setsid sh -c "exec >> out; echo up > up; while :; do echo again; done" &); read -r up < up');
    spec.environment = { HOME: spec.workDir };
    await runner.run(spec);
    const [file] = (await runner.collect(spec, [{ path: 'out', publish: true, checksum: true }])).files;
    const published = fileUriToPath(file?.uri ?? '');
    const sum = execFileSync('sha1sum', [published], { encoding: 'utf8' }).split(' ')[0];
    expect(file).toMatchObject({ kind: EntryKind.FILE, checksum: `sha1$${sum}`, size: statSync(published).size });
  });
});

describe('a runner that is killed', () => {
  const main = join(process.cwd(), 'dist/step-runner.mjs');
  let directory: string;
  let life: ChildProcess | undefined;
  beforeAll(() => {
    const built = spawnSync(process.execPath, ['tools/build.mjs', 'step-runner'], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
  });
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'weft-killed-'))));
  afterEach(() => {
    life?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(levels.filter((level) => level !== 'group'))('takes every process of its tasks with it, contained by %s', async (level) => {
    const runner = new RunnerFixture('process');
    const env = {
      PATH: process.env['PATH'],
      WEFT_HOME: directory,
      WEFT_RUNNER_LISTEN: `unix:${join(directory, 'runner.sock')}`,
      WEFT_SANDBOX_ROOT: runner.sandboxRoot,
      WEFT_RUNTIMES: 'process',
      WEFT_PROCESS_CONTAINMENT: level,
      WEFT_LOG_LEVEL: 'warn',
    };
    const child = (life = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] }));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    runner.connect((JSON.parse(line.replace(/^ready /, '')) as { address: string }).address);
    const fifo = join(directory, 'alive');
    execFileSync('mkfifo', [fifo]);
    const reading = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const own = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd: reading, readable: true, writable: false });
    const here = once(stream, 'data');
    const gone = once(stream, 'close');
    const holder = `trap "" TERM HUP INT; exec 9>${fifo}; echo here >&9; exec sleep 1000`;
    const spec = runner.shell(`(env -i setsid /bin/sh -c '${holder}' &); wait; sleep 1000`);
    const followed = runner.run(spec).catch((error: unknown) => error);
    await here;
    closeSync(own);
    child.kill('SIGKILL');
    await gone;
    await followed;
    await runner.dispose();
  });
});

describe('a runner whose pipe directory and view were removed', () => {
  it('goes on', async () => {
    const runner = new RunnerFixture('process');
    await runner.start();
    const uri = pathToFileUri(join(runner.directory, 'x.txt'));
    writeFileSync(fileUriToPath(uri), 'x\n');
    for (const name of ['.pipes', 'ro']) rmSync(join(runner.sandboxRoot, name), { recursive: true, force: true });
    mkdirSync(runner.sandboxRoot, { recursive: true });
    const specs = Array.from({ length: 4 }, () => runner.shell('cat "$0"'));
    const seen = await Promise.all(
      specs.map((spec) => {
        const path = `${runner.pathsOf(spec.taskId).in}/0/x.txt`;
        return runner.run({ ...spec, argv: ['cat', path], inputs: [runner.input(path, uri)] });
      }),
    );
    expect(seen.map(({ stdout }) => stdout)).toEqual(['x\n', 'x\n', 'x\n', 'x\n']);
    await runner.dispose();
  });
});
