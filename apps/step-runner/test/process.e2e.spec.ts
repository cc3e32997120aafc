import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { pathToFileUri } from '@weft/storage';
import { admissionContract, SMALL_RUNNER } from './admission.contract.js';
import { executorContract, wholeLogContract } from './executor.contract.js';
import { reachContract } from './reach.contract.js';
import { RunnerFixture, watch } from './runner.fixture.js';

describe('step-runner with the process runtime', () => {
  executorContract(() => new RunnerFixture('process'));
  reachContract(() => new RunnerFixture('process'));
  wholeLogContract(() => new RunnerFixture('process'));
});

describe('admission of processes', () => {
  admissionContract(() => new RunnerFixture('process', undefined, SMALL_RUNNER));
});

describe('step-runner with GPUs', () => {
  const runner = new RunnerFixture('process', undefined, { capacity: { devices: ['GPU-a', 'GPU-b', 'GPU-c'] } });
  beforeAll(() => runner.start());
  afterAll(() => runner.dispose());

  it('tells a task which are its own, and nobody else the same', async () => {
    const reserving = (gpus: number, script: string): executor.TaskSpec =>
      runner.shell(script, { reserved: { cores: 0, ramBytes: 0, diskBytes: 0, gpus } });
    const holding = reserving(2, 'echo $CUDA_VISIBLE_DEVICES; sleep 1000');
    let tell: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (tell = resolve));
    const first = watch(runner.execute(holding), ({ stdout }) => stdout.includes('\n') && tell());
    await ready;
    expect((await runner.run(reserving(1, 'echo $CUDA_VISIBLE_DEVICES'))).stdout).toBe('GPU-c\n');
    expect((await runner.run(reserving(0, 'echo ${CUDA_VISIBLE_DEVICES-none}'))).stdout).toBe('none\n');
    await runner.cancel(holding);
    expect((await first).stdout).toBe('GPU-a,GPU-b\n');
  });
});

describe('step-runner, processes only', () => {
  const runner = new RunnerFixture('process');
  beforeAll(() => runner.start());
  afterAll(() => runner.dispose());

  it('fails with COMMAND_NOT_FOUND and the name', async () => {
    const { finished, events } = await runner.run(runner.spec(['no-such-tool-of-weft']));
    expect(finished).toMatchObject({
      outcome: executor.Outcome.FAILED,
      failure: { code: 'COMMAND_NOT_FOUND', message: expect.stringContaining("'no-such-tool-of-weft'") },
    });
    expect(events.map((event) => event.event?.$case)).toEqual(['finished']);
  });

  it('begins a task again whose launcher somebody has killed, as the same attempt and with a log of its own', async () => {
    const lives = join(runner.directory, 'lives');
    const spec = runner.shell(`echo life >> '${lives}'; n=$(wc -l < '${lives}'); echo "life $n"; [ $n -gt 2 ] || sleep 1000; exit 3`);
    const killed = new Set<string>();
    const { finished, events } = await watch(runner.execute(spec), ({ events: seen, stdout }) => {
      const started = seen.flatMap(({ event }) => (event?.$case === 'started' ? [event.value.handle] : []));
      const handle = started.at(-1);
      // It has said that it lives.
      if (handle === undefined || killed.has(handle) || !stdout.includes(`life ${started.length}\n`) || started.length > 2) return;
      killed.add(handle);
      process.kill(Number(handle), 'SIGKILL');
    });
    expect(finished).toMatchObject({ outcome: executor.Outcome.EXITED, exitCode: 3 });
    const told = events.flatMap(({ event }) => {
      if (event?.$case === 'log') return [`${event.value.offset} ${event.value.data.toString()}`];
      return event?.$case === 'preparing' && event.value.text.includes('begun again') ? [event.value.text.replace(/.*; /, '')] : [];
    });
    expect(told).toEqual([
      '0 life 1\n',
      'the task is begun again (1 of 5 times)',
      '0 life 2\n',
      'the task is begun again (2 of 5 times)',
      '0 life 3\n',
    ]);
    expect(new Set(events.flatMap(({ event }) => (event?.$case === 'log' ? [event.value.life] : []))).size).toBe(3);
    await runner.release(spec);
  });

  it('leaves nothing of released sandboxes when it is closed', async () => {
    const closed = new RunnerFixture('process');
    await closed.start();
    const specs = Array.from({ length: 5 }, () => closed.shell('mkdir d; echo x > d/f; echo y > $TMPDIR/f'));
    for (const spec of specs) spec.environment = { TMPDIR: spec.tmpDir };
    for (const spec of specs) await closed.run(spec);
    for (const spec of specs) await closed.release(spec);
    expect(readdirSync(closed.sandboxRoot).sort()).toEqual(['.id', '.pipes', '.trash', 'ro']);
    await closed.stop();
    expect(readdirSync(join(closed.sandboxRoot, '.trash'))).toEqual([]);
    await closed.dispose();
  });

  it('refuses paths outside the sandbox', async () => {
    await expect(runner.run(runner.shell('true', { workDir: '/tmp' }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const outside = runner.shell('true', { inputs: [runner.input('/etc/weft', runner.file('x', ''))] });
    await expect(runner.run(outside)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('step-runner with allowed roots', () => {
  const runner = new RunnerFixture('process', undefined, { allowedRoots: ['/usr'] });
  beforeAll(() => runner.start());
  afterAll(() => runner.dispose());

  it('stages nothing from outside them, and publishes nowhere else', async () => {
    const spec = runner.shell('echo x > f');
    spec.inputs = [runner.input(`${runner.pathsOf(spec.taskId).in}/0/x`, runner.file('x', ''))];
    const { finished } = await runner.run(spec);
    expect(finished.failure).toMatchObject({ code: 'INPUT_FILE', message: expect.stringContaining('outside the allowed roots') });
    const fine = runner.shell('echo x > f');
    await runner.run(fine);
    await expect(runner.collect(fine, [{ path: 'f', publish: true }], { publishTo: 'file:///tmp/weft-elsewhere/' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect((await runner.collect(fine, [{ path: 'f', publish: true }])).files[0]?.uri).toBe(`${runner.publishTo}f`);
  });

  it('publishes where a directory really is, whatever links lead there', async () => {
    const spec = runner.shell('echo x > f');
    await runner.run(spec);
    const [data, outside] = [join(runner.directory, 'data'), join(runner.directory, 'outside')];
    mkdirSync(outside);
    symlinkSync(outside, join(data, 'escape'));
    symlinkSync(data, join(runner.directory, 'alias'));
    const publish = (directory: string): Promise<executor.CollectResponse> =>
      runner.collect(spec, [{ path: 'f', publish: true }], { publishTo: `${pathToFileUri(join(runner.directory, directory))}/` });
    await expect(publish('data/escape/new')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(readdirSync(outside)).toEqual([]);
    await publish('alias/new');
    expect(readFileSync(join(data, 'new', 'f'), 'utf8')).toBe('x\n');
  });
});
