/** Admission over the wire, whatever runtime is behind it: runners with two cores, one GPU that nobody has, and little memory and disk. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import type { StepRunnerConfig } from '../src/config.js';
import { type RunnerFixture, watch } from './runner.fixture.js';

const { Outcome } = executor;
const MIB = 1024 ** 2;

export const SMALL_RUNNER: Partial<StepRunnerConfig> = {
  capacity: { cores: 2, ramBytes: 1024 * MIB, diskBytes: 1024 * MIB, devices: [] },
  labels: { rack: 'r1' },
};

export function admissionContract(create: () => RunnerFixture): void {
  let runner: RunnerFixture;
  beforeAll(async () => {
    runner = create();
    await runner.start();
  });
  afterAll(() => runner.dispose());

  const reserving = (script: string, cores: number, more: Partial<executor.Resources> = {}): executor.TaskSpec =>
    runner.shell(script, { reserved: { cores, ramBytes: MIB, diskBytes: MIB, gpus: 0, ...more } });
  const UNTIL_CANCELLED = 'echo ready; sleep 1000';

  /** Follows a task and tells when it waits, when its tool writes, and how it ended. */
  function follow(spec: executor.TaskSpec, signal?: AbortSignal) {
    const seen: string[] = [];
    const tell: Record<string, () => void> = {};
    const heard = (what: string): Promise<void> => new Promise((resolve) => (tell[what] = resolve));
    const [queued, ready] = [heard('queued'), heard('log')];
    const ended = watch(runner.execute(spec, signal), ({ events }) => {
      const what = events.at(-1)?.event?.$case ?? '';
      seen.push(what);
      tell[what]?.();
    });
    ended.catch(() => undefined);
    return { seen, queued, ready, ended };
  }

  it('describes what it has, what is held, and its labels', async () => {
    const task = reserving(UNTIL_CANCELLED, 1.5, { ramBytes: 300 * MIB });
    const { ready } = follow(task);
    await ready;
    expect(await runner.describe()).toMatchObject({
      capacity: { cores: 2, ramBytes: 1024 * MIB, diskBytes: 1024 * MIB, gpus: 0 },
      inUse: { cores: 1.5, ramBytes: 300 * MIB, diskBytes: MIB, gpus: 0 },
      tasksAdmitted: 1,
      tasksWaiting: 0,
      labels: { rack: 'r1', 'weft.arch': expect.any(String) },
    });
    await runner.release(task);
    expect(await runner.describe()).toMatchObject({ inUse: { cores: 0, ramBytes: 0, diskBytes: 0, gpus: 0 }, tasksAdmitted: 0 });
  });

  it('lets wait what does not fit, makes nothing for it, lets smaller ones pass, and begins it when there is room', async () => {
    const [first, large, small] = [reserving(UNTIL_CANCELLED, 1), reserving('echo mine', 2), reserving('echo mine', 1)];
    const running = follow(first);
    await running.ready;
    const waiting = follow(large);
    await waiting.queued;
    expect(readdirSync(runner.sandboxRoot)).not.toContain(`${large.taskId}-1`);
    expect(await runner.describe()).toMatchObject({ tasksAdmitted: 1, tasksWaiting: 1 });
    expect((await runner.run(small)).finished.exitCode).toBe(0);
    expect(waiting.seen).toEqual(['queued']);
    await runner.cancel(first);
    expect((await waiting.ended).stdout).toBe('mine\n');
    expect(waiting.seen).toEqual(['queued', 'started', 'log', 'finished']);
    for (const spec of [first, large, small]) await runner.release(spec);
  });

  it('ends at once what is cancelled or released while it waits', async () => {
    const first = reserving(UNTIL_CANCELLED, 2);
    await follow(first).ready;
    const [cancelled, released] = [reserving('true', 1), reserving('true', 1)];
    const [one, two] = [follow(cancelled), follow(released)];
    await Promise.all([one.queued, two.queued]);
    await Promise.all([runner.cancel(cancelled, 60_000), runner.release(released)]);
    expect((await one.ended).finished.outcome).toBe(Outcome.CANCELLED);
    expect((await two.ended).finished.outcome).toBe(Outcome.CANCELLED);
    expect((await runner.run(cancelled)).finished.outcome).toBe(Outcome.CANCELLED);
    await expect(runner.run(released)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await runner.describe()).toMatchObject({ tasksWaiting: 0 });
    for (const spec of [first, cancelled]) await runner.release(spec);
  });

  it('withdraws only what waits, and forgets it', async () => {
    const first = reserving(UNTIL_CANCELLED, 2);
    const running = follow(first);
    await running.ready;
    const second = reserving('echo mine', 1);
    const waiting = follow(second);
    await waiting.queued;
    await runner.withdraw(first);
    await runner.withdraw(second);
    expect((await waiting.ended).finished.outcome).toBe(Outcome.CANCELLED);
    expect(running.seen).not.toContain('finished');
    const again = follow(second);
    await again.queued;
    await runner.cancel(first);
    expect((await again.ended).finished).toMatchObject({ outcome: Outcome.EXITED, exitCode: 0 });
    for (const spec of [first, second]) await runner.release(spec);
  });

  it('forgets what waits when nobody watches it any more, but not what runs', async () => {
    const first = reserving(UNTIL_CANCELLED, 2);
    const leaveFirst = new AbortController();
    await follow(first, leaveFirst.signal).ready;
    leaveFirst.abort();
    const leave = new AbortController();
    const second = reserving('touch mine', 1);
    const left = follow(second, leave.signal);
    await left.queued;
    leave.abort();
    await expect(left.ended).rejects.toMatchObject({ code: 'CANCELLED' });
    const third = reserving('echo mine', 1);
    const waiting = follow(third);
    await waiting.queued;
    await runner.cancel(first);
    await waiting.ended;
    expect(existsSync(join(runner.sandboxRoot, `${second.taskId}-1`))).toBe(false);
    expect((await runner.run(first)).finished.outcome).toBe(Outcome.CANCELLED);
    for (const spec of [first, third]) await runner.release(spec);
  });

  it.each<[string, Partial<executor.Resources>, string]>([
    ['cores', { cores: 3 }, 'needs 3 cores; this runner has 2 cores'],
    ['memory', { ramBytes: 2048 * MIB }, 'needs 2 GiB of memory; this runner has 1 GiB of memory'],
    ['disk', { diskBytes: 2048 * MIB }, 'needs 2 GiB of disk; this runner has 1 GiB of disk'],
    ['GPUs', { gpus: 1 }, 'needs 1 GPUs; this runner has 0 GPUs'],
  ])('refuses what can never fit: %s', async (_what, more, message) => {
    const spec = reserving('true', 1, more);
    await expect(runner.run(spec)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', message: `task ${spec.taskId}.1 ${message}` });
  });

  it('begins at once what says nothing of what it needs', async () => {
    const first = reserving(UNTIL_CANCELLED, 2);
    await follow(first).ready;
    const silent = runner.shell('echo mine');
    expect((await runner.run(silent)).events.map((event) => event.event?.$case)).toEqual(['started', 'log', 'finished']);
    for (const spec of [first, silent]) await runner.release(spec);
  });
}
