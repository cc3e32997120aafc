/**
 * A stack of its own for one command: a temporary WEFT_HOME and what the services shall see in their environment.
 * Invariant: when the work has ended, however it did, the stack has stopped and its home is gone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../home.js';
import { connectToStack } from './connect.js';

export async function withPrivateStack<T>(environment: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'weft-private-'));
  const set = { ...environment, WEFT_HOME: root };
  const before = Object.fromEntries(Object.keys(set).map((name) => [name, process.env[name]]));
  Object.assign(process.env, set);
  try {
    return await work();
  } finally {
    const stack = await connectToStack(homeOf());
    stack?.send({ type: 'stop' });
    await stack?.closed();
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    await rm(root, { recursive: true, force: true });
  }
}
