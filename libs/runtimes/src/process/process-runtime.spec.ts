import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { executor } from '@weft/contracts';
import fc from 'fast-check';
import { LogRecorder, runtimeContract, SandboxFixture } from '../contract/runtime.contract.js';
import { findCommand } from './command-lookup.js';
import { MarkerScanner } from './marker-scanner.js';
import { ProcessRuntime } from './process-runtime.js';
import { WATCHDOG_SCRIPT } from './containment-script.js';
import { parseTimes, quote } from './shell-script.js';

runtimeContract('process', () => Promise.resolve({ runtime: new ProcessRuntime() }));

describe('ProcessRuntime', () => {
  let sandbox: SandboxFixture;
  let runtime: ProcessRuntime;
  let recorder: LogRecorder;
  beforeEach(() => {
    sandbox = new SandboxFixture(false, undefined);
    runtime = new ProcessRuntime();
    recorder = new LogRecorder();
  });
  afterEach(async () => {
    await runtime.close();
    sandbox.dispose();
  });
  const run = async (script: string, spec = {}): Promise<number> => {
    const running = await runtime.start(sandbox.shell(script, spec), { log: recorder.log, preparing: () => undefined });
    return (await running.wait()).exitCode;
  };

  it('gives the tool exactly the environment of the spec and a PATH', async () => {
    const running = await runtime.start(sandbox.task(['env'], { environment: { ONLY: '1' } }), {
      log: recorder.log,
      preparing: () => undefined,
    });
    await running.wait();
    expect(recorder.stdout.trim().split('\n').sort()).toEqual(['ONLY=1', `PATH=${process.env['PATH']}`]);
  });

  it('gives the tool no fd but 0, 1 and 2', async () => {
    await run('ls /proc/$$/fd');
    expect(recorder.stdout.trim().split('\n')).toEqual(expect.arrayContaining(['0', '1', '2']));
    expect(
      recorder.stdout
        .trim()
        .split('\n')
        .filter((fd) => Number(fd) > 2 && Number(fd) < 10),
    ).toEqual([]);
  });

  it('lets tools open /dev/stdout and /dev/stderr', async () => {
    expect(await run('echo a > /dev/stdout; echo b > /dev/stderr')).toBe(0);
    expect([recorder.stdout, recorder.stderr]).toEqual(['a\n', 'b\n']);
  });

  it('looks commands up in the PATH of the task', async () => {
    mkdirSync(sandbox.path('bin'));
    writeFileSync(sandbox.path('bin/mine'), '#!/bin/sh\necho mine\n');
    chmodSync(sandbox.path('bin/mine'), 0o755);
    const running = await runtime.start(sandbox.task(['mine'], { environment: { PATH: `${sandbox.path('bin')}:/bin` } }), {
      log: recorder.log,
      preparing: () => undefined,
    });
    expect((await running.wait()).exitCode).toBe(0);
    expect(recorder.stdout).toBe('mine\n');
  });

  it('looks commands up in the PATH that came with the run, which the document’s goes above', async () => {
    for (const folder of ['callers', 'documents']) {
      mkdirSync(sandbox.path(folder));
      writeFileSync(sandbox.path(`${folder}/mine`), `#!/bin/sh\necho ${folder} $PATH\n`);
      chmodSync(sandbox.path(`${folder}/mine`), 0o755);
    }
    const searchPath = `${sandbox.path('callers')}:/bin`;
    const PATH = `${sandbox.path('documents')}:/bin`;
    for (const environment of [{}, { PATH }] as Record<string, string>[]) {
      const on = { log: recorder.log, preparing: () => undefined };
      await (await runtime.start(sandbox.task(['mine'], { environment, searchPath }), on)).wait();
    }
    expect(recorder.stdout.trim().split('\n')).toEqual([`callers ${searchPath}`, `documents ${PATH}`]);
    const [callers, documents] = await Promise.all(
      [searchPath, PATH].map((path) => runtime.contentId(executor.Image.create({ reference: 'mine' }), path)),
    );
    expect(callers).toMatch(/^sha256:/);
    expect(documents).not.toBe(callers);
  });

  it.each<[string, object, RegExp]>([
    ['the runner’s', {}, /^command 'nowhere-mine' not found in PATH \(.+\), which is the runner's$/],
    ['the caller’s', { searchPath: '/callers' }, /\(\/callers\), which the run brought from the shell that submitted it$/],
    ['the document’s', { searchPath: '/callers', environment: { PATH: '/docs' } }, /\(\/docs\), which the document sets$/],
  ])('says in whose PATH a command was not found: %s', async (_whose, spec, message) => {
    const starting = runtime.start(sandbox.task(['nowhere-mine'], spec), { log: recorder.log, preparing: () => undefined });
    await expect(starting).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND', message: expect.stringMatching(message) });
  });

  it.each([
    [undefined, 0o644],
    [0o077, 0o600],
    [0o002, 0o664],
  ])('lets the tool make files under umask %s, whatever the runner’s is', async (umask, mode) => {
    const before = process.umask(0o027);
    try {
      const task = sandbox.shell('umask; : > made', { umask }, { hostStdout: sandbox.path('streamed') });
      await (await runtime.start(task, { log: recorder.log, preparing: () => undefined })).wait();
    } finally {
      process.umask(before);
    }
    expect(['made', 'streamed'].map((name) => statSync(sandbox.path(name)).mode & 0o777)).toEqual([mode, mode]);
  });

  it('refuses a stdin that is not there', async () => {
    const starting = runtime.start(sandbox.task(['cat'], {}, { hostStdin: '/none' }), { log: recorder.log, preparing: () => undefined });
    await expect(starting).rejects.toMatchObject({ code: 'INPUT_FILE', message: expect.stringContaining('/none') });
  });

  it('refuses a NUL', async () => {
    await expect(run('echo \0')).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('reports the processor time of the tool', async () => {
    const running = await runtime.start(sandbox.shell('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'), {
      log: recorder.log,
      preparing: () => undefined,
    });
    expect((await running.wait()).cpuSeconds).toBeGreaterThan(0);
  });
});

describe('watchdog', () => {
  it('kills the groups of its last list when its stdin ends, and removes their pipes', async () => {
    const victim = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const pipes = mkdtempSync(join(tmpdir(), 'weft-pipes-'));
    writeFileSync(join(pipes, 'out'), '');
    const watchdog = spawn('/bin/sh', ['-c', WATCHDOG_SCRIPT, 'watchdog', pipes], { stdio: ['pipe', 'ignore', 'ignore'] });
    const done = once(watchdog, 'exit');
    watchdog.stdin.write(`1 2\n${victim.pid}\n`);
    watchdog.stdin.end();
    const ended = once(victim, 'exit') as Promise<[number | null, string | null]>;
    await done;
    // Comes too late where the watchdog did its work, and ends it otherwise.
    victim.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(pipes)).toBe(false);
  });
});

describe('MarkerScanner', () => {
  it('gives back the bytes before the marker however they are cut', () => {
    const piece = fc.constantFrom('a', '\0', '\0w', '\0we', 'x\0\0');
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), fc.integer({ min: 1, max: 7 }), (before, after, size) => {
        const scanner = new MarkerScanner('\0weft\0');
        const bytes = Buffer.from(`${before.join('')}\0weft\0${after.join('')}`);
        let [seen, rest, ended] = ['', '', false];
        for (let at = 0; at < bytes.length; at += size) {
          const result = scanner.push(bytes.subarray(at, at + size));
          if (ended) rest += result.data.toString();
          else seen += result.data.toString();
          ended ||= result.ended;
        }
        rest += scanner.flush().toString();
        expect([seen, rest]).toEqual([before.join(''), after.join('')]);
      }),
    );
  });
});

describe('shell words', () => {
  it('reads times of dash and bash', () => {
    expect(parseTimes('0m0.250000s 1m2.5s')).toBeCloseTo(62.75);
    expect(parseTimes('0m0,01s 0m0,02s')).toBeCloseTo(0.03);
  });
  it('quotes', () => {
    expect(quote(`a'b`)).toBe(`'a'\\''b'`);
  });
});

describe('findCommand', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-commands-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  it('tells what is missing from what is not executable', () => {
    writeFileSync(join(directory, 'data'), '');
    expect(findCommand('./data', '/bin', directory)).toEqual({ missing: "'./data' is not an executable file" });
    expect(findCommand('./none', '/bin', directory)).toEqual({ missing: "command './none' not found" });
    expect(findCommand('', '/bin', directory)).toEqual({ missing: 'the command line is empty' });
    expect(findCommand('sh', '/nowhere:/bin', directory)).toEqual({ path: '/bin/sh' });
  });
});
