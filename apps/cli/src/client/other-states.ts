/**
 * A home may hold the runs of several hosts, and those of private stacks, each in a state of its own (stack/state.ts, stack/private-states.ts). A
 * run that is not in this one is looked for in the others, by the files that it has there, and the answer says where to ask.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError, isServiceError } from '@weft/platform/client';
import type { Home } from '../home.js';
import { holderOf } from '../stack/lock/state-claim.js';
import { privateStates, stateOfRun } from '../stack/private-states.js';
import { allStates } from '../stack/state.js';
import type { RunsClient } from './runs-client.js';

const SHOWN = 3;

/** The other states of the home, in a sentence; undefined where there are none. */
export async function otherStates(asked: Home, current: Home): Promise<string | undefined> {
  const others = (await allStates(asked)).filter(({ home }) => home.root !== current.root);
  const hosts = others.map(({ home, seen }) => `${at(home)} (${holderOf(seen)})`);
  const own = privateStates(asked).filter(({ root }) => root !== current.root);
  const more = own.length > SHOWN ? `, and ${own.length - SHOWN} more beside` : '';
  const missing = [
    ...(hosts.length > 0 ? [`runs of other hosts: ${hosts.join(', ')}`] : []),
    ...(own.length > 0 ? [`runs of private stacks: ${own.slice(0, SHOWN).map(at).join(', ')}${more}`] : []),
  ];
  return missing.length > 0 ? `not shown here are ${missing.join('; ')}` : undefined;
}

function at({ root }: Home): string {
  return `WEFT_HOME=${root}`;
}

export function lookingElsewhere(runs: RunsClient, asked: Home, current: Home): RunsClient {
  const explain = async (error: unknown, runId: string): Promise<never> => {
    throw isServiceError(error) && error.code === 'NOT_FOUND' ? ((await found(asked, current, runId)) ?? error) : error;
  };
  const call = <T>(work: Promise<T>, runId: string): Promise<T> => work.catch((error: unknown) => explain(error, runId));
  async function* stream<T>(work: AsyncIterable<T>, runId: string): AsyncGenerator<T, void, undefined> {
    try {
      yield* work;
    } catch (error) {
      await explain(error, runId);
    }
  }
  return {
    ...runs,
    get: (runId) => call(runs.get(runId), runId),
    tasks: (runId, pageToken) => call(runs.tasks(runId, pageToken), runId),
    cancel: (runId, reason) => call(runs.cancel(runId, reason), runId),
    retry: (runId) => call(runs.retry(runId), runId),
    remove: (runId, logsOnly) => call(runs.remove(runId, logsOnly), runId),
    watch: (runId, after, signal) => stream(runs.watch(runId, after, signal), runId),
    logs: (query, signal) => stream(runs.logs(query, signal), query.runId),
  };
}

async function found(asked: Home, current: Home, runId: string): Promise<ServiceError | undefined> {
  const own = stateOfRun(asked, runId);
  if (own !== undefined && own.root !== current.root)
    return new ServiceError('NOT_FOUND', `run ${runId} is not in ${current.root}, but in a private stack's: call weft with ${at(own)}`);
  const others = (await allStates(asked)).filter(({ home }) => home.root !== current.root);
  const state = others.find(({ home }) => hasFilesOf(home, runId));
  if (state === undefined) return undefined;
  const { root } = state.home;
  return new ServiceError(
    'NOT_FOUND',
    `run ${runId} is not in ${current.root}, but in the state of ${holderOf(state.seen)}: ask there, or call weft with WEFT_HOME=${root}`,
  );
}

/** Published results, or sandboxes of its tasks. */
function hasFilesOf({ root, sandboxes }: Home, runId: string): boolean {
  if (!/^[\w-]+$/.test(runId)) return false;
  if (existsSync(join(root, 'data/runs', runId))) return true;
  return existsSync(sandboxes) && readdirSync(sandboxes).some((name) => name.startsWith(runId));
}
