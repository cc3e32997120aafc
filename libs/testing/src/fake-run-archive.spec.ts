/** Runs in the fake store, archived into memory, keep the contract; and what an archive costs. */
import { archiveRun, FileRunArchive, partitionOf, withArchive } from '@weft/run-store';
import { aRunHeader } from './builders.js';
import { FakeArchiveFiles } from './fake-archive-files.js';
import { FakeRunStoreData } from './fake-run-data.js';
import { createFakeRunStore } from './fake-run-store.js';
import { runArchiveContract } from './run-archive.contract.js';
import { accepted, ended } from './run-store.fixture.js';

describe('fake run store with an archive in memory', () => {
  runArchiveContract(async () => ({
    files: new FakeArchiveFiles(),
    open: (isArchived) => {
      const data = new FakeRunStoreData();
      data.isArchived = isArchived;
      return createFakeRunStore(data);
    },
    close: async () => undefined,
  }));

  describe('with many archived runs', () => {
    const RUNS = 3000;
    const files = new FakeArchiveFiles();
    const archive = new FileRunArchive(files);
    const store = withArchive(createFakeRunStore(), archive);
    beforeAll(async () => {
      const leases = new Map((await store.leases.acquire('owner', 600_000)).map((lease) => [lease.partition, lease]));
      for (let n = 0; n < RUNS; n++) {
        const header = aRunHeader({
          runId: `r-${n}`,
          submittedAtMs: Date.UTC(2026, 0, 1) + n * 7_000,
          state: 'succeeded',
          finishedAtMs: 9,
        });
        await store.intake.create(header, accepted(header.runId));
        const lease = leases.get(partitionOf(header.runId));
        if (!lease) throw new Error('no lease');
        await store.log.seal(lease, header, 1, ended);
        expect(await archiveRun(store, archive, lease, header.runId)).toBe('evicted');
      }
    });
    const cost = async (act: () => Promise<unknown>): Promise<{ open: number; list: number }> => {
      const before = { ...files.calls };
      await act();
      return { open: files.calls.open - before.open, list: files.calls.list - before.list };
    };

    it('finds a run with one read', async () => {
      expect(await cost(() => store.reader.get('r-17'))).toEqual({ open: 1, list: 0 });
    });

    it('lists a page for the cost of a page, wherever it lies', async () => {
      const first = await store.reader.list({ limit: 50 });
      const { open, list } = await cost(() => store.reader.list({ limit: 50, pageToken: first.nextPageToken }));
      expect(open).toBeLessThanOrEqual(50 + 32);
      expect(list).toBeLessThanOrEqual(40);
    });

    it('does not ask the archive for runs that have not ended', async () => {
      expect(await cost(() => store.reader.list({ limit: 50, states: ['running', 'pending'] }))).toEqual({ open: 0, list: 0 });
    });

    it('ends a page early where a filter leaves out too many, and goes on from there', async () => {
      const found: string[][] = [];
      for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
        const page: Awaited<ReturnType<typeof store.reader.list>> = await store.reader.list({ limit: 5, labels: { a: 'b' }, pageToken });
        found.push(page.runs.map(({ runId }) => runId));
        pageToken = page.nextPageToken;
      }
      expect(found.flat()).toEqual([]);
      expect(found.length).toBeGreaterThan(1);
      expect(found.length).toBeLessThan(4);
    });
  });
});
