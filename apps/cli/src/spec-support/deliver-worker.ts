/**
 * One delivery in a process of its own, which stops before its n-th call of the file system, says so, and goes on when it gets the signal that it
 * waits for. Arguments: one JSON object. Says "here" or one JSON object with what came of it.
 */
import * as files from 'node:fs/promises';
import type { CwlObject } from '@weft/plan';
import { takeSignals } from '../interrupts.js';
import { bringOutputs } from '../outputs/bring.js';
import type { FileOps } from '../outputs/folder.js';
import { lookAtOutdir } from '../outputs/outdir.js';

export interface WorkerTask {
  outputs: CwlObject;
  inputs: CwlObject;
  to: string;
  at: number;
  signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL';
}

const { outputs, inputs, to, at, signal } = JSON.parse(process.argv[2] ?? '{}') as WorkerTask;
takeSignals(() => undefined);
let calls = 0;

async function stop(): Promise<void> {
  if (calls++ !== at) return;
  // Keeps the process while nothing else does.
  const stays = setInterval(() => undefined, 60_000);
  const signalled = signal === 'SIGKILL' ? new Promise(() => undefined) : new Promise((resolve) => process.once(signal, resolve));
  process.stdout.write('here\n');
  await signalled;
  clearInterval(stays);
}

const ops = Object.fromEntries(
  Object.entries(files).map(([name, call]) => [
    name,
    async (...args: unknown[]) => {
      await stop();
      return (call as (...all: unknown[]) => Promise<unknown>)(...args);
    },
  ]),
) as unknown as FileOps;

try {
  const brought = await bringOutputs('r-1', outputs, { outdir: await lookAtOutdir(to), inputs }, ops);
  process.stdout.write(`${JSON.stringify(brought)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : 70;
}
