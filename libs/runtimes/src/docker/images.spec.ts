import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { jest } from '@jest/globals';
import Docker from 'dockerode';
import { executor } from '@weft/contracts';
import { Images } from './images.js';
import type { ProgressLine } from './progress-text.js';
import { StallGuard } from './stall-guard.js';

describe('a pull', () => {
  let directory: string;
  let engine: Server;
  let pulls: { gone: Promise<unknown>; over: boolean }[];
  let pulling: () => void;
  const image = executor.Image.create({ reference: 'registry.test/slow:1' });

  /** An engine that has no image and whose pulls never end. */
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'weft-images-'));
    pulls = [];
    engine = createServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end('{"message":"no such image"}');
      const pull = { over: false, gone: once(response, 'close') as Promise<unknown> };
      void pull.gone.then(() => (pull.over = true));
      pulls.push(pull);
      response.writeHead(200).write('{"status":"Pulling from slow"}\n');
      pulling();
    });
    engine.listen(join(directory, 'engine.sock'));
    await once(engine, 'listening');
  });
  afterEach(async () => {
    engine.closeAllConnections();
    engine.close();
    await once(engine, 'close');
    rmSync(directory, { recursive: true });
  });

  it('that nobody waits for any more goes on while one task waits, and is broken off when the last one leaves', async () => {
    const images = new Images(new Docker({ socketPath: join(directory, 'engine.sock') }), () => Promise.reject(new Error('no archives')));
    const begun = new Promise<void>((resolve) => (pulling = resolve));
    const leave: (() => void)[] = [];
    const waiting = [0, 1].map(() => images.ensure(image, { preparing: () => undefined, onUnwanted: (act) => void leave.push(act) }));
    const ends = Promise.allSettled(waiting);
    await begun;
    while (leave.length < 2) await new Promise((resolve) => setImmediate(resolve));
    leave[0]?.();
    await expect(waiting[0]).rejects.toThrow('nobody waits');
    expect(pulls.map(({ over }) => over)).toEqual([false]);
    leave[1]?.();
    await pulls[0]?.gone;
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = new Promise<void>((resolve) => (pulling = resolve));
    const third = images.ensure(image, { preparing: () => undefined, onUnwanted: (act) => void leave.push(act) });
    await again;
    leave[2]?.();
    await expect(third).rejects.toThrow('nobody waits');
    await pulls[1]?.gone;
    expect(pulls).toHaveLength(2);
  });

  it('is given up when it makes no progress, which another try may do', async () => {
    pulling = () => undefined;
    const images = new Images(
      new Docker({ socketPath: join(directory, 'engine.sock') }),
      () => Promise.reject(new Error('no archives')),
      1,
    );
    await expect(images.ensure(image, { preparing: () => undefined })).rejects.toMatchObject({
      code: 'IMAGE_PULL',
      message: "cannot pull image 'registry.test/slow:1': no progress for 0 s",
      retryable: true,
    });
    await pulls[0]?.gone;
  });
});

describe('ways to an image that a runner may not go', () => {
  const nowhere = new Docker({ socketPath: '/nonexistent/engine.sock' });
  const absent = jest.spyOn(nowhere, 'getImage').mockReturnValue({
    inspect: () => Promise.reject(Object.assign(new Error('no such image'), { statusCode: 404 })),
  } as unknown as Docker.Image);
  afterAll(() => absent.mockRestore());

  it.each([
    ['build', { dockerfile: 'FROM debian' }],
    ['load', { loadUri: 'file:///i.tar' }],
    ['import', { importUri: 'file:///i.tar' }],
  ])('%s: it is refused before anything is read or made', async (source, image) => {
    const images = new Images(nowhere, () => Promise.reject(new Error('opened')), 1, ['pull']);
    await expect(images.ensure(executor.Image.create({ reference: 'i', ...image }), { preparing: () => undefined })).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: `image 'i:latest' is not here, and this runner may only pull (not ${source})`,
      retryable: false,
    });
  });
});

