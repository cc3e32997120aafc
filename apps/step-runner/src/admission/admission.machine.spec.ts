import fc from 'fast-check';
import { type AdmissionEvent, type AdmissionState, type Amounts, decideAdmission, initialAdmission } from './admission.machine.js';

const PATIENCE_MS = 30;
const need = (cores: number, more: Partial<Amounts> = {}): Amounts => ({ cores, ramBytes: 0, diskBytes: 0, gpus: 0, ...more });
const host = (devices: string[] = []): AdmissionState =>
  initialAdmission({ cores: 4, ramBytes: 1024 ** 3, diskBytes: 100, devices }, PATIENCE_MS);

/** Plays events and tells what was admitted ("+key"), with its devices, and refused ("-key"), in order. */
function play(events: AdmissionEvent[], from = host()): { said: string[]; state: AdmissionState } {
  let state = from;
  const said: string[] = [];
  for (const event of events) {
    const decision = decideAdmission(state, event);
    state = decision.state;
    for (const { key, devices } of decision.admitted) said.push(['+' + key, ...devices].join(' '));
    for (const { key, reason } of decision.refused) said.push(`-${key} ${reason}`);
  }
  return { said, state };
}

const ask = (key: string, amounts: Amounts | number, nowMs = 0): AdmissionEvent => ({
  ...{ type: 'ask', key, nowMs },
  need: typeof amounts === 'number' ? need(amounts) : amounts,
});
const leave = (key: string, nowMs = 0): AdmissionEvent => ({ type: 'leave', key, nowMs });
const adopt = (key: string, amounts: Amounts, devices: string[] = []): AdmissionEvent => ({ type: 'adopt', key, need: amounts, devices });
const disk = (diskBytes: number): AdmissionEvent => ({ type: 'disk', diskBytes, nowMs: 0 });

describe('admission', () => {
  it.each<[string, AdmissionEvent[], string[]]>([
    ['admits what fits', [ask('a', 3), ask('b', 1), ask('c', 1)], ['+a', '+b']],
    ['admits whoever waits when something ends, oldest first', [ask('a', 4), ask('b', 2), ask('c', 1), leave('a')], ['+a', '+b', '+c']],
    ['lets small ones pass', [ask('a', 3), ask('b', 2), ask('c', 1), leave('c'), ask('d', 1)], ['+a', '+c', '+d']],
    [
      'keeps room for the oldest once it has waited long enough',
      [ask('a', 2), ask('b', 1), ask('large', 4), ask('c', 1, 29), leave('b', 30), ask('d', 1, 31), leave('a', 32), leave('c', 33)],
      ['+a', '+b', '+c', '+large'],
    ],
    [
      'still admits beside it what cannot delay it',
      [ask('a', 3), ask('large', 3), leave('none', 30), ask('b', 1, 31), ask('c', 1, 32), leave('b', 33), leave('a', 34)],
      ['+a', '+b', '+c', '+large'],
    ],
    [
      'turns to the next oldest after that',
      [ask('a', 4), ask('b', 3), ask('c', 3), leave('a', 30), ask('d', 1, 31), ask('e', 1, 32), leave('b', 33), ask('f', 2, 34)],
      ['+a', '+b', '+d', '+c'],
    ],
    ['takes whoever leaves out of the queue', [ask('a', 4), ask('b', 1), leave('b'), leave('a')], ['+a']],
    [
      'lets others go when the oldest, for whom room is kept, leaves',
      [ask('a', 3), ask('b', 2), ask('c', 1, 31), leave('b', 32)],
      ['+a', '+c'],
    ],
    ['does not mind who is not known', [leave('x')], []],
    [
      'refuses what can never fit, in words',
      [ask('a', need(8, { ramBytes: 2 * 1024 ** 3, gpus: 1 })), ask('b', 1)],
      [
        '-a needs 8 cores; this runner has 4 cores and 2 GiB of memory; this runner has 1 GiB of memory and 1 GPUs; this runner has 0 GPUs',
        '+b',
      ],
    ],
    ['admits nothing beyond what was adopted', [adopt('old', need(6)), ask('a', 1), leave('old')], ['+a']],
    ['admits what needs nothing, however full it is', [adopt('old', need(6)), ask('a', 0)], ['+a']],
    [
      'measures the disk again while tasks wait for it',
      [ask('a', need(1, { diskBytes: 90 })), ask('b', need(1, { diskBytes: 20 })), disk(110)],
      ['+a', '+b'],
    ],
    [
      'refuses what waits for a disk that has become too small',
      [ask('a', need(1, { diskBytes: 90 })), ask('b', need(1, { diskBytes: 20 })), disk(10)],
      ['+a', '-b needs 0 GiB of disk; this runner has 0 GiB of disk'],
    ],
    [
      'adds fractions of cores without losing any',
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => ask(`t${i}`, 0.4)),
      Array.from({ length: 10 }, (_, i) => `+t${i}`),
    ],
  ])('%s', (_what, events, said) => {
    expect(play(events).said).toEqual(said);
  });

  it('gives every GPU to one attempt at a time, those of adopted attempts included', () => {
    const gpus = (count: number): Amounts => need(0, { gpus: count });
    const events = [
      adopt('old', gpus(1), ['G1']),
      ask('a', gpus(1)),
      ask('b', gpus(2)),
      ask('c', gpus(1)),
      leave('old'),
      leave('a'),
      leave('c'),
    ];
    expect(play(events, host(['G0', 'G1', 'G2'])).said).toEqual(['+a G0', '+c G2', '+b G0 G1']);
  });

  it('treats an attempt that asks twice as a bug', () => {
    expect(() => play([ask('a', 4), ask('a', 4)])).toThrow('a asks twice');
    expect(() => play([ask('a', 4), ask('b', 4), ask('b', 4)])).toThrow('b asks twice');
  });
});

