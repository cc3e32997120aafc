/** The service registry in memory. Several registries over one FakeRegistryData are several processes over one Redis. */
import { canonicalJson } from '@weft/plan';
import type { RunnerRecord, RunnerRegistry } from '@weft/registry';

export class FakeRegistryData {
  readonly runners = new Map<string, { record: RunnerRecord; lapsesMs: number }>();
  readonly drained = new Set<string>();
  readonly watchers = new Set<() => void>();

  /** The registry's clock. */
  constructor(readonly nowMs: () => number = Date.now) {}

  tell(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}

export function createFakeRunnerRegistry(data = new FakeRegistryData()): RunnerRegistry & { close(): Promise<void> } {
  const mine = new Set<() => void>();
  const live = (id: string): RunnerRecord | undefined => {
    const entry = data.runners.get(id);
    return entry && entry.lapsesMs > data.nowMs() ? entry.record : undefined;
  };
  const lasting = ({ lastSeenMs: _lastSeenMs, load: _load, capacity, ...rest }: RunnerRecord): string =>
    canonicalJson({ ...rest, capacity: { ...capacity, diskBytes: 0 } });
  return {
    register: async (runner, ttlMs) => {
      const before = live(runner.runnerId);
      const record = JSON.parse(JSON.stringify({ ...runner, lastSeenMs: data.nowMs() })) as RunnerRecord;
      data.runners.set(runner.runnerId, { record, lapsesMs: data.nowMs() + ttlMs });
      if (!before || lasting(before) !== lasting(record)) data.tell();
    },
    deregister: async (runnerId) => {
      if (data.runners.delete(runnerId)) data.tell();
    },
    list: async (pool) => {
      const found = [...data.runners.keys()].sort().flatMap((id) => live(id) ?? []);
      return found
        .filter((runner) => pool === undefined || runner.pool === pool)
        .map((runner) => ({ ...structuredClone(runner), draining: runner.draining || data.drained.has(runner.runnerId) }));
    },
    drain: async (runnerId, draining) => {
      const changed = draining ? !data.drained.has(runnerId) : data.drained.delete(runnerId);
      if (draining) data.drained.add(runnerId);
      if (changed) data.tell();
      return changed;
    },
    drained: async () => [...data.drained].sort(),
    watch: async (onChange) => {
      const watcher = (): void => onChange();
      data.watchers.add(watcher);
      mine.add(watcher);
      return async () => void data.watchers.delete(watcher);
    },
    close: async () => mine.forEach((watcher) => data.watchers.delete(watcher)),
  };
}
