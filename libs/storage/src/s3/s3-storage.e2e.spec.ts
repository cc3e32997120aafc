import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startCuttingProxy, startS3, type TestS3 } from '@weft/testing';
import { downloadFile } from '../download.js';
import { inUri, readerContract } from '../contract/storage.contract.js';
import { patterned, writerContract } from '../contract/writer.contract.js';
import type { Storage } from '../ports.js';
import { S3Storage } from './s3-storage.adapter.js';

const MIB = 1024 * 1024;
// The server writes everything to disk at once, and a busy machine's disk is slow.
let server: TestS3;
let places = 0;

/** A prefix that nobody used before. */
const freshPrefix = (): string => `s3://${server.bucket}/place-${++places}/`;
const client = (options: ConstructorParameters<typeof S3Storage>[0] = {}): S3Storage =>
  new S3Storage({ endpoint: server.endpoint, ...options });

beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.environment);
});
afterAll(() => server.stop());

readerContract('S3Storage', 'tree', () => {
  const storage = client();
  const prefix = freshPrefix();
  return Promise.resolve({
    storage,
    fill: async (files) => {
      for (const [name, content] of Object.entries(files)) await storage.writeText(prefix + inUri(name), content);
      return prefix;
    },
    dispose: () => Promise.resolve(storage.close()),
  });
});

writerContract('S3Storage', () => {
  const storage = client({ partBytes: 5 * MIB });
  return Promise.resolve({ storage, prefix: freshPrefix(), largeBytes: 12 * MIB, dispose: () => Promise.resolve(storage.close()) });
});

describe('S3Storage', () => {
  let storage: Storage;
  beforeEach(() => {
    storage = client();
  });

  it('pages through more entries than one answer holds, and removes them', async () => {
    const prefix = freshPrefix();
    const directory = await mkdtemp(join(tmpdir(), 'weft-many-'));
    try {
      // The server of the tests says 50 at once.
      for (let number = 0; number < 120; number++) await writeFile(join(directory, `f${number}`), '');
      await storage.publish(directory, `${prefix}many`);
      expect(await storage.list(`${prefix}many`)).toHaveLength(120);
      await storage.removeTree(`${prefix}many`);
      await expect(storage.list(`${prefix}many`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('says what is wrong with the bucket or the credentials', async () => {
    await expect(storage.stat('s3://no-such-bucket/f')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 's3://no-such-bucket/f does not exist: there is no such bucket',
    });
    process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    try {
      const stranger = client();
      const refused = { code: 'ACCESS', message: expect.stringContaining('SignatureDoesNotMatch') };
      await expect(stranger.readText(`s3://${server.bucket}/f`, 10)).rejects.toMatchObject(refused);
      await expect(stranger.writeText(`s3://${server.bucket}/f`, '')).rejects.toMatchObject(refused);
    } finally {
      Object.assign(process.env, server.environment);
    }
  });

  it('stays below the allowed prefixes', async () => {
    const [inside, outside] = [freshPrefix(), freshPrefix()];
    await storage.writeText(`${outside}f`, 'o');
    const bound = client({ allowedPrefixes: [inside.slice(0, -1)] });
    await bound.writeText(`${inside}f`, 'x');
    expect(await bound.readText(`${inside}f`, 9)).toBe('x');
    const refused = { code: 'ACCESS' };
    await expect(bound.stat(`${outside}f`)).rejects.toMatchObject(refused);
    await expect(bound.stat(`${inside.slice(0, -1)}-not/f`)).rejects.toMatchObject(refused);
    await expect(bound.list(`s3://${server.bucket}/`)).rejects.toMatchObject(refused);
    await expect(bound.copyTree(`${outside}f`, `${inside}g`)).rejects.toMatchObject(refused);
    await expect(bound.moveTree(`${inside}f`, `${outside}g`)).rejects.toMatchObject(refused);
    await expect(bound.removeTree(outside)).rejects.toMatchObject(refused);
    await expect(client().removeTree(`s3://${server.bucket}/`)).rejects.toMatchObject(refused);
    expect(await text(await storage.open(`${outside}f`))).toBe('o');
  });

  it('refuses a key that would lead out of a directory on disk', async () => {
    const prefix = freshPrefix();
    await storage.writeText(`${prefix}d/%2E%2E/f`, 'x');
    await expect(storage.list(`${prefix}d`)).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining("'..'") });
  });

  it.each(['s3://b', 's3:///key', 's3://bucket/a?b', 's3://bucket/a#b', 's3://bucket/%zz', 's3://b_/k'])('refuses %s', async (uri) => {
    await expect(storage.stat(uri)).rejects.toMatchObject({ code: 'UNSUPPORTED', uri });
  });

  it('takes over the parts of an upload that broke, and forgets what nobody finished', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weft-large-'));
    const path = join(directory, 'large');
    const prefix = freshPrefix();
    let uploaded = 0;
    const counting = client({ partBytes: 5 * MIB, onTransfer: (_direction, _scheme, bytes) => (uploaded += bytes) });
    try {
      await writeFile(path, patterned(16 * MIB));
      const broken = client({ partBytes: 5 * MIB, onTransfer: () => breakAfterFirstPart() });
      const breakAfterFirstPart = (): void => {
        throw new Error('broken on purpose');
      };
      await expect(broken.publish(path, `${prefix}large`)).rejects.toMatchObject({ code: 'IO' });
      await expect(storage.stat(`${prefix}large`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await counting.publish(path, `${prefix}large`);
      expect(uploaded).toBeLessThan(16 * MIB);
      expect((await storage.stat(`${prefix}large`)).size).toBe(16 * MIB);
      await expect(broken.publish(path, `${prefix}other`)).rejects.toMatchObject({ code: 'IO' });
      await storage.removeTree(prefix);
      uploaded = 0;
      await counting.publish(path, `${prefix}other`);
      expect(uploaded).toBe(16 * MIB);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('downloads through connections that break, without fetching twice what came, and notices bytes that changed on the way', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weft-download-'));
    const proxy = await startCuttingProxy(new URL(server.endpoint).host);
    const bytes = patterned(6 * MIB);
    const checksum = `sha1$${createHash('sha1').update(bytes).digest('hex')}`;
    const uri = `${freshPrefix()}large`;
    const path = join(directory, 'copy');
    let downloaded = 0;
    const far = new S3Storage({ endpoint: `http://${proxy.address}`, onTransfer: (_direction, _scheme, count) => (downloaded += count) });
    const options = { checksum, signal: new AbortController().signal, pause: () => Promise.resolve() };
    try {
      await writeFile(path, bytes);
      await storage.publish(path, uri);
      proxy.cut(2 * MIB, 2);
      await downloadFile(far, uri, path, options);
      expect((await readFile(path)).equals(bytes)).toBe(true);
      // What was in memory when a connection broke comes again.
      expect(downloaded).toBeLessThan(bytes.length + MIB);
      let harmed = 0;
      const harm = (piece: Buffer): Buffer => {
        // Not the headers: a piece from the middle.
        if (++harmed === 5) piece[piece.length - 1]! ^= 1;
        return piece;
      };
      proxy.corrupt(harm);
      await downloadFile(far, uri, path, options);
      expect((await readFile(path)).equals(bytes)).toBe(true);
      proxy.corrupt((piece) => (piece.length > 10_000 ? harm(((harmed = 4), piece)) : piece));
      await expect(downloadFile(far, uri, path, options)).rejects.toMatchObject({
        code: 'CHECKSUM',
        message: expect.stringContaining(checksum),
      });
    } finally {
      far.close();
      await proxy.stop();
      await rm(directory, { recursive: true });
    }
  });
});
