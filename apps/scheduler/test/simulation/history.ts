/**
 * One history: some runs, several replicas and runners, and everything that can go wrong with them, in an order that the seed decides.
 * First with faults, then without; in the end every property is checked.
 */
import type { RunOptions } from '@weft/engine';
import { canonicalJson } from '@weft/plan';
import { type HistoryOptions, keepOnce, SeededRandom } from '@weft/testing';
import { type Mix, mixOf } from './mix.js';
import { endingOf, type Ending, type Expected } from './outcome.js';
import type { Surroundings } from './replica.js';
import type { KnownWorkflow, SimulatedRun } from './simulated-run.js';
import { Story } from './story.js';
import { randomWorkflow } from './workflows.js';

export interface History {
  steps: number;
  /** Everything the logs hold. */
  logs: string;
}

/** What a test of the properties themselves breaks. */
export interface Tampering {
  mix?(mix: Mix): void;
  before?(around: Surroundings): void;
  after?(around: Surroundings, runs: SimulatedRun[]): void;
}

const workflows = new Map<number, KnownWorkflow>();
const undisturbed = new Map<string, Promise<Expected>>();

/** Rejects with PropertyViolation. */
export async function runHistory(seed: number, { without, journal }: HistoryOptions, tampering: Tampering = {}): Promise<History> {
  const random = new SeededRandom(seed);
  const mix = mixOf(random);
  tampering.mix?.(mix);
  const runs: SimulatedRun[] = [];
  for (const { workflow: number, options, ...run } of mix.runs) {
    const workflow = workflowOf(number);
    runs.push({ ...run, options, workflow, expected: await undisturbedEnd(number, workflow, options.failureMode) });
  }
  const story = new Story(random, mix, runs, { without, journal });
  tampering.before?.(story.around);
  story.begin();
  await story.disturbed();
  await story.calm();
  tampering.after?.(story.around, runs);
  await story.check();
  const logs = canonicalJson(runs.map(({ runId }) => story.around.monitor.runOf(runId)?.log) as never);
  return { steps: story.world.steps, logs };
}

function workflowOf(number: number): KnownWorkflow {
  const known = workflows.get(number);
  if (known) return known;
  const made = randomWorkflow(new SeededRandom(number));
  // One plan for all histories: what is derived from it is derived once.
  const workflow = { ...made, plan: keepOnce(made.plan), planHash: `plan${number}` };
  workflows.set(number, workflow);
  return workflow;
}

function undisturbedEnd(number: number, workflow: KnownWorkflow, failureMode: RunOptions['failureMode']): Promise<Expected> {
  const key = `${number} ${failureMode}`;
  const known = undisturbed.get(key) ?? simulateUndisturbed(number, workflow, failureMode);
  undisturbed.set(key, known);
  return known;
}

const NOTHING: Ending = { status: 'succeeded', outputs: {}, succeeded: 0 };

/** The same parts, one replica, nothing lost, everything in order: once to its end, and once more where it did not succeed. */
async function simulateUndisturbed(number: number, workflow: KnownWorkflow, failureMode: RunOptions['failureMode']): Promise<Expected> {
  const options: RunOptions = { noContainer: false, maxAttempts: 3, failureMode };
  const run: SimulatedRun = { runId: 'r-0', workflow, options, afterSteps: 0, expected: { first: NOTHING, retried: NOTHING } };
  const story = new Story(new SeededRandom(number), { runs: [], replicas: 1, retries: false }, [run], { without: new Set() });
  story.world.orderly = true;
  story.begin();
  const end = async (): Promise<Ending> => {
    await story.calm();
    story.around.monitor.check();
    const logged = story.around.monitor.runOf(run.runId);
    if (logged?.log.at(-1)?.event.type !== 'RunEnded') throw new Error(`workflow ${number} does not end undisturbed`);
    return endingOf(logged);
  };
  const first = await end();
  if (first.status === 'succeeded') return { first, retried: first };
  await story.during(story.retry(run.runId));
  return { first, retried: await end() };
}
