/** What directories take: hard links once, links not at all, and what the user has elsewhere is not looked at. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../home.js';
import { homeUsage, sizesOfRuns } from './home-usage.js';
import { Measure } from './measure.js';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'weft-measure-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const KIB = 1024;
function file(path: string, kib: number): string {
  const at = join(root, path);
  mkdirSync(join(at, '..'), { recursive: true });
  writeFileSync(at, Buffer.alloc(kib * KIB, 'x'));
  return at;
}

it('counts a file with two names once, follows no link, and tells what it could not read', async () => {
  const big = file('a/big', 64);
  file('b/own', 8);
  linkSync(big, join(root, 'b/same'));
  const elsewhere = mkdtempSync(join(tmpdir(), 'weft-elsewhere-'));
  writeFileSync(join(elsewhere, 'mine'), Buffer.alloc(512 * KIB));
  symlinkSync(elsewhere, join(root, 'b/link'));
  symlinkSync('.', join(root, 'b/loop'));
  const directories = ['', 'a', 'b'].map((name) => statSync(join(root, name)).blocks * 512).reduce((sum, n) => sum + n, 0);
  const whole = await new Measure().of(root);
  expect(whole.files).toBe(4);
  expect(whole.bytes - directories).toBeLessThan((64 + 8 + 8) * KIB);
  const measure = new Measure();
  expect((await measure.of(join(root, 'a'))).bytes).toBeGreaterThanOrEqual(64 * KIB);
  expect((await measure.of(join(root, 'b'))).bytes).toBeLessThan(64 * KIB);
  expect(await new Measure().of(join(root, 'nowhere'))).toEqual({ bytes: 0, files: 0 });
  rmSync(elsewhere, { recursive: true });
});

it('sorts what a home holds by what it is for, and adds up', async () => {
  const result = file('data/runs/r-1/t.1/out', 100);
  file('data/runs/r-1/logs/t.1.stderr', 20);
  file('data/runs/r-2/t.1/out', 10);
  file('data/cache/key.t.1/out', 40);
  file('sandboxes/t.1/work/x', 30);
  file('sandboxes/.cache/objects/x', 50);
  file('redis/appendonlydir/aof', 60);
  file('logs/scheduler.log', 5);
  file('mine', 7);
  linkSync(result, join(root, 'data/runs/r-2/t.1/shared'));
  const usage = await homeUsage(homeOf({ WEFT_HOME: root }));
  const of = (name: string): number => Math.floor((usage.parts.find((part) => part.name === name)?.bytes ?? 0) / KIB);
  const expected = {
    results: 110,
    'task logs': 20,
    'call cache': 40,
    sandboxes: 30,
    'input cache': 50,
    redis: 60,
    'service logs': 5,
    other: 7,
  };
  for (const [name, kib] of Object.entries(expected)) {
    expect(of(name)).toBeGreaterThanOrEqual(kib);
    // Directories take something, too.
    expect(of(name)).toBeLessThan(kib + 40);
  }
  expect(usage.bytes).toBe(usage.parts.reduce((sum, { bytes }) => sum + bytes, 0));
  const sizes = await sizesOfRuns(join(root, 'data'));
  expect([...sizes.keys()]).toEqual(['r-1', 'r-2']);
  expect(sizes.get('r-2')).toBeGreaterThanOrEqual(110 * KIB);
});
