import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { createFakeResultStore, FakeResultData } from '@weft/testing';
import { CallCache } from './call-cache.js';
import { CLAIM_MS } from './claims.js';
import { ContentIdMemory } from './content-ids.js';
import { ThreadedFileHasher } from './file-hasher.js';
import type { KeptFolderIndex, ResultStore } from './ports.js';
import { ResultFolders } from './retired-folders.js';
import type { Surroundings } from './result-locations.js';
import { StoredResults } from './stored-results.js';

const KEY = 'a'.repeat(64);
const sha1 = (text: string): string => `sha1$${createHash('sha1').update(text).digest('hex')}`;
const never = new AbortController().signal;

let directory: string;
let nowMs: number;
let timers: { atMs: number; work: () => void }[];
let data: FakeResultData;
let store: ResultStore & KeptFolderIndex;
const hasher = new ThreadedFileHasher();
const storage = new LocalStorage();
const problems: unknown[] = [];

const dataUri = (): string => `${pathToFileUri(directory)}/`;
const around = (run: string): Surroundings => ({ publishedTo: `${dataUri()}runs/${run}/t.1/`, inputs: [] });

/** Somebody does something to the files right before, or right after, one is taken. */
class Meddled extends LocalStorage {
  constructor(
    private readonly before: () => void = () => undefined,
    private readonly after: () => void = () => undefined,
  ) {
    super();
  }

  override async copyTree(from: string, to: string): Promise<void> {
    this.before();
    await super.copyTree(from, to);
    this.after();
  }
}

function cache(storage = new LocalStorage()): CallCache {
  const contents = new ContentIdMemory(storage, hasher, () => nowMs);
  const after = (delayMs: number, work: () => void): (() => void) => {
    const timer = { atMs: nowMs + delayMs, work };
    timers.push(timer);
    return () => void (timers = timers.filter((other) => other !== timer));
  };
  return new CallCache({
    store,
    results: new StoredResults(storage, contents, dataUri()),
    contents,
    after,
    onProblem: (...said) => problems.push(said),
  });
}

/** Time goes on; what is due happens. */
async function pass(ms: number): Promise<void> {
  const untilMs = nowMs + ms;
  for (let due = next(untilMs); due; due = next(untilMs)) {
    nowMs = due.atMs;
    timers = timers.filter((timer) => timer !== due);
    due.work();
    await turns();
  }
  nowMs = untilMs;
}
const next = (untilMs: number) => timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

function published(run: string, text: string, name = 'o'): { outputs: { o: object }; exitCode: number } {
  const path = join(directory, 'runs', run, 't.1', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return { outputs: { o: { class: 'File', location: pathToFileUri(path), checksum: sha1(text), size: text.length } }, exitCode: 0 };
}

async function kept(by: CallCache, run: string, text: string): Promise<void> {
  expect(await by.find(KEY, run, around(run), never)).toBeUndefined();
  const result = published(run, text) as never as { outputs: never; exitCode: number };
  await by.keep({ key: KEY, claim: { key: KEY, news: 'failed' }, holder: run, ...result }, around(run));
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-call-cache-'));
  nowMs = 1_000_000;
  timers = [];
  problems.length = 0;
  data = new FakeResultData(() => nowMs);
  store = createFakeResultStore(data);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  expect(problems).toEqual([]);
});
afterAll(() => hasher.close());

