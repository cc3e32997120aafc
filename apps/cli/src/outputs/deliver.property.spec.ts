/** Delivery into random folders, with a random end. A failing case is printed with its seed by fast-check. */
import * as files from 'node:fs/promises';
import fc from 'fast-check';
import type { CwlObject } from '@weft/plan';
import { harm, lay, outputObject, scene, type Scene } from '../spec-support/output-arbitraries.js';
import { OutputWorld, passTick, snapshot, untruths } from '../spec-support/output-world.js';
import type { FileOps } from './folder.js';
import { lookAtOutdir } from './outdir.js';

type Call = (...args: unknown[]) => Promise<unknown>;

/** The real calls, with something before each. */
function watched(before: (call: string) => Promise<void> | void): FileOps {
  const around = ([name, call]: [string, unknown]): [string, unknown] => {
    if (typeof call !== 'function') return [name, call];
    return [
      name,
      async (...args: unknown[]) => {
        await before(name);
        return (call as Call)(...args);
      },
    ];
  };
  return Object.fromEntries(Object.entries(files).map(around)) as unknown as FileOps;
}

async function inWorld(work: (world: OutputWorld) => Promise<void>): Promise<void> {
  const world = new OutputWorld();
  try {
    await work(world);
  } finally {
    world.remove();
  }
}

/** Calls that only tidy up: where they fail, something of ours may stay. */
const TIDYING = ['unlink', 'rmdir', 'readdir'];

/** The input was taken for gone, and replaced, where it could not be looked at. */
const INPUT_IN_THE_WAY: Scene = {
  lies: [{ path: 'out/a', kind: 'file', to: 0, isInput: true }],
  outputs: [
    { name: 'a', kind: 'stored folder', seed: 0, inner: [] },
    { name: 'a', kind: 'text', seed: 0, inner: [] },
  ],
  throughLink: false,
};

describe('delivery', () => {
  it('does no harm and tells the truth', async () => {
    let delivered = 0;
    await fc.assert(
      fc.asyncProperty(scene, (one) =>
        inWorld(async (world) => {
          const { inputs, to } = lay(world, one);
          const outputs = outputObject(world, one.outputs, inputs);
          const before = snapshot(world.root);
          const ended = await world.deliver(outputs, { inputs: { inputs }, to }).catch((error: Error) => error);
          if (!(ended instanceof Error)) delivered += 1;
          else expect(ended.name).toBe('DeliveryError');
          expect(harm(world, before, ended instanceof Error ? [] : [ended.outputs], inputs)).toEqual([]);
        }),
      ),
      { numRuns: 100 },
    );
    expect(delivered).toBeGreaterThan(20);
  });

  it('leaves everything as it was where any one call fails', async () => {
    const call = fc.constantFrom<(keyof FileOps)[]>(
      'link',
      'link',
      'rename',
      'mkdir',
      'lstat',
      'stat',
      'open',
      'writeFile',
      'unlink',
      'readdir',
    );
    const fault = fc
      .record({ call, nth: fc.nat(10), code: fc.constantFrom('EIO', 'ENOSPC', 'EACCES', 'EPERM', 'EMFILE', 'EEXIST', 'ENOENT') })
      // An input that a system says is not there is not in the way (inputs-here.ts): of one that is there, this is no failure but an untruth.
      .filter(({ call: one, code }) => one !== 'stat' || code !== 'ENOENT');
    let failed = 0;
    await fc.assert(
      fc.asyncProperty(scene, fault, (one, { call, nth, code }) =>
        inWorld(async (world) => {
          const { inputs, to } = lay(world, one);
          const outputs = outputObject(world, one.outputs, inputs);
          const before = snapshot(world.root);
          let calls = 0;
          let hit = '';
          const ops = watched((called) => {
            if (called !== call || calls++ !== nth) return;
            hit = call;
            throw Object.assign(new Error(code), { code });
          });
          const ended = await world.deliver(outputs, { inputs: { inputs }, to, ops }).catch((error: Error) => error);
          if (ended instanceof Error) failed += 1;
          const found = harm(world, before, ended instanceof Error ? [] : [ended.outputs], inputs);
          expect(TIDYING.includes(hit) ? found.filter((what) => !what.endsWith('is left behind')) : found).toEqual([]);
        }),
      ),
      { numRuns: 200, examples: [[INPUT_IN_THE_WAY, { call: 'stat', nth: 5, code: 'EIO' }]] },
    );
    expect(failed).toBeGreaterThan(10);
  });

  it('leaves everything as it was where it is interrupted, or all is there', async () => {
    let interrupted = 0;
    await fc.assert(
      fc.asyncProperty(scene, fc.nat(150), (one, at) =>
        inWorld(async (world) => {
          const { inputs, to } = lay(world, one);
          const outputs = outputObject(world, one.outputs, inputs);
          const before = snapshot(world.root);
          const controller = new AbortController();
          let calls = 0;
          const ops = watched(() => {
            if (calls++ === at) controller.abort(new Error('interrupted'));
          });
          const ended = await world
            .deliver(outputs, { inputs: { inputs }, to, ops, signal: controller.signal })
            .catch((error: Error) => error);
          if (ended instanceof Error && ended.message === 'interrupted') interrupted += 1;
          expect(harm(world, before, ended instanceof Error ? [] : [ended.outputs], inputs)).toEqual([]);
        }),
      ),
      { numRuns: 100 },
    );
    expect(interrupted).toBeGreaterThan(5);
  });

  it('of several at once that replace the same files each has its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), (scheduler) =>
        inWorld(async (world) => {
          for (const name of ['a', 'b']) world.write(`out/${name}`, 'old');
          passTick(world.root);
          const folders = await Promise.all([1, 2, 3].map(() => lookAtOutdir(world.outdir)));
          const ops = watched(() => scheduler.schedule(Promise.resolve()));
          const deliveries = folders.map((folder, n) =>
            world.deliver({ all: ['a', 'b'].map((name) => world.file(`${n}/${name}`, `${name} of ${n}`)) }, { folder, ops }),
          );
          const ends = await scheduler.waitFor(Promise.all(deliveries));
          expect(ends.flatMap(({ outputs }) => untruths(outputs))).toEqual([]);
        }),
      ),
      { numRuns: 60 },
    );
  });

  it('of several at once into one folder none claims what is another’s', async () => {
    const runs = fc.array(
      scene.map(({ outputs }) => outputs),
      { minLength: 2, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(scene, runs, fc.scheduler(), (one, many, scheduler) =>
        inWorld(async (world) => {
          const { inputs, to } = lay(world, one);
          const objects = many.map((outputs, n) => outputObject(world, outputs, inputs, `run${n}`));
          const before = snapshot(world.root);
          passTick(world.root);
          const folders = await Promise.all(objects.map(() => lookAtOutdir(to)));
          const ops = watched(() => scheduler.schedule(Promise.resolve()));
          const deliveries = objects.map((outputs, n) =>
            world.deliver(outputs, { inputs: { inputs }, folder: folders[n], ops }).catch((error: Error) => error),
          );
          const ends = await scheduler.waitFor(Promise.all(deliveries));
          const done: CwlObject[] = ends.flatMap((end) => (end instanceof Error ? [] : [end.outputs]));
          expect(harm(world, before, done, inputs)).toEqual([]);
        }),
      ),
      { numRuns: 40 },
    );
  });
});
