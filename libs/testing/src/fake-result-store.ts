/** Results, claims and kept folders in memory; several stores over one FakeResultData are several processes over one Redis. */
import {
  CLAIM_MS,
  type KeptFolder,
  type KeptFolderIndex,
  type Lookup,
  type News,
  type ResultStore,
  type StoredResult,
  taskFolder,
} from '@weft/call-cache';

interface Kept {
  key: string;
  bytes: number;
  usedMs: number;
}

export class FakeResultData {
  readonly results = new Map<string, StoredResult>();
  readonly claims = new Map<string, { holder: string; lapsesMs: number }>();
  readonly kept = new Map<string, Kept>();
  readonly tasks = new Map<string, string>();
  readonly listeners = new Map<string, Set<(news: News) => void>>();

  constructor(readonly nowMs: () => number = () => Date.now()) {}

  /** Remembers what it holds. The function it returns makes it hold that again: a restart that lost what was written since. */
  snapshot(): () => void {
    const { results, claims, kept, tasks } = this;
    const maps: Map<string, unknown>[] = [results, claims, kept, tasks];
    const contents = maps.map((map) => structuredClone([...map]));
    return () => {
      maps.forEach((map, at) => {
        map.clear();
        for (const [key, value] of structuredClone(contents[at] ?? [])) map.set(key, value);
      });
      for (const key of this.listeners.keys()) this.tell(key, 'look');
    };
  }

  tell(key: string, news: News): void {
    for (const listener of [...(this.listeners.get(key) ?? [])]) listener(news);
  }

  /** The folder of a result that is replaced or forgotten is to be removed, where it is the cache's own. */
  orphan(key: string): void {
    const kept = this.kept.get(this.results.get(key)?.folder ?? '');
    if (kept) kept.usedMs = 0;
  }
}

export function createFakeResultStore(data = new FakeResultData()): ResultStore & KeptFolderIndex {
  return { ...results(data), ...folders(data) };
}

function results(data: FakeResultData): ResultStore {
  const lookWithout = async (key: string, folder: string, holder?: string): Promise<Lookup> => {
    if (folder !== '' && data.results.get(key)?.folder === folder) {
      data.orphan(key);
      data.results.delete(key);
    }
    const result = data.results.get(key);
    if (result) {
      const kept = data.kept.get(result.folder);
      if (kept) kept.usedMs = data.nowMs();
      return { state: 'found', result: structuredClone(result) };
    }
    if (holder === undefined) return { state: 'unknown' };
    const claim = data.claims.get(key);
    const now = data.nowMs();
    if (claim && claim.lapsesMs > now && claim.holder !== holder) return { state: 'held', lapsesMs: claim.lapsesMs - now };
    data.claims.set(key, { holder, lapsesMs: now + CLAIM_MS });
    return { state: 'claimed' };
  };
  return {
    look: (key, holder) => lookWithout(key, '', holder),
    lookWithout,
    put: async (key, result, holder) => {
      const task = taskFolder(result.folder);
      if (task) data.tasks.set(result.folder, key);
      if (data.results.get(key)?.folder !== result.folder) data.orphan(key);
      data.results.set(key, structuredClone(result));
      if (data.claims.get(key)?.holder === holder) data.claims.delete(key);
      data.tell(key, 'look');
    },
    giveBack: async (key, holder, news) => {
      if (data.claims.get(key)?.holder !== holder) return;
      data.claims.delete(key);
      data.tell(key, news);
    },
    renew: async (claims) => {
      const now = data.nowMs();
      for (const { key, holder } of claims) {
        const claim = data.claims.get(key);
        if (claim && claim.lapsesMs > now && claim.holder !== holder) continue;
        data.claims.set(key, { holder, lapsesMs: now + CLAIM_MS });
      }
    },
    subscribe: async (key, onNews) => {
      const listener = (news: News): void => onNews(news);
      const listeners = data.listeners.get(key) ?? new Set();
      data.listeners.set(key, listeners.add(listener));
      return async () => void listeners.delete(listener);
    },
    close: async () => undefined,
  };
}

function folders(data: FakeResultData): KeptFolderIndex {
  return {
    keysOf: async (names) => names.map((name) => data.tasks.get(name)),
    move: async (key, from, to) => {
      const result = data.results.get(key);
      if (result?.folder !== from) return false;
      result.folder = to;
      const bytes = result.files.reduce((sum, { size }) => sum + size, 0);
      data.kept.set(to, { key, bytes, usedMs: data.nowMs() });
      return true;
    },
    surplus: async ({ unusedSinceMs, maxBytes }, count) => {
      const oldest = [...data.kept].sort(([, a], [, b]) => a.usedMs - b.usedMs);
      let sum = oldest.reduce((total, [, { bytes }]) => total + bytes, 0);
      const surplus: KeptFolder[] = [];
      for (const [folder, { key, bytes, usedMs }] of oldest.slice(0, count)) {
        if (usedMs >= unusedSinceMs && sum <= maxBytes) break;
        sum -= bytes;
        surplus.push({ key, folder, bytes });
      }
      return surplus;
    },
    removed: async ({ key, folder }) => {
      data.kept.delete(folder);
      if (data.results.get(key)?.folder === folder) data.results.delete(key);
    },
  };
}
