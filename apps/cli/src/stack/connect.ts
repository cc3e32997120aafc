/**
 * The client's side of a stack: connect to the one of this WEFT_HOME, or start one and connect to that.
 *
 * Invariant: every wait has a limit and, after a moment, says for what it is.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { LOG_LIMITS } from './log-file.js';
import { type Home, prepareHome, socketPath } from '../home.js';
import { CommandError } from '../errors.js';
import { buildId, copyPrograms } from './build-copy.js';
import { configurationOf, differences, stackEnvironment } from './environment.js';
import { launch } from './launch.js';
import { placeOfThisProcess, placeWord, processState } from './lock/place.js';
import { lookAtState } from './lock/state-claim.js';
import { type FromStack, type StackStatus, type ToStack, onMessages, send } from './protocol.js';
import { ensureRedisServer, givenRedisUrl } from './redis.js';
import { listensOf, stackArgument } from './services.js';
import { logTail } from './log-tail.js';
import { OutOfPatience, patiently } from './patience.js';
import { OWNED } from './owner.js';
import { fullSentence, isOutOfRoom, noRoom } from './room.js';
import { type ChosenState, chooseState } from './state.js';

/** Milliseconds for an answer of a supervisor, and for a stack to be ready: Redis may have a lot to load. */
const ANSWER_MS = 30_000;
/** A supervisor first ends what an earlier one has left running. */
const START_MS = 60_000;
const READY_MS = 300_000;

/** An open connection: it holds the stack up until close(). */
export class StackConnection {
  /** This process had it started. */
  startedHere = false;
  private latest: StackStatus | undefined;
  private readonly listeners = new Set<(message: FromStack) => void>();
  private readonly ended: Promise<void>;

  constructor(
    private readonly socket: Socket,
    /** Whose state it works in; not always the one that was asked for. */
    readonly home: Home,
  ) {
    this.ended = new Promise((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    onMessages<FromStack>(socket, (message) => {
      if (message.type === 'status') this.latest = message;
      for (const listener of this.listeners) listener(message);
    });
  }

  /** The last status that arrived. */
  get known(): StackStatus | undefined {
    return this.latest;
  }

  /** Resolves with the first status for which `wanted` is true; rejects when the stack fails or goes away. */
  status(wanted: (status: StackStatus) => boolean): Promise<StackStatus> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.latest === undefined) return;
        if (this.latest.state === 'failed') reject(new Error(`the stack could not start: ${this.latest.message ?? 'see its logs'}`));
        else if (this.latest.state === 'stopping') reject(new StackGone());
        else if (wanted(this.latest)) resolve(this.latest);
        else return;
        this.listeners.delete(look);
      };
      this.listeners.add(look);
      void this.ended.then(() => reject(new StackGone()));
      look();
    });
  }

  /** The status that answers what was just sent. */
  nextStatus(): Promise<StackStatus> {
    this.latest = undefined;
    return this.status(() => true);
  }

  /**
   * Resolves when the stack is ready and these services serve. What was given up before is tried once more.
   * @param say told, after a moment, what it waits for
   */
  async serving(names: readonly string[], say: (line: string) => void): Promise<StackStatus> {
    const isReady = ({ state }: StackStatus): boolean => state === 'ready';
    const limit = { limitMs: READY_MS, say, what: () => `the stack to be ready (${this.unready()})` };
    const before = await patiently(this.status(isReady), limit);
    // The stack looks now and then: there may be room again.
    const full = before.storage === undefined ? undefined : noRoom(this.home, true);
    if (full !== undefined) throw new CommandError(full);
    const failed = names.filter((name) => before.services[name]?.state === 'failed');
    if (failed.length > 0) this.send({ type: 'extend', services: failed, listens: listensOf(process.env) });
    const settled = (status: StackStatus): boolean =>
      isReady(status) && names.every((name) => isSettled(status, before, name, failed.includes(name)));
    const status = await patiently(this.status(settled), limit);
    const still = names.find((name) => status.services[name]?.state === 'failed');
    if (still !== undefined) throw new Error(status.services[still]?.message ?? `${still} cannot be started; see ${this.home.logs}`);
    return status;
  }

  onMessage(listener: (message: FromStack) => void): void {
    this.listeners.add(listener);
  }

  send(message: ToStack): void {
    send(this.socket, message);
  }

  /** Resolves as soon as the stack has begun to stop, or has gone away; or has given up one of these services, and with what is said of that. */
  stopped(services: readonly string[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.latest?.state === 'stopping' || this.latest?.state === 'failed') resolve(undefined);
        const given = services.find((name) => this.latest?.services[name]?.state === 'failed');
        if (given !== undefined) resolve(this.latest?.services[given]?.message ?? `${given} cannot be started`);
      };
      this.listeners.add(look);
      void this.ended.then(() => resolve(undefined));
      look();
    });
  }

  /** Resolves when the stack closed the connection, which it does when everything has stopped. */
  closed(): Promise<void> {
    return this.ended;
  }

  close(): void {
    this.socket.destroy();
  }

  private unready(): string {
    if (this.latest === undefined) return 'its supervisor has not answered yet';
    const waiting = Object.entries(this.latest.services).filter(([, { state }]) => state !== 'ready');
    return (
      waiting.map(([name, { pid, state }]) => `${name} is ${state}${pid > 0 ? `, pid ${pid}, ${processState(pid)}` : ''}`).join('; ') ||
      'it is starting'
    );
  }
}

