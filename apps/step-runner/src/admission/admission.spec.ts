import fc from 'fast-check';
import { Admission } from './admission.js';
import { diskCapacity } from './disk-capacity.js';
import { gpuIds } from './host.js';

const need = (cores: number, diskBytes = 0) => ({ cores, ramBytes: 0, diskBytes, gpus: 0 });

describe('admission of attempts', () => {
  it('answers at once where there is room, and later where there is not', async () => {
    const admission = new Admission({ cores: 1, ramBytes: 1, devices: [], disk: { totalBytes: 1 } });
    const never = (): never => {
      throw new Error('refused');
    };
    expect(admission.ask('a', need(1), never)).toEqual({ devices: [] });
    const [b, c] = [admission.ask('b', need(1), never), admission.ask('c', need(1), never)];
    expect(admission.report()).toMatchObject({ inUse: { cores: 1 }, admitted: 1, waiting: 2 });
    admission.leave('b');
    expect(await b).toBeUndefined();
    admission.leave('a');
    expect(await c).toEqual({ devices: [] });
  });

  it('looks at the disk again, and refuses who waits for one that has become too small', async () => {
    let free = 100;
    const admission = new Admission({ cores: 9, ramBytes: 1, devices: [], disk: { freeBytes: () => free } });
    const refused: string[] = [];
    const note = (reason: string): void => void refused.push(reason);
    void admission.ask('a', need(1, 60), note);
    const b = admission.ask('b', need(1, 60), note);
    void admission.ask('c', need(1, 40), note);
    free = 30;
    expect(admission.report()).toMatchObject({ capacity: { diskBytes: 100 }, waiting: 1 });
    // What `a` had reserved did not come back: something else has filled the disk.
    admission.leave('a');
    expect(admission.report()).toMatchObject({ capacity: { diskBytes: 70 }, waiting: 1 });
    free = 15;
    expect(admission.report()).toMatchObject({ capacity: { diskBytes: 55 }, waiting: 0 });
    expect(refused).toEqual([expect.stringContaining('of disk')]);
    expect(admission.refusal(need(1, 56))).toBeDefined();
    expect(b).toBeInstanceOf(Promise);
  });
});

describe('the size of the disk', () => {
  it('is known exactly where nothing is reserved, and never outside of what can be', () => {
    const bytes = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(bytes, bytes, bytes, (known, free, reserved) => {
        expect(diskCapacity(known, free, 0)).toBe(free);
        const size = diskCapacity(known, free, reserved);
        expect(size).toBeGreaterThanOrEqual(free);
        expect(size).toBeLessThanOrEqual(free + reserved);
      }),
    );
  });

  it('stays what it was while a task writes what it reserved', () => {
    expect([100, 70, 40].map((free) => diskCapacity(100, free, 60))).toEqual([100, 100, 100]);
  });
});

it.each([
  ['', []],
  ['No devices were found\n', []],
  ['GPU 0: NVIDIA A100 (UUID: GPU-6f1a)\n  MIG 1g.5gb Device 0: (UUID: MIG-1)\nGPU 1: Tesla T4\n', ['GPU-6f1a', '1']],
])('reads the GPUs of %j', (listing, ids) => expect(gpuIds(listing)).toEqual(ids));