describe('a stored result', () => {
  it('is linked into the folder of who finds it', async () => {
    const one = cache();
    await kept(one, 'r-1', 'made');
    const found = await cache().find(KEY, 'r-2', around('r-2'), never);
    const path = join(directory, 'runs/r-2/t.1/o');
    expect(found).toEqual({
      exitCode: 0,
      outputs: { o: expect.objectContaining({ location: pathToFileUri(path), checksum: sha1('made') }) },
    });
    expect(statSync(path).ino).toBe(statSync(join(directory, 'runs/r-1/t.1/o')).ino);
    expect(one.claimed).toBe(0);
    // The same attempt asks again, because its first answer was lost.
    expect(await cache().find(KEY, 'r-2', around('r-2'), never)).toEqual(found);
  });

  it.each<[string, (path: string) => void]>([
    ['is gone', (path) => rmSync(path)],
    ['was changed', (path) => writeFileSync(path, 'Made')],
    [
      'was changed behind its time',
      (path) => {
        writeFileSync(path, 'Made');
        utimesSync(path, 1, 1);
      },
    ],
    ['has another size', (path) => writeFileSync(path, 'made more')],
  ])('is not used where a file %s, and forgotten', async (_name, change) => {
    await kept(cache(), 'r-1', 'made');
    change(join(directory, 'runs/r-1/t.1/o'));
    const other = cache();
    expect(await other.find(KEY, 'r-2', around('r-2'), never)).toBeUndefined();
    expect([other.claimed, data.results.size]).toEqual([1, 0]);
    expect(statSync(join(directory, 'runs/r-2/t.1'), { throwIfNoEntry: false })).toBeUndefined();
  });

  const replace = (path: string, make: (path: string) => void): void => {
    rmSync(path, { recursive: true });
    make(path);
  };
  it.each<[string, (path: string) => void]>([
    ['another file of its size', (path) => writeFileSync(path, 'evil')],
    ['another file of its size and time', (path) => (writeFileSync(path, 'evil'), utimesSync(path, 1, 1))],
    ['nothing', () => undefined],
    ['a folder', (path) => mkdirSync(join(path, 'with/more'), { recursive: true })],
    ['a pipe', (path) => void spawnSync('mkfifo', [path])],
    ['a link to nowhere', (path) => symlinkSync('nowhere', path)],
    ['a link to itself', (path) => symlinkSync('o', path)],
    ['a link to a file that was never published', (path) => symlinkSync('/etc/passwd', path)],
  ])('is not used where %s takes a file’s place between the look and the taking', async (_name, make) => {
    await kept(cache(), 'r-1', 'made');
    const path = join(directory, 'runs/r-1/t.1/o');
    utimesSync(path, 1, 1);
    const found = await cache(new Meddled(() => replace(path, make))).find(KEY, 'r-2', around('r-2'), never);
    expect(found).toBeUndefined();
    expect(data.results.size).toBe(0);
    expect(statSync(join(directory, 'runs/r-2/t.1'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('is what was taken, whatever has its old name afterwards', async () => {
    await kept(cache(), 'r-1', 'made');
    const after = (): void => replace(join(directory, 'runs/r-1/t.1/o'), (path) => writeFileSync(path, 'evil'));
    expect(await cache(new Meddled(undefined, after)).find(KEY, 'r-2', around('r-2'), never)).toBeDefined();
    expect(readFileSync(join(directory, 'runs/r-2/t.1/o'), 'utf8')).toBe('made');
  });

  it('leaves nothing where a file of several is gone, however far the others are', async () => {
    const one = cache();
    await one.find(KEY, 'r-1', around('r-1'), never);
    const names = Array.from({ length: 50 }, (_, n) => `o-${n}`);
    const outputs = Object.fromEntries(names.map((name) => [name, published('r-1', name, name).outputs.o])) as never;
    await one.keep({ key: KEY, claim: { key: KEY, news: 'failed' }, holder: 'r-1', outputs, exitCode: 0 }, around('r-1'));
    rmSync(join(directory, 'runs/r-1/t.1/o-7'));
    expect(await cache().find(KEY, 'r-2', around('r-2'), never)).toBeUndefined();
    await turns();
    expect(statSync(join(directory, 'runs/r-2/t.1'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('is not stored where a file has other bytes than its checksum says, and those who wait execute', async () => {
    const [one, two] = [cache(), cache()];
    await one.find(KEY, 'r-1', around('r-1'), never);
    const waiting = two.find(KEY, 'r-2', around('r-2'), never);
    await turns();
    const result = published('r-1', 'made') as never as { outputs: never; exitCode: number };
    const path = join(directory, 'runs/r-1/t.1/o');
    await one.contents.justPublished(pathToFileUri(path), sha1('made'));
    replace(path, () => writeFileSync(path, 'evil'));
    const claim = { key: KEY, news: 'look' } as const;
    expect(await one.keep({ key: KEY, claim, holder: 'r-1', ...result }, around('r-1'))).toBe('not a result of its own');
    expect(await waiting).toBeUndefined();
    expect(data.results.size).toBe(0);
  });

  it('is used where a file was only touched', async () => {
    await kept(cache(), 'r-1', 'made');
    utimesSync(join(directory, 'runs/r-1/t.1/o'), 1, 1);
    expect(await cache().find(KEY, 'r-2', around('r-2'), never)).toBeDefined();
  });

  it('is not one where outputs lie elsewhere: those who wait execute', async () => {
    const [one, two] = [cache(), cache()];
    await one.find(KEY, 'r-1', around('r-1'), never);
    const waiting = two.find(KEY, 'r-2', around('r-2'), never);
    await turns();
    const outputs = { o: { class: 'File', location: 'file:///etc/hosts' } } as never;
    const claim = { key: KEY, news: 'look' } as const;
    expect(await one.keep({ key: KEY, claim, holder: 'r-1', outputs, exitCode: 0 }, around('r-1'))).toBe('not a result of its own');
    expect(await waiting).toBeUndefined();
    expect(two.claimed).toBe(0);
  });
});

describe('identical tasks', () => {
  it('wait for the one that executes, and find its result', async () => {
    const [one, two] = [cache(), cache()];
    expect(await one.find(KEY, 'r-1', around('r-1'), never)).toBeUndefined();
    const waiting = [two.find(KEY, 'r-2', around('r-2'), never), one.find(KEY, 'r-3', around('r-3'), never)];
    await turns();
    await pass(10 * CLAIM_MS);
    expect(data.claims.get(KEY)?.holder).toBe('r-1');
    const result = published('r-1', 'made') as never as { outputs: never; exitCode: number };
    await one.keep({ key: KEY, claim: { key: KEY, news: 'failed' }, holder: 'r-1', ...result }, around('r-1'));
    expect((await Promise.all(waiting)).map((found) => found?.exitCode)).toEqual([0, 0]);
    expect(readFileSync(join(directory, 'runs/r-3/t.1/o'), 'utf8')).toBe('made');
    expect([one.claimed, two.claimed]).toEqual([0, 0]);
  });

  it('execute themselves when the holder has failed', async () => {
    const [one, two] = [cache(), cache()];
    await one.find(KEY, 'r-1', around('r-1'), never);
    const waiting = ['r-2', 'r-3'].map((run) => two.find(KEY, run, around(run), never));
    await turns();
    await one.giveUp(KEY, 'r-1', 'failed');
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(two.claimed).toBe(0);
  });

  it('take over, one of them, when the holder gives up or dies', async () => {
    const [one, two, three] = [cache(), cache(), cache()];
    await one.find(KEY, 'r-1', around('r-1'), never);
    const second = two.find(KEY, 'r-2', around('r-2'), never);
    const third = three.find(KEY, 'r-3', around('r-3'), never);
    await turns();
    await one.giveUp(KEY, 'r-1', 'look');
    expect(await Promise.race([second.then(() => 2), third.then(() => 3)])).toBe(2);
    // A process that is gone renews nothing.
    two.close();
    await turns();
    await pass(2 * CLAIM_MS);
    expect(await third).toBeUndefined();
    expect(three.claimed).toBe(1);
  });

  it('stop waiting when they are cancelled, and leave nothing', async () => {
    const one = cache();
    await one.find(KEY, 'r-1', around('r-1'), never);
    const cancel = new AbortController();
    const waiting = cache().find(KEY, 'r-2', around('r-2'), cancel.signal);
    await turns();
    cancel.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    expect(data.listeners.get(KEY)?.size).toBe(0);
    expect(data.claims.get(KEY)?.holder).toBe('r-1');
  });
});

describe('folders that nobody needs any more', () => {
  const folders = (maxBytes = 1e9): ResultFolders =>
    new ResultFolders({ index: store, storage, dataUri: dataUri(), maxBytes, ttlMs: 1e6, now: () => nowMs });
  const uri = (run: string): string => `${dataUri()}runs/${run}/t.1/`;

  it('are kept where a result lies there, and come back otherwise', async () => {
    await kept(cache(), 'r-1', 'made');
    await cache().find(KEY, 'r-2', around('r-2'), never);
    expect(await folders().retire([uri('r-1'), uri('r-2'), uri('r-9')])).toEqual([uri('r-2'), uri('r-9')]);
    expect(await folders().retire([uri('r-1')])).toEqual([uri('r-1')]);
    expect(statSync(join(directory, 'runs/r-1/t.1'), { throwIfNoEntry: false })).toBeUndefined();
    expect(readFileSync(join(directory, 'cache', `${KEY}.t.1/o`), 'utf8')).toBe('made');
    expect(await cache().find(KEY, 'r-3', around('r-3'), never)).toBeDefined();
  });

  it('are removed beyond the limit, with their results', async () => {
    await kept(cache(), 'r-1', 'made');
    await folders().retire([uri('r-1')]);
    expect(await folders(4).sweep()).toEqual({ removed: 0, bytes: 0 });
    expect(await folders(3).sweep()).toEqual({ removed: 1, bytes: 4 });
    expect(readdirSync(join(directory, 'cache'))).toEqual([]);
    expect([data.results.size, data.kept.size]).toEqual([0, 0]);
  });

  it('are removed after their time, counted from the last use', async () => {
    await kept(cache(), 'r-1', 'made');
    await folders().retire([uri('r-1')]);
    nowMs += 900_000;
    await cache().find(KEY, 'r-2', around('r-2'), never);
    nowMs += 900_000;
    expect((await folders().sweep()).removed).toBe(0);
    nowMs += 200_000;
    expect((await folders().sweep()).removed).toBe(1);
  });

  it('leave no result behind that says it were there', async () => {
    await kept(cache(), 'r-1', 'made');
    rmSync(join(directory, 'runs/r-1'), { recursive: true });
    expect(await folders().retire([uri('r-1')])).toEqual([uri('r-1')]);
    expect([data.results.size, data.kept.size]).toEqual([0, 0]);
  });
});
