/**
 * The whole system as a user starts it: `./weft up` with a home of its own and free ports, from a build of this checkout.
 *
 * Invariants:
 *  1. Nothing here waits for time: a stack is up when `weft up` says so, a program is back when the supervisor says so.
 *  2. `stop()` leaves no process and no directory behind; it fails where the stack had to be killed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** As any other test's (jest.config.mjs): for what hangs. */
export const START_TIMEOUT_MS = 600_000;

export interface Gate {
  directory: string;
  path: string;
  /** A directory in which `go` appears when it is opened: for tools that see only what they are given. */
  seen: string;
  open(): void;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class Stack {
  /** Where REST is served, e.g. `http://127.0.0.1:40123`. */
  url = '';
  /** Where gRPC is served, `host:port`. */
  grpc = '';
  readonly sandboxes: string;
  /** A directory of the test's own beside the stack's. */
  readonly scratch: string;
  private readonly home: string;
  private readonly env: NodeJS.ProcessEnv;
  private readonly said: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  private up: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    env: Record<string, string>,
  ) {
    this.home = join(folder, 'home');
    this.scratch = mkdtempSync(join(folder, 'work-'));
    this.sandboxes = join(this.home, 'sandboxes');
    this.env = {
      ...withoutWeft(process.env),
      WEFT_HOME: this.home,
      WEFT_HTTP_LISTEN: '127.0.0.1:0',
      WEFT_GRPC_LISTEN: '127.0.0.1:0',
      WEFT_LINGER_S: '0',
      WEFT_PRIVATE: '0',
      ...env,
    };
  }

  static async start(env: Record<string, string> = {}): Promise<Stack> {
    const stack = new Stack(mkdtempSync(join(tmpdir(), 'weft-e2e-')), env);
    await stack.run();
    return stack;
  }

  /** The command line in the test's scratch directory, with the stack's environment. */
  weft(args: string[], env: Record<string, string> = {}): Promise<Ended> {
    const child = spawn(process.execPath, [join(ROOT, 'dist/cli.mjs'), ...args], {
      cwd: this.scratch,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return ended(child);
  }

  /** What the supervisor says of itself and its programs. */
  status(): Promise<{ pid: number; services: Record<string, { pid: number }> }> {
    return new Promise((done, fail) => {
      const socket = connect(join(this.home, 'run/stack.sock'));
      createInterface({ input: socket }).once('line', (line) => {
        socket.destroy();
        done(JSON.parse(line) as { pid: number; services: Record<string, { pid: number }> });
      });
      socket.once('error', fail);
    });
  }

  /** Process ids of Redis and the services, by name. */
  async pids(): Promise<Record<string, number>> {
    const { services } = await this.status();
    return Object.fromEntries(Object.entries(services).map(([name, { pid }]) => [name, pid]));
  }

  /** Kills a program with SIGKILL; resolves when the supervisor has started it again and it serves. */
  async killAndAwaitReturn(name: string): Promise<void> {
    const { [name]: pid } = await this.pids();
    if (!pid) throw new Error(`the stack has no ${name}`);
    const back = this.nextLine((line) => line.includes(`${name} is back`));
    process.kill(pid, 'SIGKILL');
    await back;
  }

  /** Sends a signal to a program and goes on at once. */
  async signal(name: string, signal: NodeJS.Signals): Promise<void> {
    const { [name]: pid } = await this.pids();
    if (!pid) throw new Error(`the stack has no ${name}`);
    process.kill(pid, signal);
  }

  /** What a power cut does to our programs: supervisor, Redis and services get SIGKILL at once. Tasks are somebody else's processes. */
  async killEverything(): Promise<void> {
    const up = this.up;
    if (!up) throw new Error('the stack is not up');
    const gone = new Promise<void>((done) => up.once('close', () => done()));
    const { pid, services } = await this.status();
    for (const one of [pid, ...Object.values(services).map((service) => service.pid)]) process.kill(one, 'SIGKILL');
    up.kill('SIGKILL');
    await gone;
  }

  /** `weft up` in the same home. */
  comeBack(): Promise<void> {
    this.said.splice(0);
    return this.run();
  }

  /** Sockets of Redis and the services. */
  get runDirectory(): string {
    return join(this.home, 'run');
  }

  /** For programs beside the stack that belong to it. */
  get serviceEnvironment(): NodeJS.ProcessEnv {
    return {
      ...this.env,
      WEFT_REDIS_URL: `unix:${join(this.runDirectory, 'redis.sock')}`,
      WEFT_DATA_URI: pathToFileURL(`${join(this.home, 'data')}/`).href,
    };
  }

  /** A named pipe in a directory of its own: a tool that reads it waits until the test opens the gate. */
  fifo(name: string): Gate {
    const directory = mkdtempSync(join(this.scratch, 'gate-'));
    const path = join(directory, name);
    if (spawnSync('mkfifo', [path]).status !== 0) throw new Error(`mkfifo ${path} failed`);
    // Opened for both, so that neither side blocks on the other; the line stays in the pipe until it is read.
    const seen = join(directory, 'seen');
    mkdirSync(seen);
    const open = (): void => {
      writeFileSync(openSync(path, 'r+'), 'go\n');
      writeFileSync(join(seen, 'go'), '');
    };
    return { directory, path, seen, open };
  }

  /** Resolves once no sandbox is left; woken by the directory's own changes. */
  noSandboxLeft(): Promise<void> {
    const left = (): string[] => readdirSync(this.sandboxes).filter((name) => name.startsWith('r-') || /\.\d+$/.test(name));
    return new Promise((done) => {
      const watcher = watch(this.sandboxes, () => look());
      const look = (): void => {
        if (left().length > 0) return;
        watcher.close();
        done();
      };
      look();
    });
  }

  /** What a service logged, for the message of a test that failed. */
  log(name: string): string {
    return readFileSync(join(this.home, 'logs', `${name}.log`), 'utf8');
  }

  async stop(): Promise<void> {
    const up = this.up;
    if (up === undefined) return;
    const gone = new Promise<number | null>((done) => up.once('close', done));
    up.kill('SIGTERM');
    const code = await gone;
    rmSync(this.folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`weft up ended with ${code}:\n${this.said.join('\n')}`);
  }

  private async run(): Promise<void> {
    const up = spawn(join(ROOT, 'weft'), ['up'], { cwd: this.scratch, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.up = up;
    for (const input of [up.stdout, up.stderr]) {
      createInterface({ input }).on('line', (line) => {
        this.said.push(line);
        for (const listener of this.listeners) listener(line);
      });
    }
    const died = new Promise<never>((_done, fail) => {
      up.once('error', fail);
      up.once('close', (code) => fail(new Error(`weft up ended with ${code}:\n${this.said.join('\n')}`)));
    });
    died.catch(() => undefined);
    const told = (label: string): Promise<string> => this.nextLine((line) => line.trimStart().startsWith(label));
    const lines = Promise.all([told('REST'), told('gRPC'), told('logs')]);
    const [rest, grpc] = await Promise.race([lines, died]);
    this.url = /(http\S+)\/docs/.exec(rest)?.[1] ?? '';
    this.grpc = grpc.trim().split(/\s+/)[1] ?? '';
  }

  private nextLine(wanted: (line: string) => boolean): Promise<string> {
    return new Promise((done) => {
      const listener = (line: string): void => {
        if (!wanted(line)) return;
        this.listeners.delete(listener);
        done(line);
      };
      this.listeners.add(listener);
    });
  }
}

export function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, ...text }));
  });
}

/** The environment without what would lead a stack of the tests to somebody else's. */
function withoutWeft(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(WEFT_|REDIS_URL$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
