/**
 * `weft down`: stops the stack of this WEFT_HOME, kept or embedded, and returns when everything has ended. What is under way is kept, and said;
 * `--cancel` ends it first. A stack that does not answer is found by its processes, and these are ended.
 */
import { withSchedulerOf } from '../client/connect.js';
import { followRun } from '../client/follow-run.js';
import type { RunsClient } from '../client/runs-client.js';
import { areKept, namesOf, type Unfinished, unfinishedRuns } from '../client/unfinished.js';
import { CommandError } from '../errors.js';
import { type Home, homeOf } from '../home.js';
import { CANCEL_LIMIT_MS } from '../interrupts.js';
import { type StackConnection, findStack } from '../stack/connect.js';
import { claimState, holderOf, lookAtState } from '../stack/lock/state-claim.js';
import { processState } from '../stack/lock/place.js';
import { patiently } from '../stack/patience.js';
import { type StackProcess, endProcesses, stackProcesses } from '../stack/processes.js';
import { chooseState } from '../stack/state.js';
import { setRedisFilesAside } from '../stack/take-state.js';

export interface DownOptions {
  cancel?: boolean;
  /** Also where another host has the state: that host is gone. */
  force?: boolean;
}

/** Milliseconds that the scheduler gets to say what is under way: a stack that cannot is stopped all the same. */
const ANSWER_MS = 3_000;
/** Milliseconds for a stack to end in order: each program has ten seconds, Redis after the others. */
const STOP_MS = 40_000;

const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);

export async function downCommand(options: DownOptions): Promise<void> {
  const home = homeOf();
  const asked = await askToStop(home, options.cancel === true);
  const state = asked.home ?? (await chooseState(home, say)).home;
  const left = stackProcesses(state).filter(({ foreign }) => !foreign);
  if (left.length > 0) await endLeft(left, asked.how);
  else if (asked.how === 'none') say('no stack is running');
  else say('stopped');
  await tellOfOthers(home, options.force === true);
}

/** By its own means, as far as it answers. */
async function askToStop(home: Home, cancel: boolean): Promise<{ how: 'none' | 'stopped' | 'unanswered'; home?: Home }> {
  let stack: StackConnection | undefined;
  try {
    const stopped = stackProcesses(home).find(({ name, pid }) => name === 'supervisor' && processState(pid) === 'stopped');
    if (stopped !== undefined) throw new CommandError(`the supervisor (pid ${stopped.pid}) is stopped and cannot end its programs`);
    stack = await findStack(home, say);
    if (stack === undefined) return { how: 'none' };
    await settleRuns(stack, cancel);
    stack.send({ type: 'stop' });
    await patiently(stack.closed(), { limitMs: STOP_MS, say, what: () => 'the stack to end its programs' });
    return { how: 'stopped', home: stack.home };
  } catch (error) {
    // It has an answer of its own kind: its processes are ended.
    say((error as Error).message);
    return { how: 'unanswered', home: stack?.home };
  } finally {
    stack?.close();
  }
}

async function settleRuns(stack: StackConnection, cancel: boolean): Promise<void> {
  const status = await stack.status(() => true).catch(() => undefined);
  if (status?.state !== 'ready') return;
  try {
    await withSchedulerOf(
      status,
      () => undefined,
      async (runs) => {
        const unfinished = await within(ANSWER_MS, unfinishedRuns(runs));
        if (unfinished.runs.length === 0) return;
        if (cancel) await within(CANCEL_LIMIT_MS, cancelAll(runs, unfinished));
        else say(areKept(unfinished));
      },
    );
  } catch (error) {
    say(`${cancel ? 'not every run could be cancelled' : 'the scheduler does not say what is under way'}: ${(error as Error).message}`);
  }
}

async function cancelAll(runs: RunsClient, unfinished: Unfinished): Promise<void> {
  for (let page = unfinished; page.runs.length > 0; page = await unfinishedRuns(runs, page.nextPageToken)) {
    for (const { runId } of page.runs) await runs.cancel(runId, 'the stack is stopped (weft down --cancel)');
    for (const { runId } of page.runs) for await (const event of followRun(runs, runId)) void event;
    say(`cancelled ${namesOf(page.runs)}`);
    if (page.nextPageToken === '') return;
  }
}

function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  return patiently(work, { limitMs, say, what: () => 'the scheduler to answer' });
}

async function endLeft(left: StackProcess[], how: 'none' | 'stopped' | 'unanswered'): Promise<void> {
  const names = left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  say(`${how === 'none' ? 'no supervisor answers, but there are' : 'ending'} processes of the stack: ${names}`);
  const stay = await endProcesses(left, say);
  if (stay.length > 0) throw new CommandError(`could not be ended: ${stay.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`);
  say('stopped');
}

async function tellOfOthers(home: Home, force: boolean): Promise<void> {
  const seen = await lookAtState(home);
  if (seen?.verdict !== 'elsewhere' && seen?.verdict !== 'watch') return;
  const holder = holderOf(seen);
  if (!force) {
    return say(
      `the state ${home.root} is in use by ${holder}: \`weft down\` there ends that stack; where that host is gone for good, \`weft down --force\` here frees it`,
    );
  }
  const claim = await claimState(home, seen);
  if (claim === undefined) throw new CommandError(`somebody else took ${home.root} at this moment: look again`);
  setRedisFilesAside(home);
  await claim.release();
  say(`${home.root} was taken from ${holder} and is free`);
}
