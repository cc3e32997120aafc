/**
 * The process that holds a stack together: starts Redis and the services side by side, restarts what dies, answers on the control
 * socket, and takes everything down in order. The embedded stack and `weft up` are the same supervisor: the first is asked for
 * nothing but the services a run needs and goes by itself, the second is extended by gateway and AL coordinator and stays.
 *
 * Invariants:
 *  1. One supervisor per WEFT_HOME (lock.ts).
 *  2. Services stop before Redis, the newest first.
 *  3. After the decision to stop no client is accepted any more; a later one starts a stack of its own.
 */
import { renameSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { type Home, prepareHome, socketPath } from '../home.js';
import { Program, type ProgramSpec } from './child.js';
import { type Configuration, configurationOf } from './environment.js';
import { IdleWatch } from './idle.js';
import { endLeftovers, forgetPrograms, recordPrograms } from './leftovers.js';
import { type StackLock, takeStackLock } from './lock.js';
import { type FromStack, type StackState, type StackStatus, type ToStack, onMessages, send } from './protocol.js';
import { freshTemporaryDirectory } from './temporary.js';
import { EMBEDDED_SERVICES, redisProgram, serviceProgram } from './services.js';

export interface SupervisorOptions {
  home: Home;
  version: string;
  lingerMs: number;
  /** What its programs start with. */
  environment: NodeJS.ProcessEnv;
  /** Of a Redis that somebody else runs; absent: the stack runs its own. */
  redisUrl?: string;
  redisCommand?: string;
  /** Resolves when no run is active. */
  runsFinished(schedulerAddress: string, signal: AbortSignal): Promise<void>;
  anyRunActive(schedulerAddress: string): Promise<boolean>;
}

/** Resolves with 'taken' where another supervisor has this WEFT_HOME and answers, else when this one has stopped. */
export async function supervise(options: SupervisorOptions, listening: () => void): Promise<'taken' | 'stopped' | 'failed'> {
  prepareHome(options.home);
  const lock = await takeStackLock(options.home);
  if (lock === 'taken') return 'taken';
  return new Supervisor(options, lock).run(listening);
}

class Supervisor {
  private readonly programs: Program[] = [];
  private readonly clients = new Set<Socket>();
  private readonly idle: IdleWatch;
  private readonly redisUrl: string;
  private readonly configuration: Configuration;
  private state: StackState = 'starting';
  private message: string | undefined;
  private server: Server | undefined;
  private finish: (outcome: 'stopped' | 'failed') => void = () => undefined;

  constructor(
    private readonly options: SupervisorOptions,
    private readonly lock: StackLock,
  ) {
    this.redisUrl = options.redisUrl ?? `unix:${socketPath(options.home, 'redis')}`;
    this.configuration = configurationOf(options.environment);
    this.idle = new IdleWatch({
      lingerMs: options.lingerMs,
      runsFinished: (signal) => options.runsFinished(`unix:${socketPath(options.home, 'scheduler')}`, signal),
      leave: () => void this.stop('stopped'),
      failed: (error) => this.note(`cannot find out whether runs are active, so the stack stays: ${error.message}`),
    });
  }

  async run(listening: () => void): Promise<'stopped' | 'failed'> {
    const ended = new Promise<'stopped' | 'failed'>((resolve) => (this.finish = resolve));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.stop('stopped'));
    const left = await endLeftovers(this.options.home);
    if (left.length > 0) this.note(`ended what an earlier stack had left running: ${left.join(', ')}`);
    freshTemporaryDirectory(this.options.home.root).catch((error: Error) => this.note(`temporary files not removed: ${error.message}`));
    const started = this.startAll(this.firstPrograms());
    await this.listen();
    this.lock.announce();
    listening();
    await started;
    return ended;
  }

  private firstPrograms(): ProgramSpec[] {
    const { home, redisCommand, environment } = this.options;
    const redis = redisCommand === undefined ? [] : [redisProgram(home, redisCommand, environment)];
    return [...redis, ...EMBEDDED_SERVICES.map((name) => serviceProgram(home, name, this.redisUrl, environment))];
  }

  private async startAll(specs: ProgramSpec[]): Promise<void> {
    const events = {
      note: (text: string) => this.note(text),
      // Who comes after a supervisor that was killed ends what it has recorded.
      restarted: () => this.record(),
      gaveUp: (message: string) => void this.fail(message),
    };
    const added = specs.map((spec) => new Program(spec, this.options.home.logs, events));
    const started = added.map((program) => program.start());
    this.programs.push(...added);
    this.record();
    try {
      await Promise.all(started);
      this.record();
      this.enter('ready');
    } catch (error) {
      await this.fail((error as Error).message);
    }
  }

  private record(): void {
    recordPrograms(
      this.options.home,
      this.programs.map(({ spec, pid }) => ({ name: spec.name, pid })),
    );
  }

  /** The socket appears by rename, so a client finds either none or one that answers; a dead one is replaced. */
  private async listen(): Promise<void> {
    const path = socketPath(this.options.home, 'stack');
    const fresh = `${path}.${process.pid}`;
    rmSync(fresh, { force: true });
    const server = createServer((socket) => this.accept(socket));
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(fresh, resolve));
    renameSync(fresh, path);
    this.server = server;
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
    if (message.type === 'extend') this.extend(message.services);
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

  private extend(services: string[]): void {
    const missing = services.filter((name) => !this.programs.some((program) => program.spec.name === name));
    if (missing.length === 0) return this.broadcast(this.status());
    const before = this.state;
    this.enter('starting');
    try {
      const specs = missing.map((name) => serviceProgram(this.options.home, name, this.redisUrl, this.options.environment));
      void this.startAll(specs);
    } catch (error) {
      this.message = (error as Error).message;
      this.enter(before === 'ready' ? 'failed' : before);
    }
  }

  private async fail(message: string): Promise<void> {
    // A program that is stopped before it was ready has not failed.
    if (this.state === 'stopping') return;
    this.message = message;
    process.stderr.write(`${message}\n`);
    await this.stop('failed');
  }

  private async stop(outcome: 'stopped' | 'failed'): Promise<void> {
    if (this.state === 'stopping' || this.state === 'failed') return;
    this.lock.retire();
    this.enter(outcome === 'failed' ? 'failed' : 'stopping');
    rmSync(socketPath(this.options.home, 'stack'), { force: true });
    this.server?.close();
    const services = this.programs.filter((program) => program.spec.name !== 'redis');
    await Promise.all(services.map((program) => program.stop()));
    await Promise.all(this.programs.map((program) => program.stop()));
    forgetPrograms(this.options.home);
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
      version: this.options.version,
      configuration: this.configuration,
      kept: this.idle.isKept,
      services: Object.fromEntries(this.programs.map(({ spec, pid, addresses }) => [spec.name, { pid, addresses }])),
      message: this.message,
    };
  }

  private note(text: string): void {
    process.stderr.write(`${new Date().toISOString()} ${text}\n`);
    this.broadcast({ type: 'note', text });
  }

  private broadcast(message: FromStack): void {
    for (const client of this.clients) send(client, message);
  }
}
