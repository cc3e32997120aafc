/** The docker runtime with an engine that misbehaves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { LogRecorder, SandboxFixture } from '../contract/runtime.contract.js';
import type { RunningTask, RuntimeTask } from '../ports.js';
import { MEMORY_LIKELY_MS, MEMORY_TOLD_MS } from './container-events.js';
import { DockerRuntime } from './docker-runtime.js';
import { FakeEngine } from './fake-engine.js';

describe('the docker runtime', () => {
  let directory: string;
  let engine: FakeEngine;
  let runtime: DockerRuntime;
  let sandbox: SandboxFixture;
  let recorder: LogRecorder;
  let problems: string[];
  /** A wait of so many milliseconds has no end of its own. */
  /** Waits of so many milliseconds do not end. */
  let endless: readonly number[];
  const before = process.env['DOCKER_HOST'];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'weft-fake-engine-'));
    engine = new FakeEngine(directory);
    await engine.up();
    process.env['DOCKER_HOST'] = `unix://${engine.socket}`;
    problems = [];
    endless = [];
    runtime = new DockerRuntime({
      runnerId: 'r',
      ownerId: 'o',
      open: () => Promise.reject(new Error('no archives')),
      onProblem: (text) => problems.push(text),
      engineSilenceMs: 200,
      // Time passes with the turns of the event loop.
      engineClock: { pause: (ms) => new Promise((resolve) => !endless.includes(ms) && setImmediate(resolve)) },
    });
    sandbox = new SandboxFixture(true, 'image:1');
    recorder = new LogRecorder();
  });
  afterEach(async () => {
    await runtime.close();
    await engine.down();
    sandbox.dispose();
    rmSync(directory, { recursive: true });
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
  });

  const told: string[] = [];
  const start = (more: Partial<RuntimeTask> = {}): Promise<RunningTask> =>
    runtime.start(sandbox.shell('x', {}, more), { log: recorder.log, preparing: (text) => told.push(text) });
  const LOST = { name: 'RuntimeFailure', code: 'RUNTIME_LOST', retryable: true };

  it.each(['wait', 'attach'] as const)(
    'an answer that is cut behind its headers (%s) is asked for again, and no output comes twice',
    async (name) => {
      const running = await start();
      await engine.happened(/wait/);
      engine.say('one ');
      await recorder.saying('one');
      engine.cut(name);
      await engine.happened(/logs/);
      engine.say('two');
      await recorder.saying('two');
      engine.exit(3);
      expect(await running.wait()).toMatchObject({ outcome: 'exited', exitCode: 3 });
      expect(recorder.stdout).toBe('one two');
    },
  );

  it('an engine that goes and comes back is asked again: what it still knows counts', async () => {
    const running = await start({ hostStdout: sandbox.path('out') });
    await engine.happened(/wait/);
    await engine.down();
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    engine.log = 'all of it';
    Object.assign(engine.state, { Status: 'exited', Running: false, ExitCode: 0 });
    await engine.up();
    expect(await running.wait()).toMatchObject({ outcome: 'exited', exitCode: 0 });
    expect(sandbox.read('out')).toBe('all of it');
    expect(told.splice(0)).toEqual([expect.stringMatching(/^waiting for the Docker engine at .*: not answering since /)]);
  });

  it.each([0, 1, 137, 143])('exit code %d after the engine was restarted is not the tool’s', async (code) => {
    const running = await start();
    await engine.happened(/wait/);
    await engine.down();
    engine.remembers = false;
    Object.assign(engine.state, { Status: 'exited', Running: false, ExitCode: code });
    await engine.up();
    await expect(running.wait()).rejects.toMatchObject({ ...LOST, message: expect.stringContaining('the engine ended the container') });
  });

  it('a container that is gone when the engine is back is lost', async () => {
    const running = await start();
    await engine.happened(/wait/);
    await engine.down();
    engine.on(/\/containers\/c\/json/, (response) => void response.writeHead(404).end('{"message":"No such container"}'));
    await engine.up();
    await expect(running.wait()).rejects.toMatchObject({ ...LOST, message: expect.stringContaining('removed from outside') });
  });

  it.each([0, 143])('exit code %d of a container that was told to end is not the tool’s', async (code) => {
    let events: { write(text: string): void } = { write: () => undefined };
    engine.on(/events\?(?!.*until)/, (response) => {
      response.writeHead(200).flushHeaders();
      events = response;
    });
    const running = await start();
    await engine.happened(/wait/);
    events.write('{"Action":"kill","Actor":{"ID":"c","Attributes":{"signal":"15"}}}\n{"Action":"die","Actor":{"ID":"c"}}\n');
    engine.exit(code);
    await expect(running.wait()).rejects.toMatchObject({ ...LOST, message: expect.stringContaining('ended from outside') });
  });

  it.each([
    ['is out of memory, where the engine tells that only after the end', 1024, ['json', 'oom'], 'out-of-memory'],
    ['is not, where it tells nothing of the kind', 1024, ['json'], 'exited'],
    ['is not, where the events are cut', 1024, ['json', 'cut'], 'exited'],
    ['is not asked for where it has no limit', 0, ['oom'], 'exited'],
  ])('a container that failed %s', async (_what, ramBytes, story, outcome) => {
    let events: { write(text: string): void; destroy(): void } = { write: () => undefined, destroy: () => undefined };
    engine.on(/events\?(?!.*until)/, (response) => {
      response.writeHead(200).flushHeaders();
      events = response;
    });
    if (story.length > 1) endless = [MEMORY_TOLD_MS, MEMORY_LIKELY_MS];
    const resources = executor.Resources.create({ ramBytes });
    const running = await runtime.start(sandbox.shell('x', { resources }), { log: recorder.log, preparing: () => undefined });
    await engine.happened(/wait/);
    engine.exit(3);
    for (const step of story) {
      if (step === 'json') await engine.happened(/containers\/c\/json/);
      if (step === 'oom') events.write('{"Action":"oom","Actor":{"ID":"c"}}\n');
      if (step === 'cut') events.destroy();
    }
    expect(await running.wait()).toMatchObject({ outcome, exitCode: 3 });
  });

  it('a container that is told something goes on to its own end', async () => {
    let events: { write(text: string): void } = { write: () => undefined };
    engine.on(/events\?(?!.*until)/, (response) => {
      response.writeHead(200).flushHeaders();
      events = response;
    });
    const running = await start();
    await engine.happened(/wait/);
    events.write('{"Action":"kill","Actor":{"ID":"c","Attributes":{"signal":"10"}}}\n{"Action":"die","Actor":{"ID":"c"}}\n');
    engine.exit(0);
    expect(await running.wait()).toMatchObject({ exitCode: 0 });
  });

  it.each(['_ping', 'containers/create', 'start', 'attach'])('an engine that hangs at %s is away, not for ever', async (where) => {
    if (where !== '_ping') await runtime.probe();
    engine.on(new RegExp(`/${where}`), () => undefined);
    engine.on(/_ping/, () => undefined);
    if (where === '_ping') {
      await runtime.probe();
      const running = await start();
      await expect(runtime.probe()).resolves.toBeDefined();
      while (!(await runtime.probe()).unavailable) await new Promise((resolve) => setImmediate(resolve));
      expect((await runtime.probe()).expected).toBe(true);
      await running.stop(0, 'cancelled');
      return;
    }
    await expect(start()).rejects.toMatchObject({ ...LOST, message: expect.stringContaining('while the task was prepared') });
    expect((await runtime.probe()).unavailable).toMatch(/not answering since .* \(no answer within 1 s\)$/);
  });

  it('a task that is cancelled while the engine is away ends at once, and its container goes when it is back', async () => {
    const running = await start();
    await engine.happened(/wait/);
    await engine.down();
    while (!(await runtime.probe()).unavailable) await new Promise((resolve) => setImmediate(resolve));
    await running.stop(60_000, 'cancelled');
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
    const removed = running.remove();
    await engine.up();
    await removed;
    expect(engine.requests.filter((request) => request.startsWith('DELETE'))).not.toEqual([]);
  });

  it('a task that is being cancelled when the engine goes ends with it', async () => {
    const running = await start();
    await engine.happened(/wait/);
    const stopped = running.stop(60_000, 'cancelled');
    await engine.happened(/kill/);
    await engine.down();
    await stopped;
    expect(await running.wait()).toMatchObject({ outcome: 'cancelled' });
  });

  it('what an unanswered request may have made is removed before it is made again', async () => {
    await runtime.probe();
    let asked = 0;
    engine.on(/containers\/create/, (response) => {
      asked++;
      if (asked === 1) response.destroy();
      else if (asked === 2) response.writeHead(409).end('{"message":"the name is in use"}');
      else response.writeHead(201).end('{"Id":"c"}');
    });
    await expect(start()).rejects.toMatchObject(LOST);
    const running = await start();
    expect(engine.requests.filter((request) => request.startsWith('DELETE')).every((request) => request.includes('weft-o-contract'))).toBe(
      true,
    );
    engine.exit(0);
    expect((await running.wait()).exitCode).toBe(0);
  });

  it.each([
    ['containers/create', 500, 'context canceled'],
    ['start', 500, 'transport is closing'],
    ['start', 503, 'shutting down'],
  ])('a task that an engine refuses on its way down is lost: %s', async (where, status, message) => {
    await runtime.probe();
    engine.on(new RegExp(`/${where}`), (response) => {
      engine.leave();
      response.writeHead(status).end(JSON.stringify({ message }));
    });
    await expect(start()).rejects.toMatchObject(LOST);
  });

  it('a task that an engine refuses for reasons of its own is not', async () => {
    await runtime.probe();
    engine.on(/containers\/create/, (response) => void response.writeHead(500).end('{"message":"no more devices"}'));
    await expect(start()).rejects.toMatchObject({ code: 'INTERNAL', message: 'cannot create the container: no more devices' });
  });

  it('nobody waits unheard for the container of an earlier life to go while the engine is away', async () => {
    await runtime.probe();
    engine.on(/containers\/create/, (response) => void response.writeHead(409).end('{"message":"the name is in use"}'));
    engine.on(/^DELETE/, () => undefined);
    const refused = start();
    refused.catch(() => undefined);
    await engine.happened(/^DELETE/);
    await engine.down();
    await expect(refused).rejects.toMatchObject({ ...LOST, begun: false });
    expect(runtime.available({ preparing: () => undefined })).toBeInstanceOf(Promise);
  });

  it('the end of a container that an engine ends on its way down is not the tool’s', async () => {
    let events: { write(text: string): void } = { write: () => undefined };
    engine.on(/events\?(?!.*until)/, (response) => {
      response.writeHead(200).flushHeaders();
      events = response;
    });
    const running = await start();
    await engine.happened(/wait/);
    engine.leave();
    events.write('{"Action":"kill","Actor":{"ID":"c","Attributes":{"signal":"15"}}}\n{"Action":"die","Actor":{"ID":"c"}}\n');
    engine.exit(0);
    await expect(running.wait()).rejects.toMatchObject({ ...LOST, message: expect.stringContaining('the Docker engine went away') });
    expect((await runtime.probe()).unavailable).toMatch(/not answering since/);
  });

  it('a pull that is cut is no image', async () => {
    await runtime.probe();
    engine.on(/containers\/create/, (response) => void response.writeHead(404).end('{"message":"no such image"}'));
    engine.on(/images\/create/, (response) => {
      response.writeHead(200).write('{"status":"Pulling"}\n');
      setImmediate(() => response.destroy());
    });
    await expect(start()).rejects.toMatchObject(LOST);
  });

  it('an engine that never answered fails a task at once', async () => {
    await engine.down();
    expect(await runtime.probe()).toMatchObject({ unavailable: expect.stringContaining(engine.socket), expected: false });
    expect(runtime.available({ preparing: () => undefined })).toBeUndefined();
    await expect(start()).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE', retryable: true });
  });

  it('follows no redirect, and quotes no body', async () => {
    await runtime.probe();
    let reached = false;
    engine.on(/elsewhere/, () => void (reached = true));
    engine.on(
      /containers\/create/,
      (response) => void response.writeHead(302, { location: `http://unix:${engine.socket}:/elsewhere` }).end('<html>secret</html>'),
    );
    const failure: unknown = await start().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INTERNAL', message: 'cannot create the container: status 302 without a reason' });
    expect(reached).toBe(false);
  });
});
