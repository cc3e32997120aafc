import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { executor } from '@weft/contracts';
import { Images } from './images.js';

describe('a pull that nobody waits for any more', () => {
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

  it('goes on while one task waits, and is broken off when the last one leaves', async () => {
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
});
