/**
 * The process that holds a stack together: starts Redis and the services side by side, restarts what dies, answers on the control
 * socket, and takes everything down in order. The embedded stack and `weft up` are the same supervisor: the first is asked for
 * nothing but the services a run needs and goes by itself, the second is extended by gateway and AL coordinator and stays.
 *
 * Invariants:
 *  1. One supervisor per state of a home (lock.ts on one host, lock/ among hosts). One that finds its state taken ends its Redis at once.
 *  2. Services stop before Redis, the newest first.
 *  3. After the decision to stop no client is accepted any more; a later one starts a stack of its own.
 *  4. The fault of one service ends that one. Only Redis, or a first start that fails, ends all.
 */
import { renameSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { type Home, prepareHome, socketPath } from '../home.js';
import { removeUnusedPrograms, touchPrograms } from './build-copy.js';
import { Care } from './care.js';
import { Program, type ProgramSpec } from './child.js';
import { type Configuration, configurationOf } from './environment.js';
import { Holding } from './holding.js';
import { IdleWatch } from './idle.js';
import { BEAT_MS } from './lock/state-claim.js';
import { type StackLock, takeStackLock } from './lock.js';
import { endProcesses, stackProcesses } from './processes.js';
import { type FromStack, type StackState, type StackStatus, type ToStack, onMessages, send } from './protocol.js';
import { EMBEDDED_SERVICES, SOCKET_OF, listensOf, redisProgram, serviceProgram } from './services.js';
import { SocketNames } from './sockets.js';
import { type TakenState, takeState } from './take-state.js';
import { freshTemporaryDirectory } from './temporary.js';

const PROGRAMS_IN_USE_MS = 3_600_000;

export interface SupervisorOptions {
  home: Home;
  version: string;
  /** Of the programs. */
  dist: string;
  place: string;
  lingerMs: number;
  /** Resolves when the command is gone that this stack belongs to; absent: it is everybody's. */
  owner?: Promise<void>;
  /** Token of a claim that was watched and found silent: it may be followed. */
  silentClaim?: string;
  /** What its programs start with. */
  environment: NodeJS.ProcessEnv;
  /** Of a Redis that somebody else runs; absent: the stack runs its own. */
  redisUrl?: string;
  redisCommand?: string;
  /** Resolves when no run is active. */
  runsFinished(schedulerAddress: string, signal: AbortSignal): Promise<void>;
  anyRunActive(schedulerAddress: string): Promise<boolean>;
}

export type Outcome = 'taken' | 'elsewhere' | 'stopped' | 'failed';

/** Resolves with 'taken' or 'elsewhere' where another supervisor has this state, else when this one has stopped. */
export async function supervise(options: SupervisorOptions, listening: () => void): Promise<Outcome> {
  prepareHome(options.home);
  const lock = await takeStackLock(options.home);
  if (lock === 'taken') return 'taken';
  const state = await takeState(options.home, options.silentClaim);
  if (typeof state === 'string') return state;
  const foreign = options.redisCommand === undefined ? undefined : stackProcesses(options.home).find((one) => one.foreign);
  if (foreign !== undefined) {
    await state.claim.release();
    throw new Error(
      `a Redis that weft has not started (pid ${foreign.pid}) works on ${options.home.redis}: stop it, or let weft use it by WEFT_REDIS_URL`,
    );
  }
  return new Supervisor(options, lock, state).run(listening);
}

class Supervisor {
  private readonly programs: Program[] = [];
  private readonly clients = new Set<Socket>();
  private readonly idle: IdleWatch;
  private readonly redisUrl: string;
  private readonly sockets: SocketNames;
  private readonly care: Care;
  private readonly holding: Holding;
  private configuration: Configuration;
  private state: StackState = 'starting';
  private message: string | undefined;
  private server: Server | undefined;
  private finish: (outcome: 'stopped' | 'failed') => void = () => undefined;

  constructor(
    private readonly options: SupervisorOptions,
    private readonly lock: StackLock,
    private readonly taken: TakenState,
  ) {
    const { home } = options;
    this.redisUrl = options.redisUrl ?? `unix:${socketPath(home, 'redis')}`;
    this.sockets = new SocketNames(home);
    this.holding = new Holding(taken.claim, BEAT_MS, () => void this.fence());
    this.care = new Care({
      home,
      redisSocket: options.redisCommand === undefined ? undefined : socketPath(home, 'redis'),
      programs: () => this.programs,
      sockets: this.sockets,
      tell: (text) => this.note(text, true),
      changed: () => this.broadcast(this.status()),
      listenAgain: () => void this.listen().catch((error: Error) => this.note(error.message)),
    });
    this.configuration = configurationOf(options.environment);
    this.idle = new IdleWatch({
      lingerMs: options.lingerMs,
      runsFinished: (signal) => options.runsFinished(`unix:${socketPath(home, 'scheduler')}`, signal),
      leave: () => void this.stop('stopped'),
      failed: (error) => this.note(`cannot find out whether runs are active, so the stack stays: ${error.message}`),
    });
  }

  async run(listening: () => void): Promise<'stopped' | 'failed'> {
    const ended = new Promise<'stopped' | 'failed'>((resolve) => (this.finish = resolve));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.stop('stopped'));
    void this.options.owner?.then(() => this.stop('stopped'));
    for (const text of this.taken.notes) this.note(text);
    await this.holding.start();
    await this.endLeftovers();
    freshTemporaryDirectory(this.options.home.root).catch((error: Error) => this.note(`temporary files not removed: ${error.message}`));
    const started = this.startFirst();
    await this.listen();
    this.lock.announce();
    listening();
    this.care.start();
    setInterval(() => touchPrograms(this.options.dist), PROGRAMS_IN_USE_MS).unref();
    await started;
    try {
      removeUnusedPrograms(this.options.dist);
    } catch (error) {
      this.note(`old copies of programs not removed: ${messageOf(error)}`);
    }
    return ended;
  }

  /** Supervisors stay: this one has the lock, so that another is one that waits for it, with a command behind it. */
  private async endLeftovers(): Promise<void> {
    const left = stackProcesses(this.options.home).filter(({ foreign, name }) => !foreign && name !== 'supervisor');
    if (left.length === 0) return;
    await endProcesses(left, (line) => this.note(line));
    this.note(`ended what an earlier stack had left running: ${left.map(({ name }) => name).join(', ')}`);
  }

  private async startFirst(): Promise<void> {
    if (this.state !== 'starting') return;
    const { home, redisCommand, environment } = this.options;
    const redis = redisCommand === undefined ? [] : [redisProgram(home, redisCommand, environment)];
    const specs = [...redis, ...EMBEDDED_SERVICES.map((name) => serviceProgram(home, name, this.redisUrl, environment))];
    const outcomes = await Promise.all(this.add(specs).map((program) => program.start().then(() => undefined, messageOf)));
    const failure = outcomes.find((message) => message !== undefined);
    if (failure !== undefined) return this.fail(failure);
    this.enter('ready');
  }

  private add(specs: ProgramSpec[]): Program[] {
    const events = {
      note: (text: string) => this.note(text),
      changed: (program: Program) => this.programChanged(program),
      gaveUp: (program: Program, message: string) =>
        program.spec.name === 'redis'
          ? void this.fail(message)
          : this.note(`${message}\n${program.spec.name} is tried again when it is asked for`, true),
    };
    const lifeline = (): Socket | undefined => this.programs.find(({ spec }) => spec.endsLast)?.lifeline;
    const added = specs.map((spec) => new Program(spec, this.options.home.logs, events, lifeline));
    for (const program of added) this.programs.push(program);
    return added;
  }

  private programChanged({ spec, state }: Program): void {
    const socket = SOCKET_OF[spec.name];
    if (state === 'ready' && socket !== undefined) this.sockets.keep(socket);
    if (this.state === 'ready') this.broadcast(this.status());
  }

  /** The socket appears by rename, so a client finds either none or one that answers; a dead one is replaced. */
  private async listen(): Promise<void> {
    const path = socketPath(this.options.home, 'stack');
    const fresh = `${path}.${process.pid}`;
    rmSync(fresh, { force: true });
    const server = createServer((socket) => this.accept(socket));
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(fresh, resolve));
    renameSync(fresh, path);
    this.server?.close();
    this.server = server;
    this.sockets.keep('stack');
  }

  private accept(socket: Socket): void {
    this.clients.add(socket);
    this.idle.connected();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.clients.delete(socket);
      this.idle.disconnected();
    });
    onMessages<ToStack>(socket, (message) => this.handle(message));
    send(socket, this.status());
  }

  private handle(message: ToStack): void {
    if (message.type === 'stop') void this.stop('stopped');
    if (message.type === 'yield') void this.yieldIfUnused();
    if (message.type === 'keep') {
      this.idle.keep();
      this.broadcast(this.status());
    }
    if (message.type === 'extend') this.extend(message.services, message.listens);
  }

  /** What cannot be found out keeps the stack: a run that somebody detached must not be begun again. */
  private async yieldIfUnused(): Promise<void> {
    const unused = (): boolean => this.clients.size === 1 && !this.idle.isKept;
    // Before it is ready nobody was given a run.
    const busy = this.state === 'ready' && unused() && (await this.anyRunActive());
    if (!busy && unused()) void this.stop('stopped');
    else this.broadcast(this.status());
  }

  private anyRunActive(): Promise<boolean> {
    return this.options.anyRunActive(`unix:${socketPath(this.options.home, 'scheduler')}`).catch((error: Error) => {
      this.note(`cannot find out whether runs are active, so the stack stays: ${error.message}`);
      return true;
    });
  }

  /** Starts what is not there, and what was given up. */
  private extend(services: string[], listens: Record<string, string>): void {
    const environment = { ...this.options.environment, ...listensOf(listens) };
    const known = (name: string): Program | undefined => this.programs.find(({ spec }) => spec.name === name);
    for (const name of services) {
      const program = known(name);
      if (program !== undefined && program.state !== 'failed') continue;
      if (program !== undefined) this.programs.splice(this.programs.indexOf(program), 1);
      try {
        const [fresh] = this.add([serviceProgram(this.options.home, name, this.redisUrl, environment)]);
        if (fresh !== undefined) fresh.asked = (program?.asked ?? 0) + 1;
        if (name === 'gateway') this.configuration = configurationOf(environment);
        fresh?.start().catch((error: Error) => fresh.failed(error.message));
      } catch (error) {
        this.note((error as Error).message, true);
      }
    }
    this.broadcast(this.status());
  }

  private async fail(message: string): Promise<void> {
    // A program that is stopped before it was ready has not failed.
    if (this.state === 'stopping') return;
    this.message = message;
    this.write(message);
    await this.stop('failed');
  }

  /** Another has this state. Whatever Redis writes from now on would be written into files of that one. */
  private async fence(): Promise<void> {
    this.lock.retire();
    for (const program of this.programs) if (program.spec.name === 'redis') void program.stop('SIGKILL');
    await this.fail(`${this.options.home.root} was removed, or another stack has taken it: this one (pid ${process.pid}) has ended`);
  }

  private async stop(outcome: 'stopped' | 'failed'): Promise<void> {
    if (this.state === 'stopping' || this.state === 'failed') return;
    this.lock.retire();
    this.care.stop();
    this.enter(outcome === 'failed' ? 'failed' : 'stopping');
    rmSync(socketPath(this.options.home, 'stack'), { force: true });
    this.server?.close();
    const services = this.programs.filter((program) => !program.spec.endsLast);
    await Promise.all(services.map((program) => program.stop()));
    await Promise.all(this.programs.map((program) => program.stop()));
    this.sockets.forget();
    await this.holding.release();
    for (const client of this.clients) client.end();
    this.finish(outcome);
  }

  private enter(state: StackState): void {
    if (this.state === 'stopping' || this.state === 'failed') return;
    this.state = state;
    this.broadcast(this.status());
  }

  private status(): StackStatus {
    return {
      type: 'status',
      state: this.state,
      pid: process.pid,
      place: this.options.place,
      version: this.options.version,
      configuration: this.configuration,
      kept: this.idle.isKept,
      services: Object.fromEntries(
        this.programs.map(({ spec, pid, addresses, state, message, asked }) => [spec.name, { pid, addresses, state, message, asked }]),
      ),
      message: this.message,
      storage: this.care.storage,
    };
  }

  private note(text: string, urgent = false): void {
    this.write(`${new Date().toISOString()} ${text}`);
    this.broadcast({ type: 'note', text, urgent });
  }

  /** Its log may be on the disk that is full. */
  private write(line: string): void {
    try {
      process.stderr.write(`${line}\n`);
    } catch {
      // Whoever is connected hears it, too.
    }
  }

  private broadcast(message: FromStack): void {
    for (const client of this.clients) send(client, message);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