/** A history: tasks of many sizes arrive, leave the queue, end, in any order. */
const step = fc.record({
  act: fc.constantFrom('ask', 'ask', 'ask', 'end', 'end', 'give up'),
  cores: fc.integer({ min: 0, max: 10 }).map((halves) => halves / 2),
  ramBytes: fc.integer({ min: 0, max: 10 }),
  gpus: fc.integer({ min: 0, max: 3 }),
  choice: fc.nat(),
  waitMs: fc.integer({ min: 0, max: 20 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class History {
  state = initialAdmission({ cores: 4, ramBytes: 8, diskBytes: 0, devices: ['G0', 'G1'] }, PATIENCE_MS);
  readonly running = new Map<string, readonly string[]>();
  nowMs = 0;
  private tasks = 0;

  apply(event: AdmissionEvent): void {
    const { state, admitted, refused } = decideAdmission(this.state, event);
    this.state = state;
    for (const { key, devices } of admitted) this.running.set(key, devices);
    if (event.type === 'leave') this.running.delete(event.key);
    const total = 'need' in event ? event.need : need(0);
    const impossible = total.cores > 4 || total.ramBytes > 8 || total.gpus > 2;
    expect(refused).toHaveLength(event.type === 'ask' && impossible ? 1 : 0);
  }

  take({ act, cores, ramBytes, gpus, choice, waitMs }: Step): void {
    this.nowMs += waitMs;
    const pick = (keys: string[]): string => keys[choice % Math.max(1, keys.length)] ?? 'nobody';
    if (act === 'ask') this.apply({ type: 'ask', key: `t${++this.tasks}`, need: need(cores, { ramBytes, gpus }), nowMs: this.nowMs });
    else {
      const key = pick(act === 'end' ? [...this.running.keys()] : this.state.waiting.map((waiting) => waiting.key));
      this.apply({ type: 'leave', key, nowMs: this.nowMs });
    }
  }
}

describe('whatever comes and goes', () => {
  it('never holds more than there is, nor a GPU twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const history = new History();
        for (const one of steps) {
          history.take(one);
          const held = history.state.inUse;
          expect(held.cores).toBeLessThanOrEqual(4);
          expect(held.ramBytes).toBeLessThanOrEqual(8);
          const cores = [...history.state.held.values()].reduce((sum, share) => sum + share.need.cores, 0);
          expect(held.cores).toBeCloseTo(cores);
          const devices = [...history.running.values()].flat();
          expect(new Set(devices).size).toBe(devices.length);
          expect(devices).toHaveLength(held.gpus);
        }
      }),
    );
  });

  it('lets nobody wait who fits, but for the sake of one who has waited long', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const history = new History();
        for (const one of steps) {
          history.take(one);
          if (history.state.kept) continue;
          const held = history.state.inUse;
          for (const { need: wanted } of history.state.waiting) {
            const fits =
              (wanted.cores === 0 || held.cores + wanted.cores <= 4) &&
              (wanted.ramBytes === 0 || held.ramBytes + wanted.ramBytes <= 8) &&
              (wanted.gpus === 0 || held.gpus + wanted.gpus <= 2);
            expect(fits).toBe(false);
          }
        }
      }),
    );
  });

  it('nobody starves: from the moment room is kept for it, the oldest begins as soon as what ran then has ended, whatever else comes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 40 }), (before, after) => {
        const history = new History();
        for (const one of before) history.take(one);
        const oldest = history.state.waiting[0]?.key;
        fc.pre(oldest !== undefined);
        history.nowMs += PATIENCE_MS;
        history.apply({ type: 'leave', key: 'nobody', nowMs: history.nowMs });
        const ranThen = [...history.running.keys()];
        // Newcomers come and stay for ever; nothing ends but what ran then.
        for (const one of after) history.take({ ...one, act: 'ask' });
        for (const key of ranThen) history.apply({ type: 'leave', key, nowMs: history.nowMs });
        expect(history.running.has(oldest ?? '')).toBe(true);
      }),
    );
  });

  it('everything that fits into the empty host begins in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const history = new History();
        for (const one of steps) history.take(one);
        while (history.running.size > 0) {
          const [first] = history.running.keys();
          history.apply({ type: 'leave', key: first ?? '', nowMs: history.nowMs });
        }
        expect(history.state.waiting).toEqual([]);
      }),
    );
  });
});
