/** What the archive has of a run: long objects, runs of an earlier version, and what is no run. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { aRunHeader, FakeArchiveFiles } from '@weft/testing';
import { UnreadableRunError } from '../errors.js';
import { textOf } from '../stored-object.js';
import { decodeHead, decodeRun, encodeRun, GZIP } from './archive-codec.js';
import { FileRunArchive } from './file-run-archive.js';

const header = aRunHeader({ state: 'succeeded' });
const entries = [{ sequence: 1, atMs: 1, event: { type: 'RunAccepted' } }];
const run = {
  ...{ header, sequence: 1, idempotency: '' },
  entries: Readable.from([entries]),
  chunks: Readable.from([]),
};

async function collect<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) for (const item of page) all.push(item);
  return all;
}

it('reads a line of many megabytes in time that grows with it', async () => {
  const outputs = JSON.stringify({ long: Array.from({ length: 400_000 }, (_, n) => `${n} ${'ä'.repeat(60)}`) });
  const { bytes } = await encodeRun({ ...run, objects: async () => ({ inputs: '{"a":1}', outputs }) }, GZIP);
  const open = async (): Promise<Readable> => Readable.from([bytes]);
  const head = await decodeHead('r-1', await open(), GZIP);
  expect(head).toEqual({ header, sequence: 1, idempotency: '' });
  const found = decodeRun(head, open, GZIP);
  expect(await found.objects()).toEqual({ inputs: '{"a":1}', outputs });
  expect(await collect(found.entries)).toEqual(entries);
});

it('reads what the first version wrote, whose header has the objects in it', async () => {
  const before = { ...header, inputs: { a: 'ä' }, outputs: { b: 1 } };
  const lines = [
    { format: 'weft-run', version: 1, header: before, sequence: 1, idempotency: 'k' },
    { entry: entries[0] },
    { end: { entries: 1, chunks: 0 } },
  ];
  const bytes = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const files = new FakeArchiveFiles();
  await files.write('runs/r-1/r-1.jsonl.gz', bytes);
  const archive = new FileRunArchive(files);
  const found = await archive.find('r-1');
  expect([found?.header, found?.idempotency]).toEqual([header, 'k']);
  const texts = await Promise.all((['inputs', 'outputs'] as const).map(async (which) => archive.object('r-1', which)));
  expect(await Promise.all(texts.map((text) => text && textOf(text)))).toEqual(['{"a":"ä"}', '{"b":1}']);
  const read = await archive.read('r-1');
  expect(await read?.run.objects()).toEqual({ inputs: '{"a":"ä"}', outputs: '{"b":1}' });
  expect(await collect(read?.run.entries ?? Readable.from([]))).toEqual(entries);
});

it.each([
  ['is not packed', Buffer.from('plain')],
  ['is cut off', gzipSync(JSON.stringify({ format: 'weft-run', version: 2, header })).subarray(0, 20)],
  ['is empty', gzipSync('')],
  ['is no JSON', gzipSync('{"format":')],
  ['is something else', gzipSync('{"a":1}\n')],
  ['has no header', gzipSync('{"format":"weft-run","version":2,"header":{}}\n')],
])('says of what %s that the run cannot be read', async (_what, bytes) => {
  await expect(decodeHead('r-1', Readable.from([bytes]), GZIP)).rejects.toBeInstanceOf(UnreadableRunError);
});
