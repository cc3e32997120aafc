/** How often the archive is asked for objects: each time is a call to storage. */
import { accepted, aRunHeader, createFakeRunStore, FakeArchiveFiles } from '@weft/testing';
import { partitionOf } from '../ports.js';
import { textOf } from '../stored-object.js';
import { archiveRun } from './archive-run.js';
import { FileRunArchive } from './file-run-archive.js';
import { withArchive } from './with-archive.js';

it('is not asked for what a live run does not have, and once for what an archived one has', async () => {
  const live = createFakeRunStore();
  const files = new FakeArchiveFiles();
  const archive = new FileRunArchive(files);
  const { reader } = withArchive(live, archive);
  const header = aRunHeader({ state: 'failed' });
  await live.intake.create({ ...header, state: 'pending' }, { ...accepted('r-1'), inputs: { a: 1 } });
  const lease = (await live.leases.acquire('owner', 600_000)).find(({ partition }) => partition === partitionOf('r-1'));
  if (!lease) throw new Error('no lease');
  await live.log.seal(lease, header, 1, { type: 'RunEnded' });
  expect(await reader.object('r-1', 'outputs')).toBeUndefined();
  expect(files.calls.open).toBe(0);
  await live.intake.putPlan(header.planHash, { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: {} });
  expect(await archiveRun(live, archive, lease, 'r-1')).toBe('evicted');
  const before = files.calls.open;
  const found = await reader.object('r-1', 'inputs');
  expect(found && (await textOf(found))).toBe('{"a":1}');
  expect(files.calls.open).toBe(before + 1);
});
