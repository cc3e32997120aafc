/**
 * A stack of its own for one command: a temporary WEFT_HOME and what the services shall see in their environment.
 * Invariant: when the work has ended, however it did, the stack has stopped and its home is gone.
 */
import { rm } from 'node:fs/promises';
import { homeOf } from '../home.js';
import { makeTemporaryFolder } from '../temporary-folder.js';
import { connectToStack } from './connect.js';
import { patiently } from './patience.js';
import { endProcesses, stackProcesses } from './processes.js';

/** Milliseconds for a stack to end in order: each program has ten seconds, Redis after the others. */
const STOP_MS = 40_000;

export async function withPrivateStack<T>(environment: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const root = makeTemporaryFolder('weft-private-');
  const set = { ...environment, WEFT_HOME: root };
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
  const home = homeOf();
  const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
  const stack = await connectToStack(home);
  stack?.send({ type: 'stop' });
  await patiently(stack?.closed() ?? Promise.resolve(), { limitMs: STOP_MS, say, what: () => 'the stack to end its programs' }).catch(
    () => undefined,
  );
  stack?.close();
  await endProcesses(stackProcesses(home), say);
}
