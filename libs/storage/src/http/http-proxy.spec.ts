import { type FileServer, type ForwardProxy, startFileServer, startForwardProxy } from '@weft/testing';
import { HttpStorage, type HttpStorageOptions } from './http-storage.adapter.js';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

let server: FileServer;
let proxy: ForwardProxy;
let storage: HttpStorage | undefined;
let before: Record<string, string | undefined>;

beforeEach(async () => {
  before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  for (const name of VARIABLES) delete process.env[name];
  [server, proxy] = await Promise.all([startFileServer(), startForwardProxy()]);
  server.files.set('f', Buffer.from('found'));
});
afterEach(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  storage?.close();
  await Promise.all([server.stop(), proxy.stop()]);
});

/** Reads `f` of a host, with the environment that is given. */
function read(uri: string, env: Record<string, string>, options: HttpStorageOptions = { allowPrivate: true }): Promise<string> {
  Object.assign(process.env, env);
  storage = new HttpStorage(options);
  return storage.readText(uri, 100);
}

const leadsTo = (place: string): void => void proxy.routes.set(place, new URL(server.url).host);

it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'])('is used as %s names it: for a name that only it knows', async (name) => {
  leadsTo('files.internal:80');
  expect(await read('http://files.internal/f', { [name]: proxy.url })).toBe('found');
  expect(proxy.asked).toEqual(['GET http://files.internal/f']);
});

it.each(['127.0.0.1', '*', 'elsewhere,127.0.0.1'])('is not used for what NO_PROXY names (%s)', async (hosts) => {
  expect(await read(`${server.url}f`, { HTTP_PROXY: proxy.url, NO_PROXY: hosts })).toBe('found');
  expect(proxy.asked).toEqual([]);
});

it('gets its user and password, and no message shows them', async () => {
  proxy.secret = 'me:s%cret';
  leadsTo('files.internal:80');
  const named = proxy.url.replace('//', '//me:s%25cret@');
  expect(await read('http://files.internal/f', { HTTP_PROXY: named })).toBe('found');
  const refused = read('https://files.internal/f', { HTTPS_PROXY: named });
  await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('cret') });
  await expect(refused).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringMatching(/through the proxy 127.0.0.1:\d+: .* files.internal:443 \(502/),
  });
});

it('is asked for a tunnel where the connection is to be encrypted', async () => {
  leadsTo('files.internal:443');
  // What answers there speaks no TLS: the tunnel was made, and nothing was said in it in the clear.
  await expect(read('https://files.internal/f', { https_proxy: proxy.url })).rejects.toMatchObject({ code: 'IO' });
  expect([proxy.asked, server.requests]).toEqual([['CONNECT files.internal:443'], []]);
});

it.each([
  ['ftp://proxy:21', /the proxy for http: is no http: or https: URL/],
  ['http://127.0.0.1:1', /ECONNREFUSED/],
])('that is none (%s) is told', async (named, why) => {
  await expect(read('http://files.internal/f', { HTTP_PROXY: named })).rejects.toMatchObject({
    code: 'IO',
    message: expect.stringMatching(why),
  });
});

describe('with the address guard', () => {
  const guarded = { allowPrivate: false };

  it.each(['127.0.0.1', 'localhost', '[::1]', '10.1.2.3', '169.254.169.254', '[::ffff:127.0.0.1]'])(
    'is not asked for %s: a proxy is no way around it',
    async (host) => {
      for (const scheme of ['http', 'https']) {
        const reading = read(`${scheme}://${host}/f`, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url }, guarded);
        await expect(reading).rejects.toMatchObject({ code: 'ACCESS', message: expect.stringContaining('is not a public address') });
      }
      expect(proxy.asked).toEqual([]);
    },
  );

  it('is asked for the address that was checked, by a tunnel', async () => {
    leadsTo('8.8.8.8:80');
    expect(await read('http://8.8.8.8/f', { HTTP_PROXY: proxy.url }, guarded)).toBe('found');
    expect(proxy.asked).toEqual(['CONNECT 8.8.8.8:80']);
  });

  it('is not asked for a name that this machine cannot check', async () => {
    leadsTo('files.invalid:80');
    const reading = read('http://files.invalid/f', { HTTP_PROXY: proxy.url }, guarded);
    await expect(reading).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('only for addresses that were checked') });
    expect(proxy.asked).toEqual([]);
  });

  it('leads no further by a redirect', async () => {
    leadsTo('8.8.8.8:80');
    server.redirects.set('/away', 'http://127.0.0.1:6379/');
    await expect(read('http://8.8.8.8/away', { HTTP_PROXY: proxy.url }, guarded)).rejects.toMatchObject({ code: 'ACCESS' });
    expect(proxy.asked).toEqual(['CONNECT 8.8.8.8:80']);
  });
});
