/**
 * A stack that belongs to this process: its supervisor's stdin is a pipe that only this process holds, so that it ends with it, however that ends.
 */
import type { Socket } from 'node:net';
import { CommandError } from '../errors.js';
import { type Home, homeOf } from '../home.js';
import { type Settings, type StackConnection, connectOrStart, connectToStack, ensureRedis, findStack, startSupervisor } from './connect.js';
import { holderOf, lookAtState } from './lock/state-claim.js';
import { patiently } from './patience.js';
import { type PrivateReason, privateReason } from './private-reason.js';
import { MOST_PRIVATE, privateState, stateOfRun } from './private-states.js';

type Say = (line: string) => void;

/** Milliseconds for a stack to end after it was asked to. */
const END_MS = 60_000;

const owned: { connection: StackConnection; pipe: Socket; ended: Promise<void> }[] = [];

export function isOwned(connection: StackConnection): boolean {
  return owned.some((one) => one.connection === connection);
}

export interface Wish {
  settings?: Settings;
  /** The run that the command is about: it is where it was submitted. */
  runId?: string;
  /** `--private`. */
  asked?: boolean;
  /** Errors only. */
  quiet?: boolean;
}

/** The stack for a command: one that others use, too, or one that ends with it. */
export async function openStack(say: Say, { settings, runId, asked, quiet }: Wish = {}): Promise<StackConnection> {
  const home = homeOf();
  const recorded = runId === undefined ? undefined : stateOfRun(home, runId);
  if (recorded !== undefined) return (await findStack(recorded, say)) ?? openOwned(recorded, home, say, runId ?? '');
  const reason = privateReason(process.env, asked);
  if (reason === undefined) return connectOrStart(home, say, settings);
  const running = await usableAnyway(home, say, reason, runId);
  if (running !== undefined) return running;
  if (runId !== undefined) return openOwned(home, home, say, runId);
  if (!reason.asked && !quiet)
    say(`${reason.text}: this command has a stack of its own, which ends with it (WEFT_PRIVATE=0: one that stays for the next)`);
  return openPrivate(home, say);
}

/** What somebody has started to stay, where a private stack was not asked for; and the stack that has the run. */
async function usableAnyway(home: Home, say: Say, reason: PrivateReason, runId: string | undefined): Promise<StackConnection | undefined> {
  if (reason.asked && runId === undefined) return undefined;
  const running = await findStack(home, say);
  if (running === undefined || runId !== undefined || running.known?.kept === true) return running;
  running.close();
  return undefined;
}

/** In the first private state that nobody uses, here or on another host. */
async function openPrivate(home: Home, say: Say): Promise<StackConnection> {
  for (let number = 1; number <= MOST_PRIVATE; number += 1) {
    const state = privateState(home, number);
    const running = await connectToStack(state);
    running?.close();
    const connection = running === undefined ? await tryOwned(state, home, say) : undefined;
    if (connection !== undefined) return connection;
  }
  throw new CommandError(
    `${MOST_PRIVATE} private stacks of ${home.root} are in use: wait for one to end, or set WEFT_HOME to another directory`,
  );
}

async function openOwned(state: Home, home: Home, say: Say, runId: string): Promise<StackConnection> {
  const opened = await tryOwned(state, home, say);
  if (opened !== undefined) return opened;
  // Somebody was quicker.
  const running = await findStack(state, say);
  if (running !== undefined) return running;
  const holder = holderOf(await lookAtState(state));
  throw new CommandError(`run ${runId} is in ${state.root}, which is in use by ${holder}: go on there, or wait for its end`);
}

/** Undefined: the state is in use. */
async function tryOwned(state: Home, home: Home, say: Say): Promise<StackConnection | undefined> {
  const seen = await lookAtState(state);
  if (seen !== undefined && seen.verdict !== 'free' && seen.verdict !== 'dead') return undefined;
  ensureRedis(say);
  const { word, pipe, ended } = await startSupervisor({ home: state, seen, silent: false }, home, 'owned', say);
  if (word !== 'listening' || pipe === undefined) return undefined;
  const connection = await connectToStack(state);
  if (connection === undefined) throw new Error(`the stack of ${state.root} starts but does not answer`);
  connection.startedHere = true;
  owned.push({ connection, pipe, ended });
  return connection;
}

/** Ends what belongs to this process, and waits for the end: nothing of it is there when the command returns. */
export async function endOwned(say: Say): Promise<void> {
  for (const { connection, pipe, ended } of owned.splice(0)) {
    const what = (): string => `this command's own stack to end (pid ${connection.known?.pid})`;
    pipe.end();
    await patiently(ended, { limitMs: END_MS, say, what }).catch((error: Error) => say(error.message));
  }
}
