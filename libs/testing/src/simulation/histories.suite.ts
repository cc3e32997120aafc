/**
 * A simulation as a test: WEFT_SIM_HISTORIES says how many histories (10,000 by default), WEFT_SIM_SEED names one to be looked at, and
 * WEFT_SIM_WITHOUT leaves troubles out of it.
 */
import type { BrokenHistory } from './histories.js';
import { simulate } from './simulation-processes.js';

const DEFAULT_HISTORIES = 10_000;
/** The end of a history is where it broke. */
const LINES_SHOWN = 400;
const MAX_MS = 1_200_000;

export interface SeededHistories {
  /** Calls `serveHistories`. */
  program: URL;
  /** Command that runs this test alone. */
  replay: string;
}

export function seededHistories({ program, replay }: SeededHistories): void {
  const { WEFT_SIM_SEED: seed, WEFT_SIM_HISTORIES: count, WEFT_SIM_WITHOUT: without = '' } = process.env;
  const [from, to] = seed === undefined ? [1, Number(count ?? DEFAULT_HISTORIES)] : [Number(seed), Number(seed)];
  it(
    `keeps every property in ${seed === undefined ? `${to} seeded histories` : `history ${seed}`}`,
    async () => {
      const verdict = await simulate(program, { from, to, without: without.split(',').filter((trouble) => trouble !== '') });
      if (verdict.broken.length > 0) throw new Error(verdict.broken.map((history) => told(history, replay)).join('\n\n'));
      expect(verdict.histories).toBe(to - from + 1);
      expect(verdict.steps).toBeGreaterThan(verdict.histories);
    },
    MAX_MS,
  );
}

function told({ seed, message, without, journal }: BrokenHistory, replay: string): string {
  const skipped = Math.max(0, journal.length - LINES_SHOWN);
  return [
    `seed ${seed}: ${message}`,
    ...(skipped > 0 ? [`(${skipped} lines before)`] : []),
    ...journal.slice(skipped),
    `replay: WEFT_SIM_SEED=${seed}${without.length > 0 ? ` WEFT_SIM_WITHOUT=${without.join(',')}` : ''} ${replay}`,
  ].join('\n');
}
