/** Who may hold how much, whatever the order in which runs come, grow and go. */
import fc from 'fast-check';
import type { Plan } from '@weft/plan';
import { RunMemory, type RunShare } from './run-memory.js';

const MIB = 1024 * 1024;
const CAPACITY = 100 * MIB;
const NO_PLAN: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: '', processes: {} };
const NOTHING = new RunMemory(CAPACITY).sizeOf(NO_PLAN);
const hasRoom = (memory: RunMemory, project: string, bytes: number): boolean | 'never' =>
  memory.hasRoom(project, { hash: 'another', plan: NO_PLAN }, bytes - NOTHING);
const share = (memory: RunMemory, project: string, bytes: number): RunShare => {
  const of = memory.begin(project, 'h', NO_PLAN);
  of.add(bytes);
  return of;
};

it('one project may have all of it, and not more', () => {
  const memory = new RunMemory(CAPACITY);
  expect(hasRoom(memory, 'a', CAPACITY)).toBe(true);
  expect(hasRoom(memory, 'a', CAPACITY + 1)).toBe('never');
  const run = share(memory, 'a', CAPACITY - MIB);
  expect([run.admits(MIB - NOTHING), run.admits(MIB)]).toEqual([true, false]);
  expect([hasRoom(memory, 'a', MIB / 2), hasRoom(memory, 'a', 2 * MIB)]).toEqual([true, false]);
});

it('another has its share although there is none left', () => {
  const memory = new RunMemory(CAPACITY);
  const first = share(memory, 'a', CAPACITY - NOTHING);
  expect(hasRoom(memory, 'b', CAPACITY / 2)).toBe(true);
  expect(hasRoom(memory, 'b', CAPACITY / 2 + 1)).toBe(false);
  const second = share(memory, 'b', CAPACITY / 4);
  expect([first.admits(MIB), second.admits(MIB), second.admits(CAPACITY / 3)]).toEqual([false, true, false]);
  first.end();
  expect([second.admits(CAPACITY / 3), hasRoom(memory, 'a', CAPACITY / 3)]).toEqual([true, true]);
});

it('what is small goes on where there is no room, up to twice the capacity', () => {
  const memory = new RunMemory(CAPACITY);
  const runs = [share(memory, 'a', CAPACITY * 0.99), share(memory, 'a', CAPACITY * 0.99)];
  expect(runs.map((run) => [run.admits(1_000), run.admits(MIB)])).toEqual([
    [true, false],
    [true, false],
  ]);
  share(memory, 'b', CAPACITY / 20);
  expect(runs.map((run) => run.admits(1_000))).toEqual([false, false]);
});

it('a run that holds all that one may is refused, however small it is', () => {
  const memory = new RunMemory(CAPACITY);
  expect(share(memory, 'a', CAPACITY).admits(1)).toBe(false);
});

it('a plan that runs of a project share counts once, until the last of them has gone', () => {
  const memory = new RunMemory(CAPACITY);
  const plan: Plan = { ...NO_PLAN, root: 'x'.repeat(MIB) };
  const [first, second, other] = [memory.begin('a', 'p', plan), memory.begin('a', 'p', plan), memory.begin('b', 'p', plan)];
  expect(memory.held).toBe(2 * memory.sizeOf(plan));
  first.end();
  first.end();
  expect(memory.held).toBe(2 * memory.sizeOf(plan));
  second.end();
  expect(memory.held).toBe(memory.sizeOf(plan));
  other.end();
  expect(memory.held).toBe(0);
});

it('a plan that the project has is not asked for again', () => {
  const memory = new RunMemory(CAPACITY);
  const plan: Plan = { ...NO_PLAN, root: 'x'.repeat(CAPACITY * 0.6) };
  memory.begin('a', 'p', plan);
  expect(memory.hasRoom('a', { hash: 'p', plan }, MIB)).toBe(true);
  expect(memory.hasRoom('a', { hash: 'q', plan }, MIB)).toBe(false);
});

it('nobody within their share is refused, the sum stays within its bounds, and nothing is held of runs that have gone', () => {
  const step = fc.record({
    project: fc.constantFrom('a', 'b', 'c', 'd'),
    what: fc.constantFrom('begin', 'grow', 'grow', 'end'),
    bytes: fc.oneof(fc.nat(2 * 64 * 1024), fc.nat(CAPACITY / 4), fc.nat(2 * CAPACITY)),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const memory = new RunMemory(CAPACITY);
      const runs: { project: string; share: RunShare; own: number }[] = [];
      const heldBy = (project: string): number => runs.reduce((sum, run) => sum + (run.project === project ? run.own : 0), 0);
      for (const { project, what, bytes, which } of steps) {
        const projects = new Set(runs.map((run) => run.project)).add(project).size;
        const of = runs[which % Math.max(1, runs.length)];
        if (what === 'begin' && hasRoom(memory, project, bytes) === true) {
          runs.push({ project, share: share(memory, project, bytes), own: bytes });
        } else if (what === 'begin') {
          expect(heldBy(project) + bytes + NOTHING).toBeGreaterThan(CAPACITY / projects);
        } else if (what === 'end' && of) {
          of.share.end();
          runs.splice(runs.indexOf(of), 1);
        } else if (of?.share.admits(bytes)) {
          of.share.add(bytes);
          of.own += bytes;
          expect(of.own).toBeLessThanOrEqual(CAPACITY);
        } else if (of && of.own + bytes + NOTHING <= CAPACITY) {
          const here = new Set(runs.map((run) => run.project)).size;
          expect(heldBy(of.project) + bytes + NOTHING).toBeGreaterThan(CAPACITY / here);
        }
        const here = new Set(runs.map((run) => run.project)).size;
        expect(memory.held).toBe(runs.reduce((sum, run) => sum + run.own, 0) + here * NOTHING);
        // Shares were greater while projects were fewer: one, a half, a third and a quarter.
        expect(memory.held).toBeLessThanOrEqual(CAPACITY * (2 + 1 / 2 + 1 / 3 + 1 / 4) + here * NOTHING);
      }
    }),
  );
});
