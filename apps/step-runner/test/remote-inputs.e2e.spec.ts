import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { createStorage } from '@weft/storage';
import { startFileServer, startS3, type TestS3 } from '@weft/testing';
import { remoteInputsContract } from './remote-inputs.contract.js';
import { RunnerFixture } from './runner.fixture.js';

describe('inputs from other hosts, of processes', () => {
  remoteInputsContract(() => new RunnerFixture('process', undefined, { storage: { http: { allowPrivate: true } } }));
});

describe('a runner that may not read private addresses', () => {
  it('says so, and asks nobody', async () => {
    const runner = new RunnerFixture('process');
    const server = await startFileServer();
    try {
      await runner.start();
      const spec = runner.shell('true');
      spec.inputs = [runner.input(join(runner.pathsOf(spec.taskId).in, 'f'), `${server.url}f`)];
      const { finished } = await runner.run(spec);
      expect(finished.failure).toMatchObject({
        code: 'INPUT_FILE',
        retryable: false,
        message: expect.stringContaining('is not a public address'),
      });
      expect(server.requests).toEqual([]);
    } finally {
      await runner.dispose();
      await server.stop();
    }
  });
});

describe('results in S3', () => {
  let s3: TestS3;
  let runner: RunnerFixture;
  beforeAll(async () => {
    s3 = await startS3();
    Object.assign(process.env, s3.environment);
    runner = new RunnerFixture('process', undefined, { dataDirectory: undefined, storage: { s3: { endpoint: s3.endpoint } } });
    await runner.start();
  });
  afterAll(async () => {
    await runner.dispose();
    await s3.stop();
  });

  it('are published whole, read by the next task without a download, and by others as they are', async () => {
    const storage = createStorage({ s3: { endpoint: s3.endpoint } });
    const publishTo = `s3://${s3.bucket}/runs/`;
    const making = runner.shell('mkdir -p "d/sub dir" d/empty; echo one > "d/sub dir/a#1"; echo two > d/b; ln -s b d/link');
    await runner.run(making);
    const { files } = await runner.collect(making, [{ path: 'd', publish: true, checksum: true }], { publishTo });
    expect(files[0]).toMatchObject({ uri: `${publishTo}d`, kind: executor.EntryKind.DIRECTORY });
    const checksum = `sha1$${createHash('sha1').update('one\n').digest('hex')}`;
    expect(files[0]?.listing.find(({ path }) => path === 'd/sub dir')?.listing).toMatchObject([
      { uri: `${publishTo}d/sub%20dir/a%231`, size: 4, checksum },
    ]);
    expect(await storage.readText(`${publishTo}d/sub%20dir/a%231`, 9)).toBe('one\n');
    expect(await storage.list(`${publishTo}d/empty`)).toEqual([]);
    await runner.release(making);

    const before = readdirSync(join(runner.sandboxRoot, '.cache/objects')).length;
    const reading = runner.shell('cat ../in/d/*/* ../in/d/b ../in/d/link; ls ../in/d/empty');
    const directory = { kind: executor.InputKind.DIRECTORY };
    reading.inputs = [runner.input(join(runner.pathsOf(reading.taskId).in, 'd'), `${publishTo}d`, directory)];
    expect((await runner.run(reading)).stdout).toBe('one\ntwo\ntwo\n');
    expect(readdirSync(join(runner.sandboxRoot, '.cache/objects'))).toHaveLength(before);
    expect(existsSync(join(runner.sandboxRoot, '.cache/partial'))).toBe(true);
    await runner.release(reading);

    // A copy that the task may change: also the files in it, which the cache keeps read-only.
    const changing = runner.shell('find ../in/d -perm -u+w | wc -l; find ../in/d | wc -l; echo more >> ../in/d/b; cat ../in/d/b');
    changing.inputs = [runner.input(join(runner.pathsOf(changing.taskId).in, 'd'), `${publishTo}d`, { ...directory, writable: true })];
    expect((await runner.run(changing)).stdout).toBe('6\n6\ntwo\nmore\n');
    expect(await storage.readText(`${publishTo}d/b`, 99)).toBe('two\n');
    await runner.release(changing);
    await storage.close();
  });

  it('that cannot be published say where and why', async () => {
    const spec = runner.shell('echo x > f');
    await runner.run(spec);
    await expect(runner.collect(spec, [{ path: 'f', publish: true }], { publishTo: 's3://no-such-bucket/x/' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("cannot publish 'f': s3://no-such-bucket/x/f does not exist: there is no such bucket"),
    });
    await expect(runner.collect(spec, [{ path: 'f', publish: true }], { publishTo: 'http://h/x/' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await runner.release(spec);
  });
});
