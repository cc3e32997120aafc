/**
 * Gives the RunsClient for this command: the gateway that was named, else the scheduler of the local stack (started if need be).
 */
import { homeOf } from '../home.js';
import { type StackConnection, connectOrStart } from '../stack/connect.js';
import type { RunsClient } from './runs-client.js';

export interface Connected {
  runs: RunsClient;
  /** Lets go of the stack, too. */
  close(): void;
}

export interface ConnectOptions {
  /** `host:port`, `https://host:port` or `unix:/path` of a gateway's gRPC; absent: WEFT_URL, else the local stack. */
  gateway?: string;
  say(line: string): void;
}

/** A stack that main.ts began to start before anything else was loaded. */
let early: Promise<StackConnection> | undefined;

export function startEarly(connection: Promise<StackConnection>): void {
  early = connection;
  // Whoever asks for it gets the error; nobody asks when the command ends before.
  early.catch(() => undefined);
}

export async function connectRuns(options: ConnectOptions): Promise<Connected> {
  const address = options.gateway ?? process.env['WEFT_URL'];
  if (address !== undefined && address !== '') {
    const { gatewayRuns } = await import('./gateway-runs.adapter.js');
    const runs = gatewayRuns(address, process.env['WEFT_API_TOKEN']);
    return { runs, close: () => runs.close() };
  }
  const [stack, { schedulerRuns }] = await Promise.all([localScheduler(options.say), import('./scheduler-runs.adapter.js')]);
  const runs = schedulerRuns(stack.address, process.env['WEFT_SERVICE_SECRET']);
  return {
    runs,
    close: () => {
      runs.close();
      stack.close();
    },
  };
}

/** Where the scheduler of the local stack answers; `close` lets go of the stack. */
export async function localScheduler(say: (line: string) => void): Promise<{ address: string; close(): void }> {
  const stack = await localStack(say);
  const status = await stack.ready();
  const announced = status.services['scheduler']?.addresses['address'] ?? status.services['scheduler']?.addresses['grpc'];
  if (typeof announced !== 'string') throw new Error('the stack does not say where its scheduler answers');
  return { address: announced, close: () => stack.close() };
}

function localStack(say: (line: string) => void): Promise<StackConnection> {
  early ??= connectOrStart(homeOf(), say);
  return early;
}

/** Ends a stack that was started for this command and is not needed after all. */
export async function dropEarlyStack(): Promise<void> {
  const stack = await early?.catch(() => undefined);
  if (stack === undefined) return;
  if (stack.startedHere) {
    stack.send({ type: 'yield' });
    await stack.nextStatus().catch(() => undefined);
  }
  stack.close();
}
