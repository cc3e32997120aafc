/** The contract of the call cache's store, for the fake and for every adapter. */
import type { KeptFolderIndex, ResultStore, StoredResult } from '@weft/call-cache';
import { Inbox } from './gate.js';

type Store = ResultStore & KeptFolderIndex;

/** Two stores over the same, empty data, as two processes have them. */
export interface ResultStoreFixture {
  one: Store;
  two: Store;
  /** Ends what is left of the time of every claim. */
  lapse(): Promise<void>;
  close(): Promise<void>;
}

const KEY = 'a'.repeat(64);
const OTHER = '7'.repeat(64);
const NEVER = { unusedSinceMs: 0, maxBytes: Number.MAX_SAFE_INTEGER };

export function aStoredResult(overrides: Partial<StoredResult> = {}): StoredResult {
  return {
    folder: 'runs/r-1/t-1.1/',
    outputs: {
      out: { class: 'File', location: 'weft-out:a%20b\u00e9', checksum: 'sha1$1', listing: [] },
      empty: [],
      nothing: null,
      n: 1.5,
    },
    files: [{ path: 'a%20b\u00e9', version: '1-2-3', size: 7 }],
    exitCode: 0,
    ...overrides,
  };
}

export function resultStoreContract(open: () => Promise<ResultStoreFixture>): void {
  let fixture: ResultStoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(() => fixture.close());

  describe('results and claims', () => {
    it('knows nothing at first, and claims nothing unless asked to', async () => {
      const { one, two } = fixture;
      expect(await one.look(KEY)).toEqual({ state: 'unknown' });
      expect(await two.look(KEY, 'holder')).toEqual({ state: 'claimed' });
    });

    it('gives a claim to one holder, again and again, and to nobody else', async () => {
      const { one, two } = fixture;
      expect(await one.look(KEY, 'first')).toEqual({ state: 'claimed' });
      expect(await one.look(KEY, 'first')).toEqual({ state: 'claimed' });
      expect(await two.look(KEY, 'second')).toEqual({ state: 'held', lapsesMs: expect.any(Number) });
      expect(await two.look(OTHER, 'second')).toEqual({ state: 'claimed' });
    });

    it('finds a result as it was put, whoever holds what', async () => {
      const { one, two } = fixture;
      await one.look(KEY, 'first');
      const result = aStoredResult({ outputs: { n: 9223372036854775807n, text: 'ä' } });
      await one.put(KEY, result, 'first');
      expect(await two.look(KEY, 'second')).toEqual({ state: 'found', result });
      expect(await two.look(KEY)).toEqual({ state: 'found', result });
    });

    it('replaces a result, and leaves the claims of others alone', async () => {
      const { one, two } = fixture;
      await one.put(KEY, aStoredResult(), 'x');
      await one.look(OTHER, 'first');
      await two.put(OTHER, aStoredResult({ folder: 'runs/r-1/t-2.1/' }), 'second');
      await two.put(KEY, aStoredResult({ folder: 'runs/r-2/t-1.1/', exitCode: 3 }), 'y');
      expect(await one.look(KEY)).toMatchObject({ result: { folder: 'runs/r-2/t-1.1/', exitCode: 3 } });
      expect(await two.lookWithout(OTHER, 'runs/r-1/t-2.1/', 'second')).toMatchObject({ state: 'held' });
    });

    it('forgets the result of a folder, unless another took its place, and claims the key', async () => {
      const { one, two } = fixture;
      await one.put(KEY, aStoredResult(), 'x');
      expect(await one.lookWithout(KEY, 'runs/r-9/t-1.1/', 'one')).toMatchObject({ state: 'found' });
      expect(await one.lookWithout(KEY, 'runs/r-1/t-1.1/', 'one')).toEqual({ state: 'claimed' });
      expect(await two.look(KEY)).toEqual({ state: 'unknown' });
    });

    it('lets a claim lapse, and renews one that nobody took', async () => {
      const { one, two, lapse } = fixture;
      await one.look(KEY, 'first');
      await one.look(OTHER, 'first');
      await lapse();
      expect(await two.look(KEY, 'second')).toEqual({ state: 'claimed' });
      await one.renew([
        { key: KEY, holder: 'first' },
        { key: OTHER, holder: 'first' },
      ]);
      expect(await one.look(KEY, 'first')).toMatchObject({ state: 'held' });
      expect(await two.look(OTHER, 'second')).toMatchObject({ state: 'held' });
    });

    it('tells those who subscribed, and only of their key', async () => {
      const { one, two } = fixture;
      const heard = new Inbox<string>();
      const stop = await two.subscribe(KEY, (news) => heard.push(news));
      const stopOther = await two.subscribe(OTHER, (news) => heard.push(`other: ${news}`));
      await one.look(KEY, 'first');
      await one.giveBack(KEY, 'somebody else', 'failed');
      await one.giveBack(KEY, 'first', 'failed');
      await heard.atLeast(1);
      await one.look(KEY, 'first');
      await one.giveBack(KEY, 'first', 'look');
      await one.put(KEY, aStoredResult(), 'first');
      await heard.atLeast(3);
      await stop();
      await one.put(KEY, aStoredResult(), 'first');
      await one.put(OTHER, aStoredResult(), 'first');
      expect(await heard.atLeast(4)).toEqual(['failed', 'look', 'look', 'other: look']);
      await stopOther();
    });
  });

  describe('kept folders', () => {
    const moved = 'cache/k.t-1.1/';
    const kept = (key: string): string => `cache/${key}.t-1.1/`;

    it('names the keys of folders, where a result was published there', async () => {
      const { one, two } = fixture;
      await one.put(KEY, aStoredResult(), 'x');
      await one.put(OTHER, aStoredResult({ folder: 'runs/r-2/t-1.1/' }), 'x');
      const folders = ['runs/r-2/t-1.1/', 'runs/r-1/t-9.1/', 'runs/r-1/t-1.1/', 'elsewhere/'];
      expect(await two.keysOf(folders)).toEqual([OTHER, undefined, KEY, undefined]);
    });

    it('moves a result from where it lies, and from nowhere else', async () => {
      const { one, two } = fixture;
      await one.put(KEY, aStoredResult(), 'x');
      expect(await one.move(KEY, 'runs/r-9/t-1.1/', moved)).toBe(false);
      expect(await one.move(KEY, 'runs/r-1/t-1.1/', moved)).toBe(true);
      expect(await one.move(KEY, 'runs/r-1/t-1.1/', moved)).toBe(false);
      expect(await one.move(OTHER, 'runs/r-1/t-1.1/', moved)).toBe(false);
      expect(await two.look(KEY)).toEqual({ state: 'found', result: aStoredResult({ folder: moved }) });
    });

    it('says which folders are too much, least recently used first', async () => {
      const { one, two } = fixture;
      const keys = ['1', '2', '3'].map((digit) => digit.repeat(64));
      for (const [index, key] of keys.entries()) {
        const folder = `runs/r-${index}/t-1.1/`;
        await one.put(key, aStoredResult({ folder, files: [{ path: 'f', version: '1', size: 10 }] }), 'x');
        await one.move(key, folder, kept(key));
      }
      expect(await two.surplus(NEVER, 10)).toEqual([]);
      expect((await two.surplus({ ...NEVER, maxBytes: 29 }, 10)).length).toBe(1);
      expect((await two.surplus({ ...NEVER, maxBytes: 0 }, 10)).map(({ bytes }) => bytes)).toEqual([10, 10, 10]);
      expect((await two.surplus({ ...NEVER, maxBytes: 0 }, 2)).length).toBe(2);
      expect((await two.surplus({ ...NEVER, unusedSinceMs: Number.MAX_SAFE_INTEGER }, 10)).length).toBe(3);
      const [first] = keys as [string];
      await two.removed({ key: first, folder: kept(first) });
      expect(await one.look(first)).toEqual({ state: 'unknown' });
      expect((await one.surplus({ ...NEVER, maxBytes: 0 }, 10)).map(({ key }) => key).sort()).toEqual(keys.slice(1));
    });

    it('wants those removed first whose result was replaced or forgotten', async () => {
      const { one } = fixture;
      for (const key of [KEY, OTHER]) {
        await one.put(key, aStoredResult({ folder: `runs/r-1/${key}.1/` }), 'x');
        await one.move(key, `runs/r-1/${key}.1/`, kept(key));
      }
      await one.put(KEY, aStoredResult({ folder: 'runs/r-2/t-1.1/' }), 'x');
      expect(await one.surplus({ ...NEVER, unusedSinceMs: 1 }, 10)).toEqual([{ key: KEY, folder: kept(KEY), bytes: 7 }]);
      await one.lookWithout(OTHER, kept(OTHER));
      expect((await one.surplus({ ...NEVER, unusedSinceMs: 1 }, 10)).length).toBe(2);
      await one.removed({ key: KEY, folder: kept(KEY) });
      expect(await one.look(KEY)).toMatchObject({ state: 'found', result: { folder: 'runs/r-2/t-1.1/' } });
    });
  });
}
