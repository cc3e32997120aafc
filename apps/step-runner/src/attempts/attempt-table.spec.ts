/** Outputs that are on their way when an attempt is released. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deferred } from '@weft/testing';
import type { Admission } from '../admission/admission.js';
import { AttemptTable } from './attempt-table.js';
import { unwatchedDisk } from '../disk/unwatched-disk.fixture.js';
import type { RunnerFiles } from '../inputs/runner-files.js';
import type { LogKeeper } from '../logs/log-keeper.js';

describe('a release', () => {
  const sandboxRoot = mkdtempSync(join(tmpdir(), 'weft-table-'));
  afterAll(() => rmSync(sandboxRoot, { recursive: true }));
  const unused = {} as Admission & RunnerFiles & LogKeeper;
  const table = new AttemptTable({
    sandboxRoot,
    runtimes: [],
    admission: unused,
    disk: unwatchedDisk(sandboxRoot),
    storage: unused,
    logs: unused,
    onProblem: () => undefined,
  });
  afterAll(() => table.close());

  it('stops what is published of its attempt, answers after it has stopped, and leaves others alone', async () => {
    const order: string[] = [];
    const stopping = deferred();
    const collected = table.collecting('t', 1, async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      order.push('told');
      await stopping.promise;
      order.push('stopped');
      throw new Error('aborted');
    });
    const refused = expect(collected).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const other = deferred<string>();
    const others = table.collecting('t', 2, () => other.promise);
    const released = table.release('t', 1).then(() => order.push('released'));
    stopping.resolve();
    await Promise.all([refused, released]);
    expect(order).toEqual(['told', 'stopped', 'released']);
    other.resolve('done');
    expect(await others).toBe('done');
  });

  it('leaves nothing to collect', async () => {
    await table.release('t', 3);
    expect(() => table.collectable('t', 3)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});
