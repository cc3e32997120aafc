/** The archive in a bucket: what is written is found again, listed in pages of the bucket's own, replaced and removed. */
import { buffer } from 'node:stream/consumers';
import { archiveRun, FileRunArchive, partitionOf, withArchive } from '@weft/run-store';
import { createStorage } from '@weft/storage';
import { accepted, aRunHeader, createFakeRunStore, startS3, type TestS3 } from '@weft/testing';
import { StorageArchiveFiles } from './archive-files.js';

// The server writes everything to disk at once, and a busy machine's disk is slow.
let server: TestS3;
let storage: ReturnType<typeof createStorage>;
let files: StorageArchiveFiles;

beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.environment);
  storage = createStorage({ s3: { endpoint: server.endpoint } });
  files = new StorageArchiveFiles(storage, `s3://${server.bucket}/data/archive/`);
});
afterAll(async () => {
  await storage.close();
  await server.stop();
});

it('keeps objects by name', async () => {
  expect(await files.list('a/')).toEqual([]);
  expect(await files.open('a/b.gz')).toBeUndefined();
  await files.write('a/b.gz', Buffer.from([1, 0, 255]));
  await files.write('a/b.gz', Buffer.from([2, 0, 255, 3]));
  await files.write('a/c', new Uint8Array());
  await files.write('a/d/e', new Uint8Array());
  const stream = await files.open('a/b.gz');
  expect(stream && [...(await buffer(stream))]).toEqual([2, 0, 255, 3]);
  expect(await files.list('a/')).toEqual(['b.gz', 'c', 'd']);
  await files.remove('a/b.gz');
  await files.remove('a/b.gz');
  expect(await files.list('a/')).toEqual(['c', 'd']);
});

it('archives runs, answers for them, and gives them back', async () => {
  const archive = new FileRunArchive(files);
  const live = createFakeRunStore();
  const store = withArchive(live, archive);
  const leases = await live.leases.acquire('owner', 600_000);
  const plan = { planVersion: 1 as const, cwlVersion: 'v1.2', root: 'main', processes: {} };
  await live.intake.putPlan('a'.repeat(64), plan);
  const headers = [0, 1, 2].map((n) =>
    aRunHeader({ runId: `r-${n}`, submittedAtMs: Date.UTC(2026, n, 1), state: n === 1 ? 'failed' : 'succeeded', finishedAtMs: 9 }),
  );
  for (const header of headers) {
    const { runId } = header;
    const lease = leases.find(({ partition }) => partition === partitionOf(runId));
    if (!lease) throw new Error('no lease');
    await live.intake.create(header, accepted(runId));
    await live.taskLogs.append(runId, [{ taskId: 't', step: '', stream: 'stdout', text: 'said', atMs: 1 }]);
    await live.log.seal(lease, header, 1, { type: 'RunEnded' });
    expect(await archiveRun(live, archive, lease, runId)).toBe('evicted');
  }
  expect(await live.reader.list({ limit: 5 })).toEqual({ runs: [] });
  expect((await store.reader.list({ limit: 5 })).runs).toEqual([...headers].reverse());
  expect((await store.reader.list({ limit: 5, states: ['failed'], projectId: 'project-1' })).runs).toEqual([headers[1]]);
  expect(await store.reader.get('r-2')).toEqual(headers[2]);
  expect(await store.log.getPlan('a'.repeat(64))).toEqual(plan);
  expect(await store.restore('r-1')).toBe(true);
  expect(await live.reader.read('r-1', 0)).toHaveLength(2);
  expect(await store.reader.remove('r-0')).toBe(true);
  expect((await store.reader.list({ limit: 5 })).runs).toEqual([headers[2], headers[1]]);
});
