import { createLogger } from '@weft/platform';
import { FileRunArchive, type Lease, partitionOf, type RunStore } from '@weft/run-store';
import { accepted, aRunHeader, createFakeRunStore, FakeArchiveFiles, FakeRunStoreData, Faults, misbehaving } from '@weft/testing';
import { RetentionKeeper } from './retention-keeper.js';

const HOUR = 3_600_000;
const logger = createLogger('test', 'silent');

/** Time goes on only where the test says so; whatever is due then happens. */
class ManualClock {
  nowMs = 1_760_000_000_000;
  private readonly timers = new Set<{ atMs: number; work: () => void }>();

  now = (): number => this.nowMs;

  after = (delayMs: number, work: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + delayMs, work };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };

  get waiting(): number {
    return this.timers.size;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.timers]) {
      if (timer.atMs > this.nowMs) continue;
      this.timers.delete(timer);
      timer.work();
    }
  }
}

class Scene {
  readonly clock = new ManualClock();
  readonly data = new FakeRunStoreData(this.clock.now);
  readonly store = createFakeRunStore(this.data);
  readonly files = new FakeArchiveFiles();
  readonly archive = new FileRunArchive(this.files);
  readonly cleared: string[] = [];
  leases: Lease[] = [];
  readonly keeper: RetentionKeeper;

  constructor(retentionMs: number, store?: (inner: RunStore) => RunStore) {
    this.keeper = new RetentionKeeper({
      store: store ? store(this.store) : this.store,
      archive: this.archive,
      leases: () => this.leases,
      clear: async (runId) => void this.cleared.push(runId),
      retentionMs,
      clock: this.clock,
      logger,
    });
  }

  async own(owner = 'owner'): Promise<void> {
    this.leases = await this.store.leases.acquire(owner, HOUR);
  }

  async end(runId: string): Promise<void> {
    await this.store.intake.create(aRunHeader({ runId, submittedAtMs: this.clock.nowMs }), accepted(runId));
    const [lease] = this.leases.filter(({ partition }) => partition === partitionOf(runId));
    if (!lease) throw new Error('no lease');
    const header = aRunHeader({ runId, submittedAtMs: this.clock.nowMs, state: 'succeeded', finishedAtMs: this.clock.nowMs });
    await this.store.log.seal(lease, header, 1, { type: 'RunEnded' });
    this.keeper.endedAt(this.clock.nowMs);
  }

  get live(): string[] {
    return [...this.data.runs.keys()].sort();
  }
}

describe('retention', () => {
  it('moves each run when its time has come, with one timer, and clears it first', async () => {
    const scene = new Scene(HOUR);
    await scene.own();
    await scene.end('r-1');
    scene.clock.pass(HOUR / 2);
    await scene.end('r-2');
    expect(scene.clock.waiting).toBe(1);
    scene.clock.pass(HOUR / 2);
    await scene.keeper.idle();
    expect(scene.live).toEqual(['r-2']);
    expect(scene.cleared).toEqual(['r-1']);
    expect(scene.clock.waiting).toBe(1);
    scene.clock.pass(HOUR / 2);
    await scene.keeper.idle();
    expect(scene.live).toEqual([]);
    expect((await scene.archive.find('r-2'))?.header.state).toBe('succeeded');
    expect(scene.clock.waiting).toBe(0);
  });

  it('moves at once where nothing is to be retained', async () => {
    const scene = new Scene(0);
    await scene.own();
    for (let n = 0; n < 250; n++) await scene.end(`r-${n}`);
    scene.clock.pass(0);
    await scene.keeper.idle();
    expect(scene.live).toEqual([]);
    expect(scene.data.archived.runs).toBe(250);
  });

  it('takes up what is overdue when partitions come, and moves nothing under a lease that is lost', async () => {
    const scene = new Scene(HOUR);
    await scene.own();
    await scene.end('r-1');
    const held = scene.leases;
    scene.leases = held.map((lease) => ({ ...lease, token: lease.token - 1 }));
    scene.clock.pass(2 * HOUR);
    await scene.keeper.idle();
    expect(scene.live).toEqual(['r-1']);
    expect(scene.clock.waiting).toBe(0);
    scene.leases = held;
    scene.keeper.look();
    await scene.keeper.idle();
    expect(scene.live).toEqual([]);
  });

  it('tries again after a while where the store or the archive fails', async () => {
    const faults = new Faults();
    const scene = new Scene(HOUR, (inner) => misbehaving(inner, faults));
    await scene.own();
    await scene.end('r-1');
    faults.fail('retention.evict');
    scene.clock.pass(HOUR);
    await scene.keeper.idle();
    expect(scene.live).toEqual(['r-1']);
    scene.clock.pass(30_000);
    await scene.keeper.idle();
    expect(scene.live).toEqual([]);
    expect(scene.cleared).toEqual(['r-1', 'r-1']);
  });
});
