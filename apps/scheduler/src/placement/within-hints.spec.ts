import type { RunnerRecord } from '@weft/registry';
import type { PreparedTask, SandboxLayout, TaskResources } from '@weft/tasks';
import { ask, need, runner } from '../../test/placing.js';
import { RunnerPool } from './runner-pool.js';
import { cutBackNote, withinHints } from './within-hints.js';

const layout: SandboxLayout = { workDir: '/w', tmpDir: '/t', inputDir: '/i' };
const HOST = { host: true, gpus: false };

function task(resources: TaskResources): { prepared: PreparedTask; bound: (TaskResources | undefined)[] } {
  const bound: (TaskResources | undefined)[] = [];
  const bind: PreparedTask['bind'] = (_layout, given) => {
    bound.push(given);
    return Promise.reject(new Error('not needed here'));
  };
  return { prepared: { resources, bind }, bound };
}

function fitted(prepared: PreparedTask, ...runners: RunnerRecord[]): Promise<PreparedTask> {
  const pool = new RunnerPool();
  const fitting = withinHints(pool, prepared, ask(1, { resources: prepared.resources }));
  // They register while the task waits for them.
  pool.update(runners);
  return fitting;
}

describe('resources that hints ask for', () => {
  it('are what they are where a runner has them', async () => {
    const { prepared } = task(need(4, { hinted: HOST }));
    expect(await fitted(prepared, runner('small', 2), runner('a', 4))).toBe(prepared);
  });

  it('are cut back to what the largest runner has, also for the tool', async () => {
    const { prepared, bound } = task(need(64, { ramMiB: 2 ** 20, hinted: HOST }));
    const less = await fitted(prepared, runner('small', 2), runner('large', 8));
    expect(less.resources).toMatchObject({ cores: 8, ramMiB: 8 * 1024 });
    await expect(less.bind(layout)).rejects.toThrow('not needed here');
    expect(bound).toEqual([less.resources]);
    expect(cutBackNote(prepared.resources, less.resources)).toBe(
      'no runner has what the hints ask for: it runs with 8 of 64 cores, 8192 of 1048576 MiB of memory',
    );
  });

  it('do not soften a requirement', async () => {
    const gpus = need(1, { gpus: 2, hinted: HOST });
    for (const { prepared } of [task(gpus), task(need(64))]) expect(await fitted(prepared, runner('a', 4))).toBe(prepared);
    const hinted = task({ ...gpus, hinted: { host: false, gpus: true } });
    expect((await fitted(hinted.prepared, runner('a', 4))).resources.gpus).toBe(0);
  });
});
