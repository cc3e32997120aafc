/** Deliveries in a process of their own that is ended in the middle, before a call that is chosen at random. Ordered by a pipe. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import type { CwlObject } from '@weft/plan';
import type { WorkerTask } from '../spec-support/deliver-worker.js';
import { harm, lay, outputObject, scene } from '../spec-support/output-arbitraries.js';
import { OutputWorld, passTick, snapshot } from '../spec-support/output-world.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-worker-'));
  await build({
    entryPoints: [join(HERE, '../spec-support/deliver-worker.ts')],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    banner: { js: REQUIRE },
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  stopped: boolean;
  code: number | null;
  outputs?: CwlObject;
  said: string;
}

async function deliverIn(task: WorkerTask): Promise<Ended> {
  const child = spawn(process.execPath, [join(folder, 'worker.mjs'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((done) => child.once('close', done));
  const said = text(child.stderr);
  let stopped = false;
  let outputs: CwlObject | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'here') {
      stopped = true;
      child.kill(task.signal);
    } else outputs = JSON.parse(line) as CwlObject;
  }
  return { stopped, code: await closed, outputs, said: await said };
}

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

it('a signal: everything is as it was and it says how to get the outputs, or all of them are there', async () => {
  let interrupted = 0;
  const signals = fc.constantFrom<(keyof typeof CODES)[]>('SIGINT', 'SIGTERM', 'SIGHUP');
  await fc.assert(
    fc.asyncProperty(scene, fc.nat(90), signals, async (one, at, signal) => {
      const world = new OutputWorld();
      try {
        const { inputs, to } = lay(world, one);
        const outputs = outputObject(world, one.outputs, inputs);
        const before = snapshot(world.root);
        passTick(world.root);
        const { stopped, code, outputs: brought, said } = await deliverIn({ outputs, inputs: { inputs }, to, at, signal });
        expect(harm(world, before, brought ? [brought] : [], inputs)).toEqual([]);
        if (!stopped || brought) return;
        // Some scenes cannot be delivered: a folder that holds itself by a link.
        if (code === 1) return expect(said).toContain('its outputs could not be put into');
        interrupted += 1;
        expect([code, said]).toEqual([CODES[signal], expect.stringContaining(`weft attach r-1 --outdir ${to}`)]);
      } finally {
        world.remove();
      }
    }),
    { numRuns: 25 },
  );
  expect(interrupted).toBeGreaterThan(1);
});

it('kill -9: what was there is there or was replaced whole, and the next delivery puts everything right', async () => {
  let [killed, right] = [0, 0];
  await fc.assert(
    fc.asyncProperty(scene, fc.nat(90), async (one, at) => {
      const world = new OutputWorld();
      try {
        const { inputs, to } = lay(world, one);
        const outputs = outputObject(world, one.outputs, inputs);
        const before = snapshot(world.root);
        passTick(world.root);
        const { stopped } = await deliverIn({ outputs, inputs: { inputs }, to, at, signal: 'SIGKILL' });
        if (stopped) killed += 1;
        const again = await world.deliver(outputs, { inputs: { inputs }, to }).catch((error: Error) => error);
        expect(harm(world, before, 'outputs' in again ? [again.outputs] : [], inputs)).toEqual([]);
        if ('outputs' in again) right += 1;
        else expect(again.name).toBe('DeliveryError');
      } finally {
        world.remove();
      }
    }),
    { numRuns: 25 },
  );
  expect(killed).toBeGreaterThan(2);
  expect(right).toBeGreaterThan(5);
});
