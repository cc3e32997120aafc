/** Ports that misbehave do so once, when asked, and say what they were asked. */
import { DeferredGate, Inbox, deferred } from './gate.js';
import { Faults, misbehaving } from './faults.js';

class Counter {
  count = 0;
  inner = { double: async (n: number) => n * 2 };

  async add(n: number): Promise<number> {
    this.count += n;
    return this.count;
  }

  async *each(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }
}

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

describe('misbehaving', () => {
  let faults: Faults;
  let real: Counter;
  let port: Counter;
  beforeEach(() => {
    faults = new Faults();
    real = new Counter();
    port = misbehaving(real, faults);
  });

  it('is the port itself otherwise, and remembers calls', async () => {
    expect(await port.add(2)).toBe(2);
    expect(await port.inner.double(4)).toBe(8);
    expect(await all(port.each())).toEqual([1, 2]);
    expect(faults.calls.map(({ operation, args }) => [operation, args])).toEqual([
      ['add', [2]],
      ['inner.double', [4]],
      ['each', []],
    ]);
  });

  it('fails as often as asked, without having acted', async () => {
    faults.fail('add', new Error('no'), 2);
    await expect(port.add(1)).rejects.toThrow('no');
    await expect(port.add(1)).rejects.toThrow('no');
    expect(real.count).toBe(0);
    expect(await port.add(1)).toBe(1);
  });

  it('loses an answer after having acted', async () => {
    faults.loseAnswer('add');
    await expect(port.add(1)).rejects.toThrow('lost');
    expect(real.count).toBe(1);
  });

  it('holds a call before it happens, or its answer after', async () => {
    const before = faults.hold('add');
    const first = port.add(1);
    void first.then(() => undefined);
    await before.reached;
    expect(real.count).toBe(0);
    before.open();
    expect(await first).toBe(1);
    const after = faults.holdAnswer('add');
    const second = port.add(1);
    await after.reached;
    expect(real.count).toBe(2);
    after.open();
    expect(await second).toBe(2);
  });

  it('does the same to streams and to ports inside', async () => {
    faults.fail('each', new Error('no'));
    await expect(all(port.each())).rejects.toThrow('no');
    faults.loseAnswer('each', new Error('cut'));
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const n of port.each()) seen.push(n);
      })(),
    ).rejects.toThrow('cut');
    expect(seen).toEqual([1]);
    faults.fail('inner.double');
    await expect(port.inner.double(1)).rejects.toThrow('inner.double');
  });

  it('names the faults that nothing met', () => {
    faults.fail('add');
    expect(faults.unmet).toEqual(['add']);
  });
});

describe('gates', () => {
  it('hold whoever comes until they open, or fail them', async () => {
    const gate = new DeferredGate();
    const passed = Promise.all([gate.pass(), gate.pass()]);
    await gate.reached;
    expect(gate.arrivals).toBe(2);
    gate.open();
    await passed;
    const broken = new DeferredGate();
    broken.fail(new Error('shut'));
    await expect(broken.pass()).rejects.toThrow('shut');
  });

  it('an inbox resolves with the n-th item', async () => {
    const inbox = new Inbox<number>();
    const two = inbox.atLeast(2);
    inbox.push(1);
    inbox.push(2);
    expect(await two).toEqual([1, 2]);
    const later = deferred<number>();
    later.resolve(3);
    expect(await later.promise).toBe(3);
  });
});
