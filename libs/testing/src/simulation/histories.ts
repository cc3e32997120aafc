/**
 * Many histories of a simulation, one seed each, in a process of their own; and what is said of one that breaks a property.
 *
 * Invariant: seed, troubles left out and commit decide a history; nothing else does.
 */
import { Journal } from './journal.js';
import { PropertyViolation } from './properties.js';
import { shrink } from './shrink.js';
import { WORLD_BEGINS_MS } from './virtual-world.js';

export interface HistoryOptions {
  /** Troubles that do not happen in it. */
  without: ReadonlySet<string>;
  journal?: Journal;
}

export interface Simulation {
  /** What can go wrong, by name: the heaviest first. */
  troubles: readonly string[];
  /** One history to its end. Rejects with PropertyViolation, or with what broke the simulation itself. */
  run(seed: number, options: HistoryOptions): Promise<{ steps: number }>;
}

/** Seeds `from`, `from + stride`, … up to `to`. */
export interface Assignment {
  from: number;
  to: number;
  stride: number;
  without: string[];
}

export interface BrokenHistory {
  seed: number;
  message: string;
  /** Troubles that it does not take, and what happened without them. */
  without: string[];
  journal: string[];
}

export interface Verdict {
  histories: number;
  steps: number;
  broken: BrokenHistory[];
}

/** A simulation with many broken histories has said enough. */
const MOST_BROKEN = 5;

export async function runHistories(simulation: Simulation, { from, to, stride, without }: Assignment): Promise<Verdict> {
  const verdict: Verdict = { histories: 0, steps: 0, broken: [] };
  const left = new Set(without);
  for (let seed = from; seed <= to && verdict.broken.length < MOST_BROKEN; seed += stride) {
    verdict.histories += 1;
    try {
      verdict.steps += (await simulation.run(seed, { without: left })).steps;
    } catch (error) {
      verdict.broken.push(await describeBroken(simulation, seed, left, error));
    }
  }
  return verdict;
}

async function describeBroken(simulation: Simulation, seed: number, without: ReadonlySet<string>, error: unknown): Promise<BrokenHistory> {
  const breaksAlike = async (also: ReadonlySet<string>): Promise<boolean> => {
    const other = await failureOf(simulation, seed, { without: new Set([...without, ...also]) });
    return other instanceof PropertyViolation && error instanceof PropertyViolation && other.property === error.property;
  };
  const needless = await shrink(
    simulation.troubles.filter((trouble) => !without.has(trouble)),
    breaksAlike,
  );
  const journal = new Journal(WORLD_BEGINS_MS);
  const smallest = new Set([...without, ...needless]);
  const failure = (await failureOf(simulation, seed, { without: smallest, journal })) ?? error;
  return { seed, message: textOf(failure), without: [...smallest], journal: journal.lines };
}

async function failureOf(simulation: Simulation, seed: number, options: HistoryOptions): Promise<unknown> {
  try {
    await simulation.run(seed, options);
    return undefined;
  } catch (error) {
    return error;
  }
}

function textOf(error: unknown): string {
  return error instanceof PropertyViolation ? error.message : ((error as Error).stack ?? String(error));
}

/** For the program of a simulation: takes its assignment as JSON from the command line and writes its verdict as JSON to stdout. */
export async function serveHistories(simulation: Simulation, [assignment = '{}']: string[] = process.argv.slice(2)): Promise<void> {
  const verdict = await runHistories(simulation, JSON.parse(assignment) as Assignment);
  process.stdout.write(`${JSON.stringify(verdict)}\n`, () => process.exit(0));
}
