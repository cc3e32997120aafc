/**
 * A stack of its own for one command: a temporary WEFT_HOME and what the services shall see in their environment.
 *
 * Invariants:
 *  1. When the work has ended, however it did, the stack has stopped and its home is gone.
 *  2. It belongs to this process (owned.ts), also where commands have stacks that stay: so it ends where this process is killed, too.
 */
import { rm } from 'node:fs/promises';
import { homeOf } from '../home.js';
import { makeTemporaryFolder } from '../temporary-folder.js';
import { endOwned } from './owned.js';
import { privateStates } from './private-states.js';
import { endProcesses, stackProcesses } from './processes.js';

export async function withPrivateStack<T>(environment: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const root = makeTemporaryFolder('weft-private-');
  const set = { ...environment, WEFT_HOME: root, WEFT_PRIVATE: '1' };
  const before = Object.fromEntries(Object.keys(set).map((name) => [name, process.env[name]]));
  Object.assign(process.env, set);
  try {
    return await work();
  } finally {
    await end();
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    await rm(root, { recursive: true, force: true });
  }
}

/** In order, as long as it answers; what is left then is ended as it is. */
async function end(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
  await endOwned(say);
  for (const state of privateStates(homeOf())) await endProcesses(stackProcesses(state), say);
}
