import { Presence } from './presence.js';

/** An engine and a clock that are moved by hand. */
class World {
  up = true;
  nowMs = Date.parse('2026-01-02T03:04:05Z');
  pings = 0;
  private pauses: (() => void)[] = [];
  readonly presence = new Presence({
    endpoint: 'unix:///engine.sock',
    waitMs: 60_000,
    nowMs: () => this.nowMs,
    ping: async () => {
      this.pings++;
      if (!this.up) throw Object.assign(new Error('connect ENOENT /engine.sock'), { code: 'ENOENT' });
      return Promise.resolve();
    },
    pause: (_ms, signal) =>
      new Promise((resolve, reject) => {
        this.pauses.push(resolve);
        signal.addEventListener('abort', reject, { once: true });
      }),
  });

  /** The pause between two pings is over, and the ping answered or not. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const over of this.pauses.splice(0)) over();
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  }
}

describe('the presence of an engine', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.presence.close());

  it('one that never answered is waited for by nobody, and asked by whoever wants it', async () => {
    world.up = false;
    world.presence.suspect(new Error('connect ENOENT'));
    await expect(world.presence.here()).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: 'the Docker engine at unix:///engine.sock does not answer (connect ENOENT /engine.sock)',
    });
    expect(world.presence.isExpected).toBe(false);
    world.up = true;
    await world.presence.here();
    expect(world.presence.isHere).toBe(true);
  });

  it('a connection that breaks is no proof', async () => {
    world.presence.answered();
    const { gone } = world.presence;
    world.presence.suspect(new Error('reset'));
    await world.presence.look();
    expect([world.presence.isHere, gone.aborted, world.pings]).toEqual([true, false, 1]);
  });

  it('one that goes cuts off who waits for its answers, and is said to be expected', async () => {
    world.presence.answered();
    const { gone } = world.presence;
    world.up = false;
    await world.pass(5_000);
    expect([world.presence.isAway, world.presence.isExpected, gone.aborted]).toEqual([true, true, true]);
    expect(world.presence.complaint).toBe(
      'the Docker engine at unix:///engine.sock: not answering since 2026-01-02T03:04:10Z (connect ENOENT /engine.sock)',
    );
  });

  it('whoever waits is told what for, and goes on when it is back', async () => {
    world.presence.answered();
    world.up = false;
    await world.pass(0);
    const texts: string[] = [];
    const back = world.presence.here({ preparing: (text) => texts.push(text) });
    await world.pass(1_000);
    world.up = true;
    await world.pass(1_000);
    await back;
    expect(texts).toEqual([
      `waiting for the Docker engine at unix:///engine.sock: not answering since 2026-01-02T03:04:05Z (connect ENOENT /engine.sock)`,
    ]);
    expect(world.presence.gone.aborted).toBe(false);
  });

  it('one that is overdue lets everybody go, is not expected any more, and may be back all the same', async () => {
    world.presence.answered();
    world.up = false;
    await world.pass(0);
    const ended = expect(world.presence.here()).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: expect.stringMatching(/; it was waited for 60 s$/),
    });
    await world.pass(60_000);
    await ended;
    expect(world.presence.isExpected).toBe(false);
    world.up = true;
    await world.pass(1);
    expect(world.presence.isHere).toBe(true);
  });

  it('who is not wanted any more does not wait', async () => {
    world.presence.answered();
    world.up = false;
    await world.pass(0);
    const waiting = world.presence.here({ preparing: () => undefined, onUnwanted: (act) => act() });
    await expect(waiting).rejects.toThrow('nobody waits');
  });

  it('one that has something of ours is waited for although it has not answered in this life', async () => {
    world.up = false;
    await world.presence.look();
    world.presence.expect();
    expect(world.presence.isExpected).toBe(true);
    const back = world.presence.here();
    world.up = true;
    await world.pass(1);
    await back;
  });
});
