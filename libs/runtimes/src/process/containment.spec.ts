/** Real processes that try to outlive their task, and real writes to inputs. Who holds a FIFO open is alive: its end says that nobody is. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { LogRecorder, runtimeContract, SandboxFixture } from '../contract/runtime.contract.js';
import type { RunningTask, RuntimeTask } from '../ports.js';
import { CONTAINMENT_LEVELS, type ContainmentLevel } from './containment.js';
import { Launcher } from './launcher.js';
import { openFilesBelow } from './open-files.js';
import { ProcessRuntime } from './process-runtime.js';
import { childOf } from './spawned.js';

/** Which levels this machine has: a container without privileges has only the weak one. */
const here = new Map<ContainmentLevel, string | undefined>();
for (const level of CONTAINMENT_LEVELS) {
  const runtime = new ProcessRuntime({ containment: [level] });
  here.set(level, (await runtime.probe()).unavailable);
  await runtime.close();
}
const strong = CONTAINMENT_LEVELS.filter((level) => level !== 'group' && here.get(level) === undefined);

/** Ways to get away. `$1` runs and holds fd 9. */
const ESCAPES: [string, string][] = [
  ['in the background', 'run() { $1 & }'],
  ['in a session of its own', 'run() { setsid $1 & }'],
  ['after a double fork', 'run() { ( ( setsid $1 & ) & ) ; }'],
  ['by nohup', 'run() { nohup setsid $1 >/dev/null 2>&1 & }'],
  ['deaf to every signal that can be ignored', `run() { ( trap '' TERM INT HUP QUIT USR1; setsid $1 & ) ; }`],
  ['stopped', 'run() { STOP=1 setsid $1 & }'],
  ['from its scratch directory', 'run() { cd /; setsid $1 & }'],
];
const CLEARED: [string, string] = ['with a cleared environment', 'run() { ( env -i setsid $1 & ) ; }'];

it('knows by name what it may use, and the weak means work everywhere', () => {
  expect([...here.keys()]).toEqual(['namespaces', 'cgroup', 'group']);
  expect(here.get('group')).toBeUndefined();
});

