import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { executor } from '@weft/contracts';
import fc from 'fast-check';
import { LogRecorder, runtimeContract, SandboxFixture, started } from '../contract/runtime.contract.js';
import { findCommand } from './command-lookup.js';
import { type GroupMember, leftoversOf, parseStat } from './leftovers.js';
import { MarkerScanner } from './marker-scanner.js';
import { ProcessRuntime } from './process-runtime.js';
import { parseTimes, quote, WATCHDOG_SCRIPT } from './shell-script.js';

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

  it('ends what a tool left running in the background', async () => {
    await run('sleep 1000 & echo $!');
    const pid = Number(recorder.stdout);
    await run('true');
    await started(() => !alive(pid));
  });

  it('kills what a tool left in the background and does not heed TERM, also where the next task runs', async () => {
    await run(`(trap '' TERM; exec sleep 1000) & echo $!`);
    const stubborn = Number(recorder.stdout);
    const next = await runtime.start(sandbox.shell('sleep 1000 & echo " $!"; wait'), { log: recorder.log, preparing: () => undefined });
    await recorder.saying(' ');
    await started(() => !alive(stubborn));
    expect(alive(Number(recorder.stdout.split(' ')[1]))).toBe(true);
    await next.stop(0, 'cancelled');
  });

  it('stops running tasks when it is closed', async () => {
    const running = await runtime.start(sandbox.shell('echo $$; exec sleep 1000'), { log: recorder.log, preparing: () => undefined });
    await recorder.saying('\n');
    await runtime.close();
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
    expect(alive(Number(recorder.stdout))).toBe(false);
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
    const [code, signal] = (await once(victim, 'exit')) as [number | null, string | null];
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    await done;
    expect(existsSync(pipes)).toBe(false);
  });
});

describe('leftovers', () => {
  const member = (pid: number, parent: number, startedAt: number, group = 10): object => ({ pid, parent, group, startedAt });
  it.each([
    ['nothing but the launcher', [member(10, 1, 0)], []],
    ['all, where no task runs', [member(10, 1, 0), member(11, 1, 5), member(12, 11, 6), member(21, 1, 5, 20)], [11, 12]],
    ['what started before the task', [member(10, 1, 0), member(11, 1, 5), member(13, 10, 7), member(14, 13, 7), member(15, 1, 9)], [11]],
  ])('are %s', (_, members, wanted) => {
    expect(leftoversOf(10, members as GroupMember[])).toEqual(wanted);
  });
  it('are read from lines with awkward names, without zombies', () => {
    const fields = `1 10 10 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 0`;
    expect(parseStat(`42 (a) b) R ${fields}`)).toEqual({ pid: 42, parent: 1, group: 10, startedAt: 777 });
    expect(parseStat(`42 (x) Z ${fields}`)).toBeUndefined();
    expect(parseStat('')).toBeUndefined();
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

/** A zombie is not alive: nobody but init can be expected to reap it. */
function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
