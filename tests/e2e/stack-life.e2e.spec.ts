/**
 * What can happen to a stack's files and processes, each with the outcome that docs/daily-life.md promises. Real processes; nothing waits for
 * time: what is stopped goes on when a command has said that it waits for it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withoutWaiting } from '@weft/testing';
import { jest } from '@jest/globals';
import { OwnHome } from './own-home.js';
import { ROOT } from './stack.js';

jest.setTimeout(120_000);

let own: OwnHome;
beforeAll(() => {
  // The launcher builds what is out of date; from then on its program is called itself.
  expect(spawnSync(join(ROOT, 'weft'), ['--version'], { stdio: 'ignore' }).status).toBe(0);
});
beforeEach(async () => {
  own = new OwnHome();
  expect(await own.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0 });
});
afterEach(() => own.remove());

describe('files of a running stack', () => {
  it('run: is there again, and no process was started anew', async () => {
    const before = own.pids();
    rmSync(join(own.home, 'run'), { recursive: true });
    expect(await own.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0 });
    expect(own.pids()).toEqual(before);
  });

  it('logs: a program that dies is started again all the same, and its log is there again', async () => {
    rmSync(join(own.home, 'logs'), { recursive: true });
    process.kill(own.pid('scheduler'), 'SIGKILL');
    expect(await own.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0 });
    expect(existsSync(join(own.home, 'logs/scheduler.log'))).toBe(true);
  });

  it('the whole home: the stack ends, whatever it runs', async () => {
    const { supervisor = 0, redis = 0 } = own.pids();
    rmSync(own.home, { recursive: true });
    await Promise.all([OwnHome.gone(supervisor), OwnHome.gone(redis)]);
    expect(own.pids()).toEqual({});
  });

  it('the clone: another of the same build finds the stack, which starts its programs from its own copy', async () => {
    const clone = join(own.folder, 'clone');
    mkdirSync(clone);
    cpSync(join(ROOT, 'dist'), join(clone, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(clone, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    const other = new OwnHome();
    const cli = join(clone, 'dist/cli.mjs');
    expect(await other.start(['run', '--quiet', 'hello.cwl'], {}, cli).ended).toMatchObject({ code: 0 });
    const { supervisor } = other.pids();
    renameSync(clone, `${clone}-moved`);
    process.kill(other.pid('step-runner'), 'SIGKILL');
    process.kill(other.pid('scheduler'), 'SIGKILL');
    expect(await other.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0 });
    expect(other.pid('supervisor')).toBe(supervisor);
    await other.remove();
  });
});

describe('processes of a running stack', () => {
  it.each(['scheduler', 'supervisor'])('%s stopped: a command says for what it waits, and goes on with it', async (name) => {
    const pid = own.pid(name);
    process.kill(pid, 'SIGSTOP');
    const ls = own.start(['ls']);
    await ls.says(new RegExp(`waiting for .*${name}.*\\(pid ${pid}, stopped\\)`));
    process.kill(pid, 'SIGCONT');
    expect(await ls.ended).toMatchObject({ code: 0 });
  });

  it('Redis stopped: a run says what it waits for', async () => {
    const pid = own.pid('redis');
    process.kill(pid, 'SIGSTOP');
    const run = own.start(['run', '--quiet', 'hello.cwl']);
    await run.says(new RegExp(`redis does not answer \\(pid ${pid}, stopped\\)`));
    // It looks, and does not wait for what it looks at.
    const doctor = await own.weft('doctor');
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringMatching(/service +redis does not answer[^]*runs +Redis does not answer: waited 10 s/),
    ]);
    process.kill(pid, 'SIGCONT');
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  it('a service that keeps dying is given up alone, told, and tried when a command needs it', async () => {
    const before = own.pids();
    const gate = own.gate('go');
    const run = own.start(['run', 'waits.cwl', '--go', gate.path]);
    await run.says(/started/);
    for (let death = 1; death <= 6; death += 1) {
      const pid = await own.next('scheduler');
      process.kill(pid, 'SIGKILL');
      await OwnHome.gone(pid);
    }
    const { code, stderr } = await run.ended;
    expect([code, stderr]).toEqual([75, expect.stringMatching(/scheduler keeps dying[^]*cannot go on without it[^]*weft attach r-/)]);
    expect((await own.weft('doctor')).stdout).toMatch(/scheduler was given up/);
    expect(await own.weft('ls')).toMatchObject({ code: 0, stdout: expect.stringMatching(/(running|pending) .*waits\.cwl/) });
    gate.open();
    expect(await own.weft('attach', /weft attach (r-\w+)/.exec(stderr)?.[1] ?? '')).toMatchObject({ code: 0 });
    expect(own.pids()).toMatchObject({ supervisor: before['supervisor'], redis: before['redis'], 'step-runner': before['step-runner'] });
  });

  it('the supervisor killed: the others end by themselves, and `weft up` says so and fails', async () => {
    const up = own.start(['up']);
    await new Promise<void>((done) =>
      createInterface({ input: up.child.stdout ?? process.stdin }).on('line', (line) => line.includes('logs') && done()),
    );
    const { supervisor = 0, ...others } = own.pids();
    process.kill(supervisor, 'SIGKILL');
    const { code, stderr } = await up.ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(`the supervisor \\(pid ${supervisor}\\) is gone without a word`)]);
    await Promise.all(Object.values(others).map(OwnHome.gone));
    expect(own.pids()).toEqual({});
    expect(await own.weft('run', '--quiet', 'hello.cwl')).toMatchObject({ code: 0 });
  });

  it('programs without a supervisor: doctor and down find them', async () => {
    const { supervisor = 0, 'step-runner': runner = 0 } = own.pids();
    // It cannot end by itself, and Redis waits for it.
    process.kill(runner, 'SIGSTOP');
    process.kill(supervisor, 'SIGKILL');
    await OwnHome.gone(supervisor);
    const doctor = await own.weft('doctor');
    expect(doctor.stdout).toMatch(new RegExp(`no supervisor answers.*step-runner \\(pid ${runner}, stopped\\)`));
    expect(doctor.code).toBe(1);
    const { code, stderr } = await own.weft('down');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/step-runner[^]*stopped$/)]);
    expect(own.pids()).toEqual({});
    expect(await own.weft('down')).toMatchObject({ code: 0, stderr: 'weft: no stack is running' });
  });

  it('down ends a stack whose supervisor is stopped', async () => {
    process.kill(own.pid('supervisor'), 'SIGSTOP');
    expect(await own.weft('down')).toMatchObject({ code: 0, stderr: expect.stringMatching(/stopped and cannot end its programs/) });
    expect(own.pids()).toEqual({});
  });

  it('a port that is taken fails the gateway alone: in a sentence, and what runs goes on', async () => {
    const gate = own.gate('go');
    const runId = (await own.weft('run', '--detach', 'waits.cwl', '--go', gate.path)).stdout.trim();
    const before = own.pids();
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const up = await own.start(['up', '-d'], { WEFT_HTTP_LISTEN: `127.0.0.1:${port}` }).ended;
    server.close();
    expect(up.code).toBe(1);
    expect(up.stderr).toMatch(
      new RegExp(`cannot listen on 127.0.0.1:${port}, which is taken by \\S+ \\(pid ${process.pid}\\): set WEFT_HTTP_LISTEN`),
    );
    expect(own.pids()).toMatchObject(before);
    const attached = own.weft('attach', '--quiet', runId);
    gate.open();
    expect(await attached).toMatchObject({ code: 0 });
  });
});

describe('who has a home', () => {
  it('is told by its real path, not by its name or by TMPDIR', async () => {
    const supervisor = own.pid('supervisor');
    symlinkSync(own.home, join(own.folder, 'link'));
    const byLink = await own.start(['run', '--quiet', 'hello.cwl'], { WEFT_HOME: join(own.folder, 'link'), TMPDIR: own.folder }).ended;
    expect([byLink.code, withoutWaiting(byLink.stderr)]).toEqual([0, '']);
    expect(own.pid('supervisor')).toBe(supervisor);
  });

  it('a Redis that somebody started by hand on its files keeps the stack away', async () => {
    expect((await own.weft('down')).code).toBe(0);
    const byHand = spawn('redis-server', ['--port', '0', '--unixsocket', join(own.folder, 'hand.sock'), '--dir', join(own.home, 'redis')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise<void>((done) =>
      createInterface({ input: byHand.stdout }).on('line', (line) => /ready to accept/i.test(line) && done()),
    );
    const { code, stderr } = await own.weft('run', '--quiet', 'hello.cwl');
    expect([code, stderr]).toEqual([1, expect.stringMatching(`a Redis that weft has not started \\(pid ${byHand.pid}\\)`)]);
    expect((await own.weft('doctor')).stdout).toContain(`(pid ${byHand.pid})`);
    byHand.kill('SIGKILL');
  });
});