describe.each(CONTAINMENT_LEVELS.filter((level) => here.get(level) === undefined))('contained by %s', (level) => {
  runtimeContract(`process, ${level}`, () => Promise.resolve({ runtime: new ProcessRuntime({ containment: [level] }) }));

  let sandbox: SandboxFixture;
  let runtime: ProcessRuntime;
  let recorder: LogRecorder;
  beforeEach(() => {
    sandbox = new SandboxFixture(false, undefined);
    runtime = new ProcessRuntime({ containment: [level] });
    recorder = new LogRecorder();
  });
  afterEach(async () => {
    await runtime.close();
    sandbox.dispose();
  });
  const start = (task: RuntimeTask): Promise<RunningTask> => runtime.start(task, { log: recorder.log, preparing: () => undefined });
  /** A task that starts something which holds the FIFO and an output; `then` follows once it is let go. */
  const escaping = (way: string, then: string, spec = {}): { task: RuntimeTask; alive: Promise<void>; gone: Promise<void> } => {
    const [fifo, go, holder] = ['alive', 'go', 'holder'].map((name) => join(sandbox.directory, name)) as [string, string, string];
    execFileSync('mkfifo', [fifo, go]);
    writeFileSync(
      holder,
      `#!/bin/sh\nexec 9>'${fifo}' 8>>'${sandbox.path('out')}'\necho here >&9\n[ -z "$STOP" ] || kill -s STOP $$\nexec sleep 1000\n`,
      { mode: 0o755 },
    );
    const reading = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    // As long as this is open, the end of the stream does not come.
    const own = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd: reading, readable: true, writable: false });
    const alive = new Promise<void>((resolve) => {
      stream.once('data', () => {
        closeSync(own);
        resolve();
      });
    });
    const gone = new Promise<void>((resolve) => void stream.once('close', () => resolve()));
    const environment = { HOME: sandbox.work, TMPDIR: sandbox.tmp, PATH: '/usr/bin:/bin' };
    const script = `set -- '${holder}'\n${way}\nrun "$1"\nread -r go <'${go}'\n${then}`;
    letGo = () => {
      const fd = openSync(go, constants.O_RDWR | constants.O_NONBLOCK);
      writeSync(fd, 'go\n');
      held.push(fd);
    };
    return { task: sandbox.shell(script, { environment, ...spec }), alive, gone };
  };
  let letGo = (): void => undefined;
  const held: number[] = [];
  afterAll(() => held.forEach((fd) => closeSync(fd)));

  const ways = level === 'group' ? ESCAPES : [...ESCAPES, CLEARED];
  it.each(ways)('nothing of a task is left when its end is told: %s', async (_, way) => {
    const { task, alive, gone } = escaping(way, 'exit 3');
    const running = await start(task);
    await alive;
    letGo();
    expect(await running.wait()).toMatchObject({ outcome: 'exited', exitCode: 3 });
    expect([...openFilesBelow(realpathSync(sandbox.work))]).toEqual([]);
    await gone;
  });

  it.each(['whom the runner has spawned', 'the shell that runs the tool'])(
    'the death of its launcher by somebody is not the tool’s exit, and nothing of it is left: %s',
    async (whom) => {
      const { task, alive, gone } = escaping('run() { $1 & }', 'exit 0');
      const running = await start(task);
      await alive;
      const spawned = Number(running.handle);
      const shell = level === 'namespaces' && whom === 'the shell that runs the tool' ? childOf(spawned) : spawned;
      process.kill(shell, 'SIGKILL');
      await expect(running.wait()).rejects.toMatchObject({
        code: 'RUNTIME_LOST',
        begun: true,
        message: expect.stringContaining(`the launcher of the task (pid ${spawned}) was ended from outside: `),
      });
      await gone;
      // Another one takes the next task.
      expect(await (await start(sandbox.shell('exit 4'))).wait()).toMatchObject({ outcome: 'exited', exitCode: 4 });
    },
  );

  it('nor is that of a launcher which was idle when it died', async () => {
    const first = await start(sandbox.shell('exit 0'));
    await first.wait();
    process.kill(Number(first.handle), 'SIGKILL');
    // Its death is not known here yet: the task goes to it, or to a new one.
    const end = await (await start(sandbox.shell('exit 5'))).wait().catch((error: unknown) => error);
    expect(['RUNTIME_LOST', 5]).toContain((end as { code?: string }).code ?? (end as { exitCode?: number }).exitCode);
  });

  it('who cancelled it has cancelled it, however its launcher died', async () => {
    const { task, alive } = escaping('run() { $1 & }', 'exit 0');
    const running = await start(task);
    await alive;
    const stopped = running.stop(600_000, 'cancelled');
    process.kill(Number(running.handle), 'SIGKILL');
    await stopped;
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
  });

  it.each(ways)('nor when it is cancelled: %s', async (_, way) => {
    const { task, alive, gone } = escaping(way, '');
    const running = await start(task);
    await alive;
    await running.stop(0, 'cancelled');
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
    await gone;
  });

  it('asks all of a task to end before it kills, also what has left the group', async () => {
    const listener = join(sandbox.directory, 'listener');
    writeFileSync(listener, `#!/bin/sh\ntrap 'echo heard; exit' TERM\necho ready\nwhile :; do sleep 1; done\n`, { mode: 0o755 });
    const running = await start(sandbox.shell(`trap 'wait $!; exit 4' TERM; setsid ${listener} & wait`));
    await recorder.saying('ready');
    await running.stop(60_000, 'cancelled');
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled', exitCode: 4 });
    expect(recorder.stdout).toBe('ready\nheard\n');
  });

  it('nor at its time limit', async () => {
    const { task, gone } = escaping('run() { setsid $1 & }', '', { timeLimitMs: 300 });
    expect(await (await start(task)).wait()).toMatchObject({ outcome: 'time-limit' });
    await gone;
  });

  it('nor when the runtime is closed', async () => {
    const { task, alive, gone } = escaping('run() { setsid $1 & }', '');
    await start(task);
    await alive;
    await runtime.close();
    await gone;
  });

  it('keeps the log of the next task free of what an earlier one left', async () => {
    await (await start(sandbox.shell('(setsid sh -c "while :; do echo noise; done" &) ; echo one'))).wait();
    const next = new LogRecorder();
    const running = await runtime.start(sandbox.shell('echo two'), { log: next.log, preparing: () => undefined });
    await running.wait();
    expect(next.stdout).toBe('two\n');
  });
});

