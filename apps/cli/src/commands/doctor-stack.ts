/** What `weft doctor` says of the stack: by what it answers, by its files, and by its processes. */
import { existsSync } from 'node:fs';
import type { Home } from '../home.js';
import { findStack } from '../stack/connect.js';
import { holderOf } from '../stack/lock/state-claim.js';
import { processState } from '../stack/lock/place.js';
import { type StackProcess, stackProcesses } from '../stack/processes.js';
import type { StackStatus } from '../stack/protocol.js';
import { allStates } from '../stack/state.js';

export interface Finding {
  what: string;
  ok: boolean;
  /** Something works less well without it, but runs do work. */
  optional?: boolean;
  found: string;
  advice?: string;
}

export interface StackSeen {
  /** Of the state that was asked for, or that this host works in. */
  home: Home;
  asked: Home;
  running?: StackStatus;
  /** Why it does not answer. */
  problem?: string;
  processes: StackProcess[];
}

export async function lookAtStack(asked: Home): Promise<StackSeen> {
  try {
    const stack = await findStack(asked, () => undefined);
    const home = stack?.home ?? asked;
    stack?.close();
    return { home, asked, running: stack?.known, processes: stackProcesses(home) };
  } catch (error) {
    return { home: asked, asked, problem: (error as Error).message, processes: stackProcesses(asked) };
  }
}

export async function stackFindings(seen: StackSeen): Promise<Finding[]> {
  return [overall(seen), ...services(seen), ...storage(seen), ...files(seen), ...(await states(seen))];
}

function overall({ running, problem, processes, home }: StackSeen): Finding {
  const what = 'stack';
  const foreign = processes.find((one) => one.foreign);
  if (foreign !== undefined) {
    const found = `a Redis that weft has not started (pid ${foreign.pid}) works on ${home.redis}`;
    return { what, ok: false, found, advice: 'stop it, or let weft use it by WEFT_REDIS_URL' };
  }
  if (problem !== undefined) return { what, ok: false, found: problem, advice: '`weft down` ends it, whatever it takes' };
  if (running !== undefined) return { what, ok: true, found: `runs: ${Object.keys(running.services).join(', ')}` };
  if (processes.length === 0) return { what, ok: true, found: 'none runs; `weft run` starts one' };
  const names = processes.map(({ name, pid }) => `${name} (pid ${pid}, ${processState(pid)})`).join(', ');
  return { what, ok: false, found: `no supervisor answers, but there are processes of a stack: ${names}`, advice: '`weft down` ends them' };
}

function services({ running, home }: StackSeen): Finding[] {
  return Object.entries(running?.services ?? {}).flatMap(([name, { state, pid, message }]): Finding[] => {
    if (state === 'ready') return [];
    const what = 'service';
    if (state === 'failed') {
      const found = `${name} was given up: ${(message ?? '').split('\n')[0]}`;
      return [{ what, ok: false, found, advice: `see ${home.logs}/${name}.log; the next command that needs it tries it again` }];
    }
    const found = state === 'silent' ? `${name} does not answer (pid ${pid}, ${processState(pid)})` : `${name} is starting`;
    return [{ what, ok: state === 'starting', found, advice: 'it is replaced after a minute' }];
  });
}

function storage({ running }: StackSeen): Finding[] {
  return running?.storage === undefined
    ? []
    : [{ what: 'disk', ok: false, found: running.storage, advice: 'make room: the stack goes on by itself' }];
}

function files({ running, home }: StackSeen): Finding[] {
  if (running === undefined || existsSync(home.logs)) return [];
  return [
    {
      what: 'logs',
      ok: false,
      optional: true,
      found: `${home.logs} is gone`,
      advice: 'it is made again; what runs writes there again once it is restarted',
    },
  ];
}

/** Where else this home's runs are. */
async function states({ asked, home }: StackSeen): Promise<Finding[]> {
  const found = await allStates(asked);
  if (found.length === 1 && found[0]?.seen?.verdict !== 'elsewhere') return [];
  return found.map(({ home: state, seen }) => {
    const used = { here: 'in use on this host', elsewhere: `in use by ${holderOf(seen)}`, watch: `perhaps in use by ${holderOf(seen)}` };
    const how = seen === undefined || seen.verdict === 'free' || seen.verdict === 'dead' ? 'not in use' : used[seen.verdict];
    return { what: 'state', ok: true, found: `${state.root}: ${how}${state.root === home.root ? '; this host works here' : ''}` };
  });
}
