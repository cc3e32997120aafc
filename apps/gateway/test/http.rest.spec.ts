/**
 * What holds for every route as HTTP has it. The routes are the gateway's own list: one that is added is covered here without a line.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { KnownRoute } from '../src/http/route-table.js';
import { ErrorView, SubmittedView } from '../src/runs/runs.schemas.js';
import { startHarness, type Harness } from './harness.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const SUBMIT = '/api/v1/runs';
const BODY = JSON.stringify({ cwl: 'class: CommandLineTool' });
const JSON_HEADERS = { 'content-type': 'application/json' };

let harness: Harness;
/** Every path with what it takes; the parameters of patterns filled in. */
let paths: Map<string, string[]>;

beforeAll(async () => {
  harness = await startHarness();
  paths = new Map();
  for (const { method, pattern } of harness.gateway.routes) paths.set(pattern, [...(paths.get(pattern) ?? []), method]);
});
afterAll(() => harness.stop());
beforeEach(() => harness.scheduler.reset());

const filled = (pattern: string, value = 'r-1'): string => pattern.replace(/:\w+/g, value);

interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(harness.url + path, { method, redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The answer is a failure in the shape that the API documents. */
function failure({ status, headers, text: body }: Answer): { status: number; code: string; error: string } {
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  const { code, error } = ErrorView.parse(JSON.parse(body));
  expect(error).toMatch(/\S/);
  return { status, code, error };
}

/** For each route; every one that fails is named. */
async function forEachRoute(
  wanted: (route: KnownRoute) => boolean,
  check: (path: string, route: KnownRoute) => Promise<void>,
): Promise<void> {
  const routes = harness.gateway.routes.filter(wanted);
  expect(routes.length).toBeGreaterThan(0);
  for (const route of routes) {
    try {
      await check(filled(route.pattern), route);
    } catch (error) {
      throw new Error(`${route.method} ${route.pattern}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const reads = ({ method }: KnownRoute): boolean => method === 'GET';
const writes = ({ method }: KnownRoute): boolean => method === 'POST';

describe('every route', () => {
  it('is known to the gateway: all that it documents are here', () => {
    expect([...paths.keys()]).toEqual(
      expect.arrayContaining([SUBMIT, '/api/v1/runs/:id/logs', '/api/v1/runners/:id/drain', '/streamflow/submit', '/healthz']),
    );
    for (const [path, methods] of paths)
      if (methods.includes('GET')) expect([path, methods]).toEqual([path, expect.arrayContaining(['HEAD'])]);
  });

  it('answers a method that it does not take with 405 and Allow, and OPTIONS with Allow alone', async () => {
    for (const [pattern, methods] of paths) {
      const allow = [...methods, 'OPTIONS'].sort().join(', ');
      for (const method of METHODS.filter((one) => !methods.includes(one))) {
        const answer = await ask(method, filled(pattern));
        expect({ ...failure(answer), allow: answer.headers.get('allow') }).toMatchObject({
          status: 405,
          code: 'METHOD_NOT_ALLOWED',
          allow,
        });
      }
      const options = await ask('OPTIONS', filled(pattern));
      expect([pattern, options.status, options.headers.get('allow'), options.text]).toEqual([pattern, 204, allow, '']);
    }
  });

  it('answers HEAD as GET, without a body', () =>
    forEachRoute(reads, async (path) => {
      const controller = new AbortController();
      const got = await fetch(harness.url + path, { signal: controller.signal });
      const head = await ask('HEAD', path);
      controller.abort();
      await got.body?.cancel().catch(() => undefined);
      expect([head.status, head.text, head.headers.get('content-type')]).toEqual([got.status, '', got.headers.get('content-type')]);
    }));

  it('is the same with a slash at its end, and unknown below it', () =>
    forEachRoute(reads, async (path) => {
      expect((await ask('HEAD', `${path}/`)).status).toBe((await ask('HEAD', path)).status);
      expect(failure(await ask('GET', `${path}/x/y/z/no`))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }));

  it('says which types it answers with where Accept takes none of them', () =>
    forEachRoute(reads, async (path) => {
      expect(failure(await ask('GET', path, { headers: { accept: 'image/png, application/json;q=0, text/*;q=0' } }))).toMatchObject({
        status: 406,
        code: 'NOT_ACCEPTABLE',
      });
      for (const accept of ['*/*', 'application/json, text/plain, */*', 'application/*, text/*', ''])
        expect([accept, (await ask('HEAD', path, { headers: { accept } })).status]).not.toEqual([accept, 406]);
    }));

  it('of the API refuses parameters that it does not know, by name', () =>
    forEachRoute(
      ({ method, pattern }) => pattern.startsWith('/api/') && method !== 'HEAD',
      async (path, { method }) => {
        const init = path === SUBMIT && method === 'POST' ? { body: BODY, headers: JSON_HEADERS } : {};
        expect(failure(await ask(method, `${path}?colour=red`, init))).toMatchObject({
          status: 400,
          error: expect.stringContaining("'colour'"),
        });
      },
    ));

  it('refuses a body that is no JSON in UTF-8, by its headers or its bytes', () =>
    forEachRoute(writes, async (path) => {
      for (const [headers, body, status] of [
        [{ 'content-type': 'text/plain' }, BODY, 415],
        [{ 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415],
        [{ 'content-type': 'application/json; charset=latin1' }, BODY, 415],
        [{ 'content-type': 'application/json;charset="UTF-16"' }, BODY, 415],
        [{ ...JSON_HEADERS, 'content-encoding': 'zstd' }, BODY, 415],
        [{ ...JSON_HEADERS, 'content-encoding': 'gzip, gzip' }, gzipSync(gzipSync(BODY)), 415],
        [{ ...JSON_HEADERS, 'content-encoding': 'gzip' }, BODY, 400],
        [{ ...JSON_HEADERS, 'content-encoding': 'gzip' }, gzipSync(BODY).subarray(0, 15), 400],
        [JSON_HEADERS, '{"cwl": ', 400],
        [JSON_HEADERS, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400],
        [JSON_HEADERS, '{"name": "a", "n\\u0061me": "b"}', 400],
        [JSON_HEADERS, `${'['.repeat(300)}${']'.repeat(300)}`, 400],
        [JSON_HEADERS, '{"__proto__": {"x": 1}}', 400],
      ] as [Record<string, string>, string | Uint8Array<ArrayBuffer>, number][]) {
        const answer = await ask('POST', path, { headers, body });
        expect([headers, failure(answer).status]).toEqual([headers, status]);
      }
    }));
});

describe('a body', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (body: string) => Buffer.from(body)],
  ] as [string, (body: string) => Buffer][])('may be packed with %s', async (encoding, pack) => {
    const { status, text: body } = await ask('POST', SUBMIT, {
      body: new Uint8Array(pack(BODY)),
      headers: { ...JSON_HEADERS, 'content-encoding': encoding },
    });
    expect([status, SubmittedView.parse(JSON.parse(body)).existing]).toEqual([201, false]);
  });

  it.each(['gzip', 'br'])('that unpacks to more than the limit is refused, however small it comes (%s)', async (encoding) => {
    const bomb = `{"cwl": "${' '.repeat(64 * 1024 * 1024)}"}`;
    const packed = encoding === 'gzip' ? gzipSync(bomb) : brotliCompressSync(bomb);
    expect(packed.length).toBeLessThan(128 * 1024);
    const answer = await ask('POST', SUBMIT, { body: new Uint8Array(packed), headers: { ...JSON_HEADERS, 'content-encoding': encoding } });
    expect(failure(answer)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(harness.scheduler.asked).toEqual([]);
  });

  it('says how it may be packed where it was packed otherwise', async () => {
    const answer = await ask('POST', SUBMIT, { body: BODY, headers: { ...JSON_HEADERS, 'content-encoding': 'zstd' } });
    expect([failure(answer).error, answer.headers.get('accept-encoding')]).toEqual([
      expect.stringContaining("'zstd'"),
      'gzip, deflate, br',
    ]);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON; charset=us-ascii',
  ])('is taken as %s, with a byte order mark or without', async (type) => {
    for (const body of [BODY, `\ufeff${BODY}`])
      expect((await ask('POST', SUBMIT, { body: Buffer.from(body), headers: { 'content-type': type } })).status).toBe(201);
  });

  it('where a call takes none is refused, and not passed over', async () => {
    harness.scheduler.add({ runId: 'r-1' });
    for (const path of ['/api/v1/runs/r-1/retry', '/api/v1/runners/a/drain'])
      for (const body of ['{"reason": "x"}', '[]', '0'])
        expect(failure(await ask('POST', path, { body, headers: JSON_HEADERS }))).toMatchObject({
          status: 400,
          error: 'this call takes no body',
        });
  });

  it('that says nothing is as good as none', async () => {
    harness.scheduler.add({ runId: 'r-1' });
    for (const body of ['{}', ' { } ', 'null'])
      expect((await ask('POST', '/api/v1/runs/r-1/retry', { body, headers: JSON_HEADERS })).status).toBeLessThan(300);
  });

  it('without Content-Length is read to its end, or to the limit', async () => {
    const chunked = (bytes: number): Promise<string> =>
      raw(
        `POST ${SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
        [...pieces(bytes), '0\r\n\r\n'],
      );
    expect(await chunked(0)).toMatch(/^HTTP\/1\.1 201 /);
    expect(await chunked(17 * 1024 * 1024)).toMatch(/^HTTP\/1\.1 413 [^]*BODY_TOO_LARGE/);
  });
});

/** The body in chunks, with so many spaces in it. */
function* pieces(bytes: number): Generator<string> {
  const chunk = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n`;
  yield chunk(BODY);
  for (let left = bytes; left > 0; left -= 64 * 1024) yield chunk(' '.repeat(64 * 1024));
}

/** What comes back over a connection of its own. */
async function raw(head: string, body: Iterable<string> = []): Promise<string> {
  const { port } = new URL(harness.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  const answer = text(socket).catch(() => '');
  socket.write(head);
  for (const piece of body) if (socket.writable) socket.write(piece);
  return answer;
}

describe('a request that HTTP does not have', () => {
  const bodyOf = (answer: string): unknown => ErrorView.parse(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))));

  it.each([
    ['no method', 'GETTING / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'INVALID_ARGUMENT'],
    ['no header', 'GET / HTTP/1.1\r\nHost localhost\r\n\r\n', 400, 'INVALID_ARGUMENT'],
    [
      'two lengths',
      `POST ${SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      400,
      'INVALID_ARGUMENT',
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    [
      'an expectation',
      `POST ${SUBMIT} HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}`,
      417,
      'EXPECTATION_FAILED',
    ],
    ['a path that is no text', 'GET /api/v1/runs/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400, 'INVALID_ARGUMENT'],
    ['a path of no UTF-8', 'GET /api/v1/runs/%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400, 'INVALID_ARGUMENT'],
    ['an endless id', `GET /api/v1/runs/${'x'.repeat(300)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 414, 'URI_TOO_LONG'],
  ])('(%s) is answered in the shape of any other failure', async (_, request, status, code) => {
    const answer = await raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(bodyOf(answer)).toMatchObject({ code });
  });

  it('is told from one by HTTP/1.0, and from one that asks before it sends', async () => {
    expect(await raw('GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 [^]*\{"status":"ok"\}$/);
    const asked = `POST ${SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n`;
    expect(await raw(asked, [BODY])).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });
});

describe('an id', () => {
  it.each(['r-%20', '%2e%2e', 'r-1%00', 'r-1%0a', 'r-1%2f..', 'ä', '*', ':id', "r-1'"])(
    'that no run has (%s) is not found, whatever it looks like',
    async (id) => {
      for (const path of ['', '/tasks', '/outputs', '/events', '/logs']) {
        const answer = await ask('GET', `/api/v1/runs/${id}${path}`);
        expect(failure(answer)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
      }
    },
  );
});

it.each(['page_size=0', 'page_size=x', 'page_size=1&page_size=2', 'page_size=1e9', 'page_size=', 'status=odd', 'follow=1'])(
  'a parameter that is none (%s) is named',
  async (query) => {
    const path = query.startsWith('follow') ? '/api/v1/runs/r-1/logs' : SUBMIT;
    const [name = ''] = query.split('=');
    expect(failure(await ask('GET', `${path}?${query}`))).toMatchObject({ status: 400, error: expect.stringContaining(`'${name}'`) });
  },
);