/** A service that was asked for anew counts once the stack has tried it. */
function isSettled(status: StackStatus, before: StackStatus, name: string, askedAnew: boolean): boolean {
  const service = status.services[name];
  if (service === undefined || service.state === 'starting') return false;
  return !askedAnew || service.asked > (before.services[name]?.asked ?? 0);
}

/** The stack went away under the connection: asking again starts or finds another. */
class StackGone extends Error {
  override readonly name = 'StackGone';
  constructor() {
    super('the stack has stopped');
  }
}

/** A connection to the stack that runs in this very state, if one does and answers here. */
export function connectToStack(home: Home, path = socketPath(home, 'stack')): Promise<StackConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(new StackConnection(socket, home)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}

/** The stack that this host has in the home, wherever below it; undefined: none. It has said its first status. */
export async function findStack(home: Home, say: (line: string) => void): Promise<StackConnection | undefined> {
  const quick = await answering(await connectToStack(home), say);
  if (quick !== undefined) return quick;
  const chosen = await chooseState(home, () => undefined);
  if (chosen.seen?.verdict !== 'here') return undefined;
  return reach(chosen, say);
}

/**
 * What the command's own variables count: 'wanted': a stack that has others and is unused is started anew, one that is used is told of;
 * 'needed': the command cannot go on with others; 'any': it only looks.
 */
export type Settings = 'any' | 'wanted' | 'needed';

/** Connects, after starting a stack where none answers. It need not be ready yet: `serving()` waits for that. */
export async function connectOrStart(home: Home, say: (line: string) => void, settings: Settings = 'any'): Promise<StackConnection> {
  let started = false;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const quick = await answering(await connectToStack(home), say);
    const chosen = quick === undefined ? await chooseState(home, say) : undefined;
    const running = quick ?? (chosen?.seen?.verdict === 'here' ? await reach(chosen, say) : undefined);
    if (running !== undefined && (await isUsable(running, say, started ? 'any' : settings))) {
      running.startedHere = started;
      return running;
    }
    if (running !== undefined || chosen === undefined) continue;
    ensureRedis(say);
    await startSupervisor(chosen, home, 'shared', say);
    started = true;
  }
  throw new Error(`the stack of ${home.root} starts but does not answer; see ${join(home.logs, 'supervisor.log')}`);
}

/** Where nobody gives one. */
export function ensureRedis(say: (line: string) => void): void {
  if (givenRedisUrl() === undefined) ensureRedisServer(say);
}

