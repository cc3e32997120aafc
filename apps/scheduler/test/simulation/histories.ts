/**
 * Seeded histories of the scheduler: WEFT_SIM_HISTORIES says how many (default 10,000), WEFT_SIM_SEED replays one.
 * They are in two halves, each a test file of its own, so that two cores work on them.
 */
import { runHistory } from './history.js';

const DEFAULT_HISTORIES = 10_000;
const BATCHES = 20;
const HALVES = 2;
const REPLAY = 'NODE_OPTIONS=--experimental-vm-modules npx jest apps/scheduler/test/simulation --selectProjects unit';

async function histories(from: number, to: number): Promise<number> {
  let steps = 0;
  for (let seed = from; seed <= to; seed++) {
    try {
      steps += (await runHistory(seed)).steps;
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\nreplay: WEFT_SIM_SEED=${seed} ${REPLAY}`, { cause: error });
    }
  }
  return steps;
}

/** The tests of one half, 0 or 1; a single history that is replayed belongs to the first. */
export function testHistories(half: number): void {
  const seed = process.env['WEFT_SIM_SEED'];
  if (seed !== undefined) {
    const mine = half === 0;
    it(mine ? `keeps every property in history ${seed}` : 'leaves the replay to the first half', async () => {
      expect(mine ? await histories(Number(seed), Number(seed)) : 1).toBeGreaterThan(0);
    });
    return;
  }
  const total = Number(process.env['WEFT_SIM_HISTORIES'] ?? DEFAULT_HISTORIES);
  const size = Math.ceil(total / BATCHES);
  const batches = Array.from({ length: BATCHES }, (_, batch): [number, number] => [batch * size + 1, Math.min(total, (batch + 1) * size)]);
  describe(`${total} seeded histories keep every property, half ${half + 1} of ${HALVES}`, () => {
    it.each(batches.filter(([from, to], batch) => batch % HALVES === half && from <= to))(
      'seeds %i to %i',
      async (from, to) => {
        expect(await histories(from, to)).toBeGreaterThan(0);
      },
      600_000,
    );
  });
}
