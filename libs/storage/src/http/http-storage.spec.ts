import { buffer } from 'node:stream/consumers';
import { type FileServer, startCuttingProxy, startFileServer } from '@weft/testing';
import fc from 'fast-check';
import { readerContract } from '../contract/storage.contract.js';
import { patterned } from '../contract/writer.contract.js';
import { isPublicAddress } from './address-guard.js';
import { HttpStorage, type HttpStorageOptions } from './http-storage.adapter.js';

let server: FileServer;
let storage: HttpStorage;
beforeEach(async () => {
  server = await startFileServer();
  storage = new HttpStorage({ allowPrivate: true });
});
afterEach(async () => {
  storage.close();
  await server.stop();
});

for (const lacking of [[], ['head'], ['range'], ['head', 'range', 'length'], ['etag']]) {
  readerContract(`HttpStorage${lacking.map((what) => `, a server without ${what}`).join('')}`, 'files', () =>
    Promise.resolve({
      storage,
      fill: (files) => {
        for (const [name, content] of Object.entries(files)) {
          server.files.set(name, Buffer.from(content));
        }
        for (const what of lacking) server.without.add(what);
        return Promise.resolve(server.url);
      },
      dispose: () => Promise.resolve(),
    }),
  );
}

describe('HttpStorage', () => {
  it('has no directories and writes nothing', async () => {
    await expect(storage.list(`${server.url}d/`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('says that other bytes may have the version that a server makes of a time of modification', async () => {
    server.files.set('f', Buffer.from('x'));
    expect(await storage.stat(`${server.url}f`)).not.toHaveProperty('unsure');
    server.without.add('etag');
    expect(await storage.stat(`${server.url}f`)).toMatchObject({ version: expect.stringContaining('2020'), unsure: true });
  });

  it('says so of a weak ETag, which promises the same meaning and not the same bytes', async () => {
    server.files.set('f', Buffer.from('x'));
    server.without.add('strong');
    expect(await storage.stat(`${server.url}f`)).toMatchObject({ version: expect.stringMatching(/^W\//), unsure: true });
  });

  it('says that it cannot tell a change where the server sends no validator', async () => {
    for (const what of ['etag', 'modified']) server.without.add(what);
    server.files.set('f', Buffer.from('x'));
    expect(await storage.stat(`${server.url}f`)).toEqual({ kind: 'file', size: 1, version: '' });
  });

  it('follows redirects, not without end', async () => {
    server.files.set('f', Buffer.from('found'));
    server.redirects.set('/a', '/b').set('/b', `${server.url}f`).set('/loop', '/loop');
    expect(await storage.readText(`${server.url}a`, 9)).toBe('found');
    await expect(storage.stat(`${server.url}loop`)).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('redirects') });
    server.redirects.set('/out', 'file:///etc/passwd');
    await expect(storage.stat(`${server.url}out`)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('does not take a connection that broke for the end of the file', async () => {
    server.files.set('f', patterned(500_000));
    const proxy = await startCuttingProxy(new URL(server.url).host);
    const uri = `http://${proxy.address}/f`;
    try {
      proxy.cut(300_000, 1);
      await expect(storage.open(uri).then(buffer)).rejects.toMatchObject({ name: 'StorageError', code: 'IO', uri });
      expect((await buffer(await storage.open(uri))).equals(patterned(500_000))).toBe(true);
    } finally {
      await proxy.stop();
    }
  });

  it('keeps user names and passwords out of URIs', async () => {
    const uri = server.url.replace('//', '//me:secret@');
    await expect(storage.stat(uri)).rejects.toMatchObject({ code: 'ACCESS', message: expect.not.stringContaining('secret') });
  });
});

describe('addresses', () => {
  const strict = (options: HttpStorageOptions = {}): HttpStorage => new HttpStorage(options);

  it.each(['127.0.0.1', 'localhost', '[::1]', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '169.254.169.254', '10.1.2.3', '0.0.0.0'])(
    'refuses %s',
    async (host) => {
      const refused = { code: 'ACCESS', message: expect.stringContaining('is not a public address') };
      await expect(strict().stat(`http://${host}:${new URL(server.url).port}/f`)).rejects.toMatchObject(refused);
      expect(server.requests).toEqual([]);
    },
  );

  it('that are not public are not connected to', () => {
    for (const address of [
      '172.16.0.1',
      '192.168.3.4',
      '100.64.0.1',
      'fe80::1',
      'fd00::1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
      '::',
      'ff02::1',
    ]) {
      expect([address, isPublicAddress(address)]).toEqual([address, false]);
    }
    for (const address of ['8.8.8.8', '151.101.1.69', '172.32.0.1', '2a04:4e42::645']) {
      expect([address, isPublicAddress(address)]).toEqual([address, true]);
    }
    expect(isPublicAddress('example.org')).toBe(false);
  });

  it('mapped into IPv6 are never public', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => !isPublicAddress(`::ffff:${address}`) && !isPublicAddress(`64:ff9b::${address}`)));
  });
});