/** A stack whose holder lives here; its socket may be known by another name, or be on its way back. */
async function reach({ home, seen }: ChosenState, say: (line: string) => void): Promise<StackConnection | undefined> {
  if (seen === undefined || seen.claim === 'unreadable') return undefined;
  const { process: holder, socket } = seen.claim;
  const begun = performance.now();
  const search = async (): Promise<StackConnection | undefined> => {
    while (performance.now() - begun < ANSWER_MS) {
      const found = (await connectToStack(home)) ?? (await connectToStack(home, socket));
      if (found !== undefined) return answering(found, say);
      if (processState(holder.pid) === 'gone') return undefined;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new OutOfPatience(`waited ${ANSWER_MS / 1000} s for ${what()}: \`weft down\` ends it`);
  };
  const what = (): string => `the supervisor of ${home.root} to answer (pid ${holder.pid}, ${processState(holder.pid)})`;
  return patiently(search(), { say, what });
}

/** A connection whose stack has said its first status; undefined where it ends before, or belongs to a container that shares the home. */
async function answering(connection: StackConnection | undefined, say: (line: string) => void): Promise<StackConnection | undefined> {
  if (connection === undefined) return undefined;
  const seen = await lookAtState(connection.home);
  const pid = seen !== undefined && seen.claim !== 'unreadable' && seen.verdict === 'here' ? seen.claim.process.pid : undefined;
  const who = pid === undefined ? '' : ` (pid ${pid}, ${processState(pid)})`;
  const what = (): string => `the supervisor of ${connection.home.root} to answer${who}`;
  try {
    const limit = { limitMs: ANSWER_MS, say, what, advice: '`weft down` ends it' };
    const { place } = await patiently(
      connection.status(() => true),
      limit,
    );
    if (place === placeWord(placeOfThisProcess())) return connection;
  } catch (error) {
    if ((error as Error).name !== 'StackGone') {
      // It has failed and says why: that is an answer.
      if (connection.known !== undefined) return connection;
      connection.close();
      throw error;
    }
    await connection.closed();
  }
  connection.close();
  return undefined;
}

/** A stack of another build or other settings is asked to make room; where somebody uses it, it is used as it is, or not at all. */
async function isUsable(connection: StackConnection, say: (line: string) => void, settings: Settings): Promise<boolean> {
  try {
    const { version, configuration, kept, services } = await connection.status(() => true);
    // Where there is no gateway yet, its addresses come with the wish for one; who wants none has no use for them.
    const asked = services['gateway']?.state === 'ready' && settings === 'needed' ? {} : listensOf(process.env);
    const differ = settings === 'any' ? [] : differences(configurationOf(process.env), configuration, kept);
    const other = differ.filter((name) => asked[name] === undefined);
    if (version === buildId() && other.length === 0) return true;
    connection.send({ type: 'yield' });
    await patiently(connection.nextStatus(), { limitMs: ANSWER_MS, say, what: () => 'the stack to say whether it makes room' });
    if (version !== buildId()) say('the stack that runs is of another build, and in use: `weft down` stops it');
    if (other.length === 0) return true;
    const told = `the stack that runs was started with other settings (${other.join(', ')}) and is in use`;
    if (settings === 'needed') throw new CommandError(`${told}: \`weft down\` stops it`);
    say(`${told}: this command goes with its settings; \`weft down\` stops it`);
    return true;
  } catch (error) {
    if ((error as Error).name === 'StackGone') return connection.closed().then(() => false);
    if ((error as Error).name === 'CommandError') {
      connection.close();
      throw error;
    }
    return true;
  }
}

export interface StartedSupervisor {
  /** What it says: that it listens, or why it has ended. */
  word: string;
  /** Of one that belongs to this process: it ends when nobody holds this any more. */
  pipe: Socket | undefined;
  /** Resolves when its process is gone. */
  ended: Promise<void>;
}

/**
 * Resolves when a supervisor (this one or another that was quicker) answers on the control socket, or found the state in use elsewhere.
 * `owned`: it ends with this process, and has the limits, niceness and processors of it, as batch systems give them.
 */
export async function startSupervisor(
  { home, seen, silent }: ChosenState,
  asked: Home,
  whose: 'shared' | 'owned',
  say: (line: string) => void,
): Promise<StartedSupervisor> {
  const { dist, log, logFile } = prepareFiles(home, asked);
  const follow = silent ? [`--follow=${seen === undefined || seen.claim === 'unreadable' ? 'unreadable' : seen.claim.token}`] : [];
  const isOwned = whose === 'owned';
  const words = ['__supervise', stackArgument(home.root), `--sandboxes=${home.sandboxes}`, ...follow, ...(isOwned ? [OWNED] : [])];
  const program: [string, ...string[]] = [process.execPath, join(dist, 'cli.mjs'), ...words];
  const [command, ...args] = isOwned ? program : launch(program);
  const child = spawn(command, args, {
    detached: true,
    stdio: [isOwned ? 'pipe' : 'ignore', 'pipe', log],
    env: stackEnvironment(process.env, home.root),
    cwd: home.root,
  });
  closeSync(log);
  const pipe = isOwned ? (child.stdin as Socket) : undefined;
  pipe?.on('error', () => undefined);
  pipe?.unref();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const started = new Promise<string>((resolve, reject) => {
    let said = '';
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(said.trim()) : reject(new Error(noRoom(home, true) ?? lastWords(code, logFile)))));
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes('\n')) return;
      child.removeAllListeners('exit');
      resolve(said.trim());
    });
  });
  const what = (): string => `the stack's supervisor to start (pid ${child.pid}, ${processState(child.pid ?? 0)}); see ${logFile}`;
  const word = await patiently(started, { limitMs: START_MS, say, what }).finally(() => {
    child.stdout?.destroy();
    child.unref();
  });
  return { word, pipe, ended };
}

/** Why a supervisor could not even listen: the last that it wrote. */
function lastWords(code: number | null, logFile: string): string {
  let last: string | undefined;
  try {
    last = logTail(logFile, 1)[0];
  } catch {
    // The file is named below.
  }
  return `the stack's supervisor ended with exit code ${code}${last ? `: ${last}` : ''}; see ${logFile}`;
}

function prepareFiles(home: Home, asked: Home): { dist: string; log: number; logFile: string } {
  try {
    prepareHome(home);
    const dist = copyPrograms(asked, 'core');
    const logFile = join(home.logs, 'supervisor.log');
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
    // The supervisor says little: it is enough to look when one is started.
    if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMITS.bytes) renameSync(logFile, `${logFile}.1`);
    return { dist, logFile, log: openSync(logFile, 'a', 0o600) };
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    throw new Error(fullSentence(home), { cause: error });
  }
}
