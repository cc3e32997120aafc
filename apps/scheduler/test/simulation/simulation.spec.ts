/**
 * Seeded histories of the scheduler: WEFT_SIM_HISTORIES says how many (default 10,000), WEFT_SIM_SEED replays one.
 */
import { runHistory } from './history.js';

const DEFAULT_HISTORIES = 10_000;
const BATCHES = 20;
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

const seed = process.env['WEFT_SIM_SEED'];
if (seed !== undefined) {
  it(`keeps every property in history ${seed}`, async () => {
    expect(await histories(Number(seed), Number(seed))).toBeGreaterThan(0);
  });
} else {
  const total = Number(process.env['WEFT_SIM_HISTORIES'] ?? DEFAULT_HISTORIES);
  const size = Math.ceil(total / BATCHES);
  describe(`${total} seeded histories keep every property`, () => {
    it.each(Array.from({ length: BATCHES }, (_, batch) => [batch * size + 1, Math.min(total, (batch + 1) * size)]))(
      'seeds %i to %i',
      async (from, to) => {
        expect(await histories(from, to)).toBeGreaterThan(0);
      },
      600_000,
    );
  });
}