if (strong.includes('namespaces')) {
  describe('the read-only view', () => {
    let sandbox: SandboxFixture;
    let runtime: ProcessRuntime;
    let recorder: LogRecorder;
    beforeEach(() => {
      sandbox = new SandboxFixture(false, undefined);
      runtime = new ProcessRuntime({ containment: ['namespaces'], directory: realpathSync(sandbox.directory) });
      recorder = new LogRecorder();
    });
    afterEach(async () => {
      await runtime.close();
      sandbox.dispose();
    });
    const nameOf = async (path: string): Promise<string> => (await runtime.readOnlyNames()).nameOf(realpathSync(path)) ?? '';
    const run = async (script: string, readOnly: string[]): Promise<number> => {
      const task = sandbox.shell(script, {}, { readOnly: readOnly.map((path) => realpathSync(path)) });
      return (await (await runtime.start(task, { log: recorder.log, preparing: () => undefined })).wait()).exitCode;
    };

    it.each([
      ['append', 'echo x >> "$f"'],
      ['truncate', ': > "$f"'],
      ['remove', 'rm -f "$f"'],
      ['rename', 'mv "$f" "$f.new"'],
      ['change its mode', 'chmod 777 "$f"'],
      ['touch', 'touch "$f"'],
      ['make another beside it', 'echo x > "$f.beside"'],
      ['write through /dev/stdin', 'exec <"$f"; echo x >> /dev/stdin'],
      ['write through a link of its own', 'ln -s "$f" mine; echo x >> mine'],
    ])('lets a tool read by its names, and not %s', async (_, act) => {
      const input = join(sandbox.directory, 'data.txt');
      writeFileSync(input, 'precious\n');
      const name = await nameOf(input);
      expect(await run(`f='${name}'; cat "$f"; (${act}) 2>&1; echo "$?"`, [input])).toBe(0);
      const lines = recorder.stdout.trim().split('\n');
      expect(lines[0]).toBe('precious');
      expect(lines.slice(1, -1).join('\n')).toMatch(/Read-only file system/);
      expect(lines.at(-1)).not.toBe('0');
      expect(readFileSync(input, 'utf8')).toBe('precious\n');
    });

    it('leads to the same place on the host, where the runner follows it', async () => {
      const input = join(sandbox.directory, 'data.txt');
      writeFileSync(input, 'text');
      expect(readFileSync(await nameOf(input), 'utf8')).toBe('text');
    });

    it('leaves the rest of the file system as writable as it was', async () => {
      const elsewhere = join(sandbox.directory, 'elsewhere');
      mkdirSync(elsewhere);
      expect(await run(`echo x > '${elsewhere}/made'; echo y > made`, [])).toBe(0);
      expect(readFileSync(join(elsewhere, 'made'), 'utf8')).toBe('x\n');
    });

    it('runs tools as the user who runs it, who sees the processes of the task alone', async () => {
      expect(await run('id -u; ls -d /proc/[0-9]* | wc -l', [])).toBe(0);
      const [user, processes] = recorder.stdout.trim().split('\n');
      expect(Number(user)).toBe(process.getuid?.());
      expect(Number(processes)).toBeLessThan(6);
    });

    const mounting = process.getuid?.() === 0;
    (mounting ? it : it.skip)('takes another launcher where something was mounted since', async () => {
      expect(await run('true', [])).toBe(0);
      const point = join(sandbox.directory, 'mounted later');
      mkdirSync(point);
      execFileSync('mount', ['-t', 'tmpfs', 'weft-spec', point]);
      try {
        const input = join(point, 'data.txt');
        writeFileSync(input, 'precious\n');
        const name = await nameOf(input);
        expect(await run(`cat '${name}'; echo x >> '${name}'`, [input])).not.toBe(0);
        expect(recorder.stdout).toBe('precious\n');
        expect(recorder.stderr).toMatch(/Read-only file system/);
      } finally {
        execFileSync('umount', [point]);
      }
      expect(await run('echo again', [sandbox.directory])).toBe(0);
      expect(recorder.stdout).toContain('again');
    });
  });
}

