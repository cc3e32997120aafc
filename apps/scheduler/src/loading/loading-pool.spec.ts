/** Large submissions are read elsewhere: whoever comes after them is answered before. Events are ordered, nothing is timed. */
import { locateLoader } from './locate-loader.js';
import { LoadingPool, type LoadingOptions } from './loading-pool.js';

const ROOT = 'inline:///tool.cwl';
const documentOf = (text: string) => ({ document: { rootUri: ROOT, files: { [ROOT]: text } } });
const SMALL = 'cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: echo\ninputs: {n: "int[]"}\noutputs: {}\n';
const small = (inputs = '{"n":[1]}') => ({ ...documentOf(SMALL), job: { inputsJson: inputs, baseUri: '' } });
const large = (n: number) => small(`{"n":[${'1,'.repeat(n)}1]}`);

let pool: LoadingPool;
afterEach(() => pool.close());

function aPool(options: Partial<LoadingOptions> = {}): LoadingPool {
  return (pool = new LoadingPool({
    threads: 1,
    cpuMs: 600_000,
    heapMb: 512,
    waiting: 2,
    waitingInAll: 8,
    locate: locateLoader,
    ...options,
  }));
}

const repeat = (text: string, size: number): string => text.repeat(Math.ceil(size / text.length));
const BAD: readonly [string, string][] = [
  ['keys', `x:\n${Array.from({ length: 40_000 }, (_, i) => `  key${i}: 1\n`).join('')}`],
  ['wrong items', `${SMALL}arguments: [${repeat('[],', 300_000)}]\n`],
  ['open references', `${SMALL}stdout: "${repeat('$(', 4_000_000)}"\n`],
  ['lists in lists', repeat('[\n', 2_000_000)],
];

test.each(BAD)('a small submission that comes after a bad one is answered before it: %s', async (_, text) => {
  aPool();
  const order: string[] = [];
  const bad = pool.load(documentOf(text), 'a').then((loaded) => {
    order.push('bad');
    return loaded;
  });
  await pool.load(small(), 'b').then(() => order.push('small'));
  const { plan, diagnostics } = await bad;
  expect(order).toEqual(['small', 'bad']);
  expect(plan).toBeUndefined();
  expect(diagnostics.length).toBeLessThanOrEqual(101);
});

test('the service answers others while a large submission is being read', async () => {
  aPool();
  const order: string[] = [];
  const bad = pool.load(documentOf(repeat('- {a: 1}\n', 300_000)), 'a').then(() => order.push('large'));
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  order.push('a hundred turns');
  await bad;
  expect(order).toEqual(['a hundred turns', 'large']);
});

test('what a thread reads is what is read here', async () => {
  aPool();
  const { inputs, plan, hash, diagnostics } = await pool.load(large(101_000), 'a');
  expect(diagnostics).toEqual([]);
  expect((inputs?.['n'] as number[]).length).toBe(101_001);
  const here = await pool.load(small(), 'a');
  expect([plan, hash]).toEqual([here.plan, here.hash]);
});

test('work beyond the limit is refused in a sentence, and the next submission is read', async () => {
  aPool({ cpuMs: 1 });
  await expect(pool.load(documentOf(repeat('- {a: 1}\n', 4_000_000)), 'a')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/takes more than 0.001 s to load; /),
  });
  await pool.close();
  aPool();
  expect((await pool.load(large(20_000), 'a')).inputs).toBeDefined();
});

test('memory beyond the limit is refused in a sentence', async () => {
  aPool({ heapMb: 24 });
  await expect(pool.load(large(900_000), 'a')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/takes more than 24 MiB of memory to load; /),
  });
});

test('projects take turns, and none has more waiting than it may', async () => {
  aPool();
  const order: string[] = [];
  const load = (project: string): Promise<unknown> => pool.load(large(20_000), project).then(() => order.push(project));
  await pool.load(large(20_000), 'c');
  // None of these has been handed to a thread when the next one comes.
  const all = [load('a'), load('a'), load('b')];
  await expect(load('a')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterMs: expect.any(Number) });
  await Promise.all(all);
  expect(order).toEqual(['a', 'b', 'a']);
});

test('a worker that cannot be found is said, and looked for again', async () => {
  let asked = 0;
  aPool({ locate: () => (asked++ === 0 ? Promise.reject(new Error('no worker here')) : locateLoader()) });
  await expect(pool.load(large(20_000), 'a')).rejects.toThrow('no worker here');
  expect((await pool.load(large(20_000), 'a')).inputs).toBeDefined();
});
