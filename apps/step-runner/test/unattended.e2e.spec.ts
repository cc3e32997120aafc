/** What nobody follows is told to the scheduler, and goes where the scheduler says that nobody will ask for it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { registry } from '@weft/contracts';
import { startGrpcServer, unary } from '@weft/platform';
import { Inbox } from '@weft/testing';
import { RunnerFixture } from './runner.fixture.js';

const HEARTBEAT_MS = 300;

describe('attempts without a follower', () => {
  const heartbeats = new Inbox<registry.Attempt[]>();
  /** Task ids that the scheduler does not want. */
  const unwanted = new Set<string>();
  let server: Awaited<ReturnType<typeof startGrpcServer>>;
  let runner: RunnerFixture;

  beforeAll(async () => {
    const implementation: Partial<registry.RunnerRegistryServer> = {
      register: unary(async ({ unattended }) => {
        heartbeats.push(unattended);
        return { ttlMs: HEARTBEAT_MS, unwanted: unattended.filter(({ taskId }) => unwanted.has(taskId)) };
      }),
      deregister: unary(async () => ({})),
      listRunners: unary(async () => ({ runners: [] })),
      drain: unary(async () => ({})),
    };
    const services = [{ definition: registry.RunnerRegistryService, implementation: implementation as registry.RunnerRegistryServer }];
    server = await startGrpcServer({ listen: '127.0.0.1:0', services });
    runner = new RunnerFixture('process', undefined, { schedulerAddress: server.address, unattendedMs: 0 });
    await runner.start();
  });
  afterAll(async () => {
    await runner.dispose();
    await server.close();
  });

  /** Resolves when a heartbeat that came after this call says what is wanted of the task. */
  async function told(taskId: string, there: boolean): Promise<void> {
    for (let seen = heartbeats.items.length; ; seen++) {
      const tasks = (await heartbeats.atLeast(seen + 1))[seen] ?? [];
      if (tasks.some((attempt) => attempt.taskId === taskId) === there) return;
    }
  }

  it('that have ended stay while they are wanted, and go when they are not', async () => {
    const spec = runner.shell('echo x > f', { runId: 'r-1' });
    await runner.run(spec);
    await told(spec.taskId, true);
    expect(heartbeats.items.at(-1)).toContainEqual({ runId: 'r-1', taskId: spec.taskId, attempt: spec.attempt });
    await told(spec.taskId, true);
    const sandbox = join(runner.sandboxRoot, `${spec.taskId}-${spec.attempt}`);
    expect(existsSync(sandbox)).toBe(true);
    unwanted.add(spec.taskId);
    await told(spec.taskId, false);
    // Resolves when what was begun is done.
    await runner.release(spec);
    expect(existsSync(sandbox)).toBe(false);
  });

  it('that run are stopped when nobody wants them', async () => {
    const spec = runner.shell('sleep 1000');
    const stream = runner.execute(spec);
    for await (const { event } of stream) if (event?.$case === 'started') break;
    await told(spec.taskId, true);
    unwanted.add(spec.taskId);
    await told(spec.taskId, false);
    await runner.release(spec);
    await expect(runner.run(spec)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(existsSync(join(runner.sandboxRoot, `${spec.taskId}-${spec.attempt}`))).toBe(false);
  });

  it('are not those that somebody follows', async () => {
    const spec = runner.shell('sleep 1000');
    const stream = runner.execute(spec)[Symbol.asyncIterator]();
    for (let next = await stream.next(); !next.done && next.value.event?.$case !== 'started';) next = await stream.next();
    const before = heartbeats.items.length;
    const later = (await heartbeats.atLeast(before + 2)).slice(before + 1);
    expect(later.flat().map(({ taskId }) => taskId)).not.toContain(spec.taskId);
    await runner.release(spec);
    await stream.return?.();
  });
});
