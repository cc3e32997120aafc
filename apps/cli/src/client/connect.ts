/**
 * Gives the RunsClient for this command: the gateway that was named, else the scheduler of the local stack (started if need be).
 *
 * Invariant: nothing of contracts and gRPC is loaded with it, as the stack is begun to be started by what is here (main.ts).
 */
import { type Home, homeOf } from '../home.js';
import type { Settings, StackConnection } from '../stack/connect.js';
import { type Wish, isOwned, openStack } from '../stack/owned.js';
import { rememberRun } from '../stack/private-states.js';
import type { StackStatus } from '../stack/protocol.js';
import { patiently } from '../stack/patience.js';
import { EMBEDDED_SERVICES } from '../stack/services.js';
import type { RunsClient } from './runs-client.js';

export interface Connected {
  runs: RunsClient;
  /** The stack belongs to this command and ends with it. */
  isOwned?: boolean;
  /** Resolves when the local stack stops or goes away; absent: another's stack is used. */
  stopped?: Promise<string | undefined>;
  /** Where this home has runs that the local stack does not know, in a sentence. */
  otherStates?: () => Promise<string | undefined>;
  /** Lets go of the stack, too. */
  close(): void;
}

export interface ConnectOptions {
  /** `host:port`, `https://host:port` or `unix:/path` of a gateway's gRPC; absent: WEFT_URL, else the local stack. */
  gateway?: string;
  say(line: string): void;
  /** Whether the variables of this command count (stack/connect.ts); default: they do not. */
  settings?: Settings;
  /** The run that the command is about: a private stack may have had it. */
  runId?: string;
  /** `--private`. */
  private?: boolean;
}

/** Milliseconds for a stack that was not needed after all to say that it goes. */
const YIELD_MS = 10_000;

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
    const runs = gatewayRuns(address, process.env['WEFT_API_TOKEN'], options.say);
    return { runs, close: () => runs.close() };
  }
  const [stack, { schedulerRuns }, { lookingElsewhere, otherStates }] = await Promise.all([
    localScheduler(options.say, { settings: options.settings, runId: options.runId, asked: options.private }),
    import('./scheduler-runs.adapter.js'),
    import('./other-states.js'),
  ]);
  const scheduler = schedulerRuns(stack.address, process.env['WEFT_SERVICE_SECRET'], { say: options.say, pid: stack.pid });
  const runs = remembering(lookingElsewhere(scheduler, homeOf(), stack.home), stack.home);
  if (stack.startedHere) await tellUnfinished(runs, options.say);
  return {
    runs,
    isOwned: stack.isOwned,
    stopped: stack.stopped,
    otherStates: () => otherStates(homeOf(), stack.home),
    close: () => {
      runs.close();
      stack.close();
    },
  };
}

/** Whoever asks for a run later finds it where it is. */
function remembering(runs: RunsClient, state: Home): RunsClient {
  const submit: RunsClient['submit'] = async (submission) => {
    const submitted = await runs.submit(submission);
    rememberRun(homeOf(), state, submitted.run.runId);
    return submitted;
  };
  return { ...runs, submit };
}

/** A stack that starts takes up what the one before it had left. */
export async function tellUnfinished(runs: RunsClient, say: (line: string) => void): Promise<void> {
  const { goOn, unfinishedRuns } = await import('./unfinished.js');
  // Commands that began beside this one have submitted theirs by now.
  const unfinished = await unfinishedRuns(runs);
  const before = unfinished.runs.filter(({ submittedAt }) => (submittedAt?.getTime() ?? 0) < performance.timeOrigin);
  if (before.length > 0) say(goOn({ ...unfinished, runs: before }));
}

interface LocalScheduler {
  address: string;
  /** Its state. */
  home: Home;
  /** It ends with this command. */
  isOwned: boolean;
  /** By this command. */
  startedHere: boolean;
  stopped: Promise<string | undefined>;
  /** Of the scheduler's process. */
  pid(): number;
  close(): void;
}

/** Where the scheduler of the local stack answers; `close` lets go of the stack. */
export async function localScheduler(say: (line: string) => void, wish: Wish = {}): Promise<LocalScheduler> {
  const stack = await localStack(say, wish);
  const status = await stack.serving(EMBEDDED_SERVICES, say);
  // Whoever waits for a run wants to know what the run waits for.
  stack.onMessage((message) => message.type === 'note' && message.urgent && say(message.text));
  return {
    address: schedulerAddress(status),
    home: stack.home,
    isOwned: isOwned(stack),
    startedHere: stack.startedHere,
    stopped: stack.stopped(EMBEDDED_SERVICES),
    pid: () => stack.known?.services['scheduler']?.pid ?? 0,
    close: () => stack.close(),
  };
}

function schedulerAddress({ services }: StackStatus): string {
  const announced = services['scheduler']?.addresses['address'] ?? services['scheduler']?.addresses['grpc'];
  if (typeof announced !== 'string') throw new Error('the stack does not say where its scheduler answers');
  return announced;
}

/** For whoever holds the connection to the stack itself. */
export async function withSchedulerOf<T>(
  status: StackStatus,
  say: (line: string) => void,
  work: (runs: RunsClient) => Promise<T>,
): Promise<T> {
  const { schedulerRuns } = await import('./scheduler-runs.adapter.js');
  const pid = (): number => status.services['scheduler']?.pid ?? 0;
  const runs = schedulerRuns(schedulerAddress(status), process.env['WEFT_SERVICE_SECRET'], { say, pid });
  try {
    return await work(runs);
  } finally {
    runs.close();
  }
}

function localStack(say: (line: string) => void, wish: Wish): Promise<StackConnection> {
  early ??= openStack(say, wish);
  return early;
}

/** Ends a stack that was started for this command and is not needed after all. */
export async function dropEarlyStack(): Promise<void> {
  const stack = await early?.catch(() => undefined);
  if (stack === undefined) return;
  if (stack.startedHere) {
    stack.send({ type: 'yield' });
    const say = (line: string): void => void process.stderr.write(`weft: ${line}\n`);
    const limit = { limitMs: YIELD_MS, say, what: () => 'the stack to say whether it makes room' };
    // Unused, it goes by itself.
    await patiently(stack.nextStatus(), limit).catch(() => undefined);
  }
  stack.close();
}