describe('starting a launcher', () => {
  let sandbox: SandboxFixture;
  beforeEach(() => (sandbox = new SandboxFixture(false, undefined)));
  afterEach(() => sandbox.dispose());
  const on = { log: () => undefined, preparing: () => undefined };

  it('makes its directory again where it was removed', async () => {
    const directory = join(sandbox.directory, 'own');
    const runtime = new ProcessRuntime({ directory, keepIdle: 0 });
    try {
      for (let round = 0; round < 2; round++) {
        expect((await (await runtime.start(sandbox.shell('exit 0'), on)).wait()).exitCode).toBe(0);
        rmSync(directory, { recursive: true });
      }
    } finally {
      await runtime.close();
    }
  });

  it('fails, retryably, and says where it wanted its pipes, where they cannot be made', async () => {
    const directory = join(sandbox.directory, 'own');
    const runtime = new ProcessRuntime({ directory, keepIdle: 0, containment: ['group'] });
    try {
      await (await runtime.start(sandbox.shell('exit 0'), on)).wait();
      rmSync(directory, { recursive: true });
      writeFileSync(directory, 'in the way');
      const failure = { name: 'RuntimeFailure', code: 'RUNTIME_UNAVAILABLE', retryable: true, message: expect.stringContaining(directory) };
      await expect(runtime.start(sandbox.shell('exit 0'), on)).rejects.toMatchObject(failure);
    } finally {
      await runtime.close();
    }
  });

  it('takes the next means where one is refused at once, and says why', async () => {
    // Stands for a machine that allows no namespaces: its `unshare` ends without reading anything.
    const refusing = join(sandbox.directory, 'unshare');
    writeFileSync(refusing, '#!/bin/sh\necho "unshare failed: Operation not permitted" >&2\nexit 1\n', { mode: 0o755 });
    const [shell, path] = [{ path: '/bin/sh', envCommand: '/usr/bin/env', clean: false }, '/usr/bin:/bin'];
    const containment = {
      level: 'namespaces' as const,
      enclose: () => ({ argv: [refusing], enter: '', sweep: '', namespaced: true }),
    };
    const starting = (): Promise<Launcher> =>
      Launcher.create({ shell, path, containment, pipeDirectory: join(sandbox.directory, 'pipes'), onDeath: () => undefined });
    // Whether the write or the end comes first is chance.
    for (let round = 0; round < 20; round++) {
      await expect(starting()).rejects.toMatchObject({
        code: 'RUNTIME_UNAVAILABLE',
        message: expect.stringContaining('Operation not permitted'),
      });
    }
  });

  it('has a deadline, and says what was waited for', async () => {
    const runtime = new ProcessRuntime({ containment: ['group'], startMs: 0.001 });
    const { unavailable } = await runtime.probe();
    await runtime.close();
    expect(unavailable).toMatch(/waited .* s for (it to make its pipes|its first answer)/);
  });
});
