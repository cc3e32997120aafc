/**
 * The client's side of a stack: connect to the one of this WEFT_HOME, or start one and connect to that.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type Home, prepareHome, socketPath } from '../home.js';
import { CommandError } from '../errors.js';
import { configurationOf, differences, stackEnvironment } from './environment.js';
import { launch } from './launch.js';
import { type FromStack, type StackStatus, type ToStack, onMessages, send } from './protocol.js';
import { ensureRedisServer, givenRedisUrl } from './redis.js';
import { distDirectory } from './services.js';
import { stackVersion } from './version.js';

/** An open connection: it holds the stack up until close(). */
export class StackConnection {
  /** This process had it started. */
  startedHere = false;
  private latest: StackStatus | undefined;
  private readonly listeners = new Set<(message: FromStack) => void>();
  private readonly ended: Promise<void>;

  constructor(private readonly socket: Socket) {
    this.ended = new Promise((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    onMessages<FromStack>(socket, (message) => {
      if (message.type === 'status') this.latest = message;
      for (const listener of this.listeners) listener(message);
    });
  }

  /** Resolves with the first status for which `wanted` is true; rejects when the stack fails or goes away. */
  status(wanted: (status: StackStatus) => boolean): Promise<StackStatus> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.latest === undefined) return;
        if (this.latest.state === 'failed') reject(new Error(`the stack could not start: ${this.latest.message ?? 'see its logs'}`));
        else if (this.latest.state === 'stopping') reject(new StackGone());
        else if (wanted(this.latest)) resolve(this.latest);
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

  ready(): Promise<StackStatus> {
    return this.status((status) => status.state === 'ready');
  }

  onMessage(listener: (message: FromStack) => void): void {
    this.listeners.add(listener);
  }

  send(message: ToStack): void {
    send(this.socket, message);
  }

  /** Resolves as soon as the stack has begun to stop, or has gone away. */
  stopped(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.latest?.state === 'stopping' || this.latest?.state === 'failed') resolve();
      };
      this.listeners.add(look);
      void this.ended.then(resolve);
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
}

/** The stack went away under the connection: asking again starts or finds another. */
class StackGone extends Error {
  override readonly name = 'StackGone';
  constructor() {
    super('the stack has stopped');
  }
}

/** A connection to the stack that runs, if one does. */
export function connectToStack(home: Home): Promise<StackConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(home, 'stack'));
    socket.once('connect', () => resolve(new StackConnection(socket)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}

/**
 * What the command's own variables count: 'wanted': a stack that has others and is unused is started anew, one that is used is told of;
 * 'needed': the command cannot go on with others; 'any': it only looks.
 */
export type Settings = 'any' | 'wanted' | 'needed';

/** Connects, after starting a stack where none answers. It need not be ready yet: `ready()` waits for that. */
export async function connectOrStart(home: Home, say: (line: string) => void, settings: Settings = 'any'): Promise<StackConnection> {
  let started = false;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const running = await connectToStack(home);
    if (running !== undefined && (await isUsable(running, say, started ? 'any' : settings))) {
      running.startedHere = started;
      return running;
    }
    if (givenRedisUrl() === undefined) ensureRedisServer(say);
    await startSupervisor(home);
    started = true;
  }
  throw new Error(`the stack of ${home.root} starts but does not answer; see ${join(home.logs, 'supervisor.log')}`);
}

/** A stack of another build or other settings is asked to make room; where somebody uses it, it is used as it is, or not at all. */
async function isUsable(connection: StackConnection, say: (line: string) => void, settings: Settings): Promise<boolean> {
  try {
    const { version, configuration, kept } = await connection.status(() => true);
    const other = settings === 'any' ? [] : differences(configurationOf(process.env), configuration, kept);
    if (version === stackVersion() && other.length === 0) return true;
    connection.send({ type: 'yield' });
    await connection.nextStatus();
    if (version !== stackVersion()) say('the stack that runs is of another build, and in use: `weft down` stops it');
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

/** Resolves when a supervisor (this one or another that was quicker) answers on the control socket. */
function startSupervisor(home: Home): Promise<void> {
  prepareHome(home);
  const logFile = join(home.logs, 'supervisor.log');
  const log = openSync(logFile, 'a', 0o600);
  const [command, ...args] = launch([process.execPath, join(distDirectory(), 'cli.mjs'), '__supervise']);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    env: stackEnvironment(process.env, home.root),
    cwd: home.root,
  });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the stack's supervisor ended with exit code ${code}; see ${logFile}`)),
    );
    child.stdout?.on('data', () => {
      child.removeAllListeners('exit');
      child.stdout?.destroy();
      child.unref();
      resolve();
    });
  });
}
