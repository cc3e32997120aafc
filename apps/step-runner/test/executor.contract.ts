/** What the gRPC service must do whatever runtime is behind it. */
import { existsSync, lstatSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { fileUriToPath } from '@weft/storage';
import { RunnerFixture, watch } from './runner.fixture.js';

const { EntryKind, InputKind, Outcome } = executor;
const { FILE, DIRECTORY } = EntryKind;

export function executorContract(create: () => RunnerFixture): void {
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = create();
    await runner.start();
  });
  afterAll(() => runner.dispose());

  const manifestOf = (finished: executor.Finished): string[] =>
    finished.manifest.map(({ path, kind, size }) => `${path}${kind === DIRECTORY ? '/' : `:${size}`}`);

  it('describes itself', async () => {
    const described = await runner.describe();
    expect(described).toMatchObject({ pool: 'test', sandboxRoot: runner.sandboxRoot });
    expect(described.runtimes).toEqual([
      expect.objectContaining({ name: runner.runtime, unavailable: '', containers: runner.runtime === 'docker' }),
    ]);
    expect(described.capacity?.cores).toBeGreaterThan(0);
    expect(described.capacity?.ramBytes).toBeGreaterThan(0);
    expect(described.capacity?.diskBytes).toBeGreaterThan(0);
  });

  it('streams the log and reports exit code, manifest and usage', async () => {
    const spec = runner.shell('echo out; echo err >&2; mkdir -p d/e; echo abc > d/e/f; : > empty; exit 7');
    const { events, stdout, stderr, handle, finished } = await runner.run(spec);
    expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
    expect(handle).toMatch(/^\w+$/);
    expect(events[0]?.event?.$case).toBe('started');
    expect(events.at(-1)?.event?.$case).toBe('finished');
    expect(finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 7, stderrTail: ['err'] });
    expect(manifestOf(finished)).toEqual(['d/', 'd/e/', 'd/e/f:4', 'empty:0']);
    expect(finished.usage?.wallMs).toBeGreaterThanOrEqual(0);
    await runner.release(spec);
  });

  it('redirects streams to files, in directories of their own, and keeps the tail of stderr', async () => {
    const spec = runner.shell('cat; for i in $(seq 30); do echo line $i >&2; done', { stdoutPath: 'logs/out.txt', stderrPath: 'err.txt' });
    spec.inputs = [runner.input(`${runner.pathsOf(spec.taskId).in}/0/in.txt`, runner.file('in.txt', 'input text\n'))];
    spec.stdinPath = spec.inputs[0]!.path;
    const { finished, stdout, stderr } = await runner.run(spec);
    expect([stdout, stderr, finished.exitCode]).toEqual(['', '', 0]);
    expect(manifestOf(finished)).toEqual(['err.txt:231', 'logs/', 'logs/out.txt:11']);
    expect(finished.stderrTail).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 11}`));
    await runner.release(spec);
  });

  it('shows a secret to nobody but the tool: not in its log, not in the whole of it, not in the tail of stderr', async () => {
    const secret = 'correct horse\nbattery';
    const say =
      'printf "%s" "$PW" | head -c 7; sleep 0; printf "%s" "$PW" | tail -c +8; echo; printf "bad: %s\\n" "$PW" >&2; test "$PW" = "$(cat rc)"';
    for (const stderrPath of ['', 'err.txt']) {
      const spec = runner.shell(`${say}; echo $?; printf "%4080s\\n" x >&2; exit 3`, { stderrPath });
      const rc = { path: `${spec.workDir}/rc`, source: { $case: 'text', value: secret } as const };
      Object.assign(spec, {
        secrets: [secret],
        environment: { ...spec.environment, PW: secret },
        inputs: [executor.Input.fromPartial({ kind: executor.InputKind.FILE, ...rc })],
      });
      const { events, stdout, finished } = await runner.run(spec);
      expect(stdout).toBe('(secret)\n0\n');
      const told = JSON.stringify([events, finished]);
      for (const part of ['horse', 'battery', Buffer.from(secret).toString('base64').slice(0, 12)]) expect(told).not.toContain(part);
      expect(finished.exitCode).toBe(3);
      await runner.release(spec);
    }
  });

  it('publishes files and directories, with checksum and contents, more than once if asked', async () => {
    const spec = runner.shell(`printf 'hello' > 'a #1%.txt'; mkdir -p d/sub; echo x > d/sub/y; ln -s '../a #1%.txt' d/link`);
    await runner.run(spec);
    const items = [
      { path: 'a #1%.txt', publish: true, checksum: true, contents: true },
      { path: 'd', publish: true },
    ];
    const { files } = await runner.collect(spec, items);
    expect(files[0]).toMatchObject({ kind: FILE, size: 5, contents: 'hello', checksum: 'sha1$aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d' });
    expect(readFileSync(fileUriToPath(files[0]?.uri ?? ''), 'utf8')).toBe('hello');
    expect(files[0]?.uri).toBe(`${runner.publishTo}a%20%231%25.txt`);
    expect(files[1]?.listing.map((entry) => entry.path)).toEqual(['d/link', 'd/sub']);
    const link = fileUriToPath(files[1]?.listing[0]?.uri ?? '');
    expect(lstatSync(link).isFile()).toBe(true);
    expect(readFileSync(link, 'utf8')).toBe('hello');
    expect((await runner.collect(spec, items, { release: true })).files).toEqual(files);
    await runner.release(spec);
    expect(existsSync(join(runner.sandboxRoot, `${spec.taskId}-1`))).toBe(false);
    expect(statSync(link).size).toBe(5);
  });

  it('refuses what it cannot collect, by name', async () => {
    const spec = runner.shell('head -c 70000 /dev/zero > big; ln -s /etc/passwd escape; ln -s nowhere dangling');
    const { finished } = await runner.run(spec);
    expect(manifestOf(finished)).toEqual(['big:70000', 'dangling:0', 'escape:0']);
    await expect(runner.collect(spec, [{ path: 'none' }])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("'none'"),
    });
    await expect(runner.collect(spec, [{ path: 'dangling' }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(runner.collect(spec, [{ path: 'escape', publish: true }])).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('/etc/passwd'),
    });
    await expect(runner.collect(spec, [{ path: '../../etc' }])).rejects.toMatchObject({ name: 'ServiceError' });
    await expect(runner.collect(spec, [{ path: 'big', contents: true }])).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    const { files } = await runner.collect(spec, [{ path: 'big', contents: true, contentsLimit: 100_000 }]);
    expect(files[0]?.contents?.length).toBe(70_000);
    await runner.release(spec);
  });

  it('follows links of outputs into the working directory and to inputs, and nowhere else', async () => {
    const spec = runner.shell('');
    const { in: inputDir, tmp } = runner.pathsOf(spec.taskId);
    const source = runner.file('linked.txt', 'stored');
    const text = executor.Input.create({
      path: `${inputDir}/1/lit.txt`,
      kind: InputKind.FILE,
      source: { $case: 'text', value: 'literal' },
    });
    spec.inputs = [runner.input(`${inputDir}/0/linked.txt`, source), text];
    const links = ['d/f own', `${inputDir}/0/linked.txt input`, `${text.path} literal`, `${tmp}/f scratch`, `${tmp} up`];
    const script = `mkdir d; echo own > d/f; echo kept > ${tmp}/f; ln -s ${tmp}/f d/hidden; ${links.map((words) => `ln -s ${words}`).join('; ')}`;
    const { finished } = await runner.run({ ...spec, argv: ['/bin/sh', '-c', script] });
    expect(finished.exitCode).toBe(0);
    const { files } = await runner.collect(
      spec,
      ['own', 'input', 'literal'].map((path) => ({ path, publish: true })),
    );
    expect(files.map(({ uri, size }) => [uri, size])).toEqual([
      [`${runner.publishTo}own`, 4],
      [source, 6],
      [`${runner.publishTo}literal`, 7],
    ]);
    for (const [path, link, target] of [
      ['scratch', 'scratch', `${tmp}/f`],
      ['up', 'up', tmp],
      ['d', 'd/hidden', `${tmp}/f`],
    ] as const) {
      const message = expect.stringMatching(new RegExp(`${link}' leads to '${target}', outside the working directory`));
      await expect(runner.collect(spec, [{ path, publish: true }])).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message });
    }
    await expect(runner.collect(spec, [{ path: `${tmp}/f` }])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await runner.release(spec);
  });

  it('stages files, literals and directories; an input that comes back out keeps its URI', async () => {
    const spec = runner.shell('');
    const { work, in: inputDir } = runner.pathsOf(spec.taskId);
    runner.file('dir/inner.txt', 'inner');
    const source = runner.file('ünï #.txt', 'content');
    spec.inputs = [
      runner.input(`${inputDir}/0/a b.txt`, source),
      runner.input(`${inputDir}/1/dir`, runner.uri('dir'), { kind: InputKind.DIRECTORY }),
      executor.Input.create({ path: `${inputDir}/2/lit`, kind: InputKind.DIRECTORY }),
      executor.Input.create({ path: `${inputDir}/2/lit/text`, kind: InputKind.FILE, source: { $case: 'text', value: 'literal' } }),
      runner.input(`${inputDir}/2/lit/linked`, source),
      runner.input(`${work}/staged.txt`, source),
      runner.input(`${work}/sub/own.txt`, source, { writable: true }),
      runner.input(`${work}/data`, 'data:,some%20data'),
    ];
    spec.argv = [
      '/bin/sh',
      '-c',
      `cat '${inputDir}/0/a b.txt' ${inputDir}/1/dir/inner.txt ${inputDir}/2/lit/text ${inputDir}/2/lit/linked staged.txt data; echo more >> sub/own.txt; ln -s '${inputDir}/1/dir/inner.txt' back`,
    ];
    const { finished, stdout, stderr } = await runner.run(spec);
    expect([stderr, stdout]).toEqual(['', 'contentinnerliteralcontentcontentsome data']);
    expect(finished.manifest).toEqual([
      { path: 'back', kind: FILE, size: 5, inputUri: runner.uri('dir/inner.txt') },
      { path: 'data', kind: FILE, size: 9, inputUri: '' },
      { path: 'staged.txt', kind: FILE, size: 7, inputUri: source },
      { path: 'sub', kind: DIRECTORY, size: 0, inputUri: '' },
      { path: 'sub/own.txt', kind: FILE, size: 12, inputUri: '' },
    ]);
    expect(readFileSync(fileUriToPath(source), 'utf8')).toBe('content');
    const { files } = await runner.collect(spec, [
      { path: 'back', publish: true },
      { path: `${work}/staged.txt`, publish: true },
    ]);
    expect(files.map((file) => file.uri)).toEqual([runner.uri('dir/inner.txt'), source]);
    await runner.release(spec);
  });

  it('lets a task change an input of its own run in place only where that was asked for', async () => {
    const spec = runner.shell('echo changed > mine; cat mine');
    const uri = runner.published('r-test/t.1/in-place.txt', 'before');
    spec.inputs = [runner.input(`${spec.workDir}/mine`, uri, { writable: true, inPlace: true })];
    expect((await runner.run(spec)).stdout).toBe('changed\n');
    expect(readFileSync(fileUriToPath(uri), 'utf8')).toBe('changed\n');
    await runner.release(spec);
  });

  it('fails with INPUT_FILE where an input does not exist', async () => {
    const spec = runner.shell('true');
    spec.inputs = [runner.input(`${runner.pathsOf(spec.taskId).in}/0/x`, runner.uri('missing.txt'))];
    const { finished } = await runner.run(spec);
    expect(finished).toMatchObject({
      outcome: Outcome.FAILED,
      failure: { code: 'INPUT_FILE', retryable: false, message: `input ${runner.uri('missing.txt')} does not exist` },
    });
    await runner.release(spec);
  });

  it('attaches a second call, goes on when a stream is dropped, and hands back the result afterwards', async () => {
    const spec = runner.shell('echo ready; while [ ! -e go ]; do sleep 0.05; done; echo done');
    const first = new AbortController();
    const dropped = watch(runner.execute(spec, first.signal), (seen) => {
      if (seen.stdout.includes('ready')) first.abort();
    });
    await expect(dropped).rejects.toMatchObject({ code: 'CANCELLED' });
    const second = await watch(runner.execute(spec), (seen) => {
      if (seen.handle !== undefined) touch(runner, spec, 'go');
    });
    expect(second.finished.exitCode).toBe(0);
    // A runner may send again what it keeps of the log: who had it sees that by its place.
    expect(second.stdout).toMatch(/^(ready\n)?done\n$/);
    const third = await runner.run(spec);
    const cases = third.events.map((event) => event.event?.$case);
    expect(cases.filter((name) => name !== 'log')).toEqual(['started', 'finished']);
    expect([cases[0], cases.at(-1)]).toEqual(['started', 'finished']);
    expect(third.finished).toEqual(second.finished);
    expect(third.handle).toBe(second.handle);
    await runner.release(spec);
    await runner.release(spec);
    await expect(runner.run(spec)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('cancels, and answers when the tool is stopped', async () => {
    const spec = runner.shell('sleep 1000 & echo ready; wait');
    let cancelling: Promise<unknown> | undefined;
    const { finished } = await watch(runner.execute(spec), (seen) => {
      if (seen.stdout.includes('ready')) cancelling ??= runner.cancel(spec, 10_000);
    });
    expect(finished.outcome).toBe(Outcome.CANCELLED);
    await cancelling;
    await runner.cancel(spec);
    await runner.release(spec);
  });

  it('stops and removes a running task that is released', async () => {
    const spec = runner.shell('echo ready; sleep 1000');
    let releasing: Promise<unknown> | undefined;
    const { finished } = await watch(runner.execute(spec), (seen) => {
      if (seen.stdout.includes('ready')) releasing ??= runner.release(spec);
    });
    await releasing;
    expect(finished.outcome).toBe(Outcome.CANCELLED);
    expect(existsSync(join(runner.sandboxRoot, `${spec.taskId}-1`))).toBe(false);
  });

  it('ends a task at its time limit', async () => {
    const spec = runner.shell('sleep 1000', { timeLimitMs: 100 });
    expect((await runner.run(spec)).finished.outcome).toBe(Outcome.TIME_LIMIT);
    await runner.release(spec);
  });

  it('removes sandboxes with directories that the tool made read-only', async () => {
    const spec = runner.shell('mkdir -p a/b; echo x > a/b/c; chmod 500 a/b a');
    await runner.run(spec);
    await runner.release(spec);
    expect(existsSync(join(runner.sandboxRoot, `${spec.taskId}-1`))).toBe(false);
  });

  it.each([
    ['a task id that is no name', { taskId: '../x' }],
    ['an unknown runtime', { runtime: 'abacus' }],
    ['a working directory that is not absolute', { workDir: 'work' }],
    ['a stdout that leaves the working directory', { stdoutPath: '../out' }],
  ])('refuses %s', async (_, wrong) => {
    await expect(runner.run({ ...runner.shell('true'), ...wrong })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('does not mind unknown attempts being cancelled or released, but has nothing to collect of them', async () => {
    const spec = runner.shell('true');
    await runner.cancel(spec);
    await expect(runner.collect(spec, [{ path: 'x' }])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await runner.release(spec);
  });
}

/** Makes a file appear in the working directory of a running task. */
function touch(runner: RunnerFixture, spec: executor.TaskSpec, name: string): void {
  writeFileSync(join(runner.sandboxRoot, `${spec.taskId}-1`, 'work', name), '');
}

/** Of runners that keep whole logs: the contract leaves it to them. */
export function wholeLogContract(create: () => RunnerFixture): void {
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = create();
    await runner.start();
  });
  afterAll(() => runner.dispose());

  it('keeps the whole log where the spec says, whatever comes of the task, and sends its beginning and its end, again to who attaches', async () => {
    const logTo = `${runner.publishTo}logs/whole.`;
    const spec = runner.shell('seq 20000; echo oops >&2; exit 1', { logTo });
    const all = Array.from({ length: 20_000 }, (_, n) => `${n + 1}\n`).join('');
    const fileOf = (stream: string): string => readFileSync(fileUriToPath(`${logTo}${stream}`), 'utf8');
    for (const { events } of [await runner.run(spec), await runner.run(spec)]) {
      expect(fileOf('stdout') === all).toBe(true);
      expect(fileOf('stderr')).toBe('oops\n');
      const pieces = events.flatMap(({ event }) =>
        event?.$case === 'log' && event.value.stream === executor.Log_Stream.STDOUT ? [event.value] : [],
      );
      for (const { data, offset = -1, line = -1 } of pieces) {
        expect(all.slice(offset, offset + data.length)).toBe(Buffer.from(data).toString());
        expect(all.slice(0, offset).split('\n').length - 1).toBe(line);
      }
      const [first, last] = [pieces[0], pieces.at(-1)];
      expect(first?.offset).toBe(0);
      expect((last?.offset ?? 0) + (last?.data.length ?? 0)).toBe(all.length);
      expect(pieces.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThan(64 * 1024);
    }
    await runner.release(spec);
    // It outlives the sandbox.
    expect(fileOf('stdout') === all).toBe(true);
    const cancelled = runner.shell('echo begun; sleep 600', { logTo: `${runner.publishTo}logs/cancelled.` });
    const running = watch(runner.execute(cancelled), ({ stdout }) => void (stdout !== '' && runner.cancel(cancelled)));
    expect((await running).finished.outcome).toBe(Outcome.CANCELLED);
    expect(readFileSync(fileUriToPath(`${runner.publishTo}logs/cancelled.stdout`), 'utf8')).toBe('begun\n');
    await runner.release(cancelled);
  });
}
