/** What a history is made of, by its seed: small parts of everything, so that each history is short and all together meet everything. */
import { CURRENT_RULES, type EngineRules, type RunOptions } from '@weft/engine';
import type { SeededRandom } from '@weft/testing';

/** Different workflows; each history takes one or two. */
const WORKFLOWS = 400;
const LIMITS = [undefined, undefined, undefined, 1, 2];
const DEADLINES_MS = [...new Array<undefined>(14).fill(undefined), 4_000, 30_000];
/** Scatters are short here: what is begun ahead must be less. */
const AHEAD = [undefined, 1, 2];
const MAX_ATTEMPTS = 3;

export interface PlannedRun {
  runId: string;
  /** Number of its workflow. */
  workflow: number;
  options: RunOptions;
  /** Absent: as of a log of the first version. */
  rules?: EngineRules | undefined;
  /** Steps of the history before it is submitted. */
  afterSteps: number;
}

export interface Mix {
  runs: PlannedRun[];
  replicas: number;
  projectLimit?: number;
  cache?: { maxBytes: number };
  retentionMs?: number;
  /** Whether runs that have not succeeded are begun again, once the faults have stopped. */
  retries: boolean;
}

export function mixOf(random: SeededRandom): Mix {
  const cache = random.chance(0.4) ? { maxBytes: random.pick([100, 10_000]) } : undefined;
  const first = random.int(0, WORKFLOWS - 1);
  const runs = [runOf(random, 0, first)];
  if (random.chance(0.5)) runs.push(runOf(random, 1, cache && random.chance(0.7) ? first : random.int(0, WORKFLOWS - 1)));
  return {
    runs,
    replicas: random.int(1, 3),
    projectLimit: random.pick(LIMITS),
    cache,
    retentionMs: random.chance(0.3) ? random.int(1_000, 8_000) : undefined,
    retries: random.chance(0.5),
  };
}

function runOf(random: SeededRandom, place: number, workflow: number): PlannedRun {
  const options: RunOptions = {
    noContainer: false,
    maxAttempts: MAX_ATTEMPTS,
    deadlineMs: random.pick(DEADLINES_MS),
    priority: random.int(-1, 1),
    maxParallelTasks: random.pick(LIMITS),
    failureMode: random.chance(0.4) ? 'continue' : 'fail-fast',
    ...(random.chance(0.1) ? { noCache: true } : { cache: true }),
    keepIntermediates: random.chance(0.2),
  };
  const shardsAhead = AHEAD[workflow % AHEAD.length];
  const rules = shardsAhead === undefined ? undefined : { ...CURRENT_RULES, shardsAhead, refillAt: Math.floor(shardsAhead / 2) };
  return { runId: `r-${place}`, workflow, options, rules, afterSteps: place > 0 && random.chance(0.4) ? random.int(20, 400) : 0 };
}