describe('the name of an image', () => {
  const asked: string[] = [];
  const engine = new Docker({ socketPath: '/nonexistent/engine.sock' });
  (engine.modem as unknown as { dial: (options: { path: string }, done: (error: Error) => void) => void }).dial = (options, done) => {
    asked.push(options.path);
    done(Object.assign(new Error('no such image'), { statusCode: 404 }));
  };
  const images = new Images(engine, () => Promise.reject(new Error('opened')), 1, undefined, {
    credentialsFor: () => Promise.resolve(undefined),
  });
  const quiet = { preparing: () => undefined };
  beforeEach(() => asked.splice(0));

  it.each(['../127.0.0.1:2375/x?y=', 'a/../../containers/json', 'http://127.0.0.1/', 'a b', 'a\r\nHost: b', 'A', 'a%2f..', '[::1]/../x'])(
    '%j reaches no engine, whoever sends it',
    async (reference) => {
      for (const more of [{}, { dockerfile: 'FROM a' }, { loadUri: 'file:///a' }, { importUri: 'file:///a' }]) {
        const failure = { code: 'IMAGE_MISSING', message: expect.stringContaining('there can be no image of that name'), retryable: false };
        const image = executor.Image.create({ reference, ...more });
        await expect(images.ensure(image, quiet)).rejects.toMatchObject(failure);
        await expect(images.idOf(image)).rejects.toMatchObject(failure);
      }
      expect(asked).toEqual([]);
    },
  );

  it('is asked for once it is one, and a registry that may not be used is not', async () => {
    const guarded = new Images(engine, () => Promise.reject(new Error('opened')), 1, undefined, {
      check: (registry) => Promise.reject(new Error(`not from ${registry}`)),
    });
    await expect(guarded.ensure(executor.Image.create({ reference: '127.0.0.1:5000/a' }), quiet)).rejects.toThrow(
      'not from 127.0.0.1:5000',
    );
    expect(asked).toEqual(['/images/127.0.0.1:5000/a:latest/json']);
    await expect(images.ensure(executor.Image.create({ reference: 'r.test/a:1' }), quiet)).rejects.toMatchObject({ code: 'IMAGE_PULL' });
    expect(asked.slice(1)).toEqual(['/images/r.test/a:1/json', '/images/create?']);
  });

  it('is one also where an archive brings it', async () => {
    const loading = new Docker({ socketPath: '/nonexistent/engine.sock' });
    const sent: string[] = [];
    (loading.modem as unknown as { dial: (options: { path: string }, done: (error: unknown, answer?: unknown) => void) => void }).dial = (
      { path },
      done,
    ) => {
      sent.push(path);
      if (path.startsWith('/images/load')) done(null, Readable.from(['{"stream":"Loaded image: ../../containers/x?"}\n']));
      else done(Object.assign(new Error('no such image'), { statusCode: 404 }));
    };
    const image = executor.Image.create({ loadUri: 'file:///i.tar' });
    await expect(new Images(loading, () => Promise.resolve(Readable.from(['']))).ensure(image, quiet)).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringContaining('there can be no image of that name'),
    });
    expect(sent.filter((path) => path.includes('..'))).toEqual([]);
    expect(sent.at(-1)).toMatch(/^\/images\/load/);
  });
});

describe('progress of a pull', () => {
  const giveUp = 2 ** 30;
  const says = (...lines: ProgressLine[]): number => {
    const guard = new StallGuard(giveUp, new AbortController().signal);
    const refreshed = jest.spyOn(guard['timer'], 'refresh');
    for (const line of lines) guard.saw(line);
    guard.end();
    return refreshed.mock.calls.length;
  };
  const downloading = (current: number): ProgressLine => ({ id: 'a', status: 'Downloading', progressDetail: { current, total: 9 } });

  it.each<[string, ProgressLine[], number]>([
    ['bytes that arrive', [downloading(1), downloading(2)], 2],
    ['a layer that is done', [downloading(1), { id: 'a', status: 'Download complete' }], 2],
    ['the same again: none', [downloading(1), { id: 'b', status: 'Waiting' }, downloading(1), { id: 'b', status: 'Waiting' }], 2],
    [
      'waiting to try again: none',
      [
        { id: 'a', status: 'Retrying in 4 seconds' },
        { id: 'a', status: 'Retrying in 3 seconds' },
      ],
      0,
    ],
  ])('%s', (_what, lines, steps) => expect(says(...lines)).toBe(steps));
});
