import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@weft/contracts';
import { ServiceError } from '@weft/platform/client';
import { writeLogs } from './write-logs.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weft-logs-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const TASKS = [
  { taskId: 'r-1-1', step: '../../etc/align', index: '3,1', attempt: 2 },
  { taskId: 'r-1-2', step: '', index: '', attempt: 1 },
].map((task) => run.Task.fromPartial(task));

const client = {
  tasks: async (_runId: string, pageToken: string) =>
    pageToken === '' ? { tasks: TASKS.slice(0, 1), nextPageToken: '1' } : { tasks: TASKS.slice(1), nextPageToken: '' },
  async *taskLog({ taskId, attempt, stream }: { taskId: string; attempt: number; stream: run.LogStream }) {
    if (stream === run.LogStream.STDERR && taskId === 'r-1-2') throw new ServiceError('NOT_FOUND', 'nothing');
    for (const part of [`${taskId}.${attempt}\n`, 'end\n']) yield { data: Buffer.from(part) };
  },
};

it('writes a file for each stream that has something, in a folder of the run', async () => {
  const made = await writeLogs(client, 'r-1', join(folder, 'logs'));
  expect(made).toBe(join(folder, 'logs/r-1'));
  expect(readdirSync(made).sort()).toEqual(['1-.._.._etc_align[3,1].stderr', '1-.._.._etc_align[3,1].stdout', '2-tool.stdout']);
  expect(readFileSync(join(made, '1-.._.._etc_align[3,1].stderr'), 'utf8')).toBe('r-1-1.2\nend\n');
});

it('leaves what is there', async () => {
  const made = await writeLogs(client, 'r-1', folder);
  writeFileSync(join(made, '2-tool.stdout'), 'mine');
  await expect(writeLogs(client, 'r-1', folder)).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(join(made, '2-tool.stdout'), 'utf8')).toBe('mine');
});
