/**
 * A WEFT_HOME of a test's own, with commands in it as a person calls them, and their stderr line by line while they run.
 *
 * Invariant: `remove()` leaves no process of the stack behind.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pidOf, stackProcesses } from './stack-processes.js';
import { ROOT } from './stack.js';

const TOOL = 'cwlVersion: v1.2\nclass: CommandLineTool\n';
const DOCUMENTS = {
  'hello.cwl': `${TOOL}inputs: []\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [echo, hello]\n`,
  'waits.cwl': `${TOOL}inputs: { go: string }\noutputs: { out: stdout }\nstdout: out.txt\nbaseCommand: [sh, -c, 'cat < "$0"']\narguments: [$(inputs.go)]\n`,
};

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class Running {
  readonly ended: Promise<Ended>;
  private readonly lines: string[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    if (child.stderr) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.lines.push(line);
        for (const look of this.waiting) look();
      });
    }
    this.ended = new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done({ code, stdout, stderr: this.lines.join('\n') }));
    });
  }

  /** Resolves with the first line of stderr that matches; rejects when the command ends without one. */
  says(pattern: RegExp): Promise<string> {
    return new Promise((done, fail) => {
      const look = (): void => {
        const line = this.lines.find((one) => pattern.test(one));
        if (line === undefined) return;
        this.waiting.delete(look);
        done(line);
      };
      this.waiting.add(look);
      look();
      void this.ended.then(({ code, stderr }) => fail(new Error(`it ended with ${code} and never said ${pattern}:\n${stderr}`)));
    });
  }
}

export class OwnHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'weft-life-'));
  readonly home = join(this.folder, 'home');

  constructor(private readonly env: Record<string, string> = {}) {
    for (const [name, content] of Object.entries(DOCUMENTS)) writeFileSync(join(this.folder, name), content);
  }

  start(args: string[], env: Record<string, string> = {}, cli = join(ROOT, 'dist/cli.mjs')): Running {
    const own = Object.entries(process.env).filter(([name]) => !/^(WEFT_|REDIS_URL$|NODE_OPTIONS$|CI$)/.test(name));
    return new Running(
      spawn(process.execPath, [cli, ...args], {
        cwd: this.folder,
        env: {
          ...Object.fromEntries(own),
          ...{
            WEFT_HOME: this.home,
            WEFT_LINGER_S: '600',
            WEFT_PRIVATE: '0',
            WEFT_HTTP_LISTEN: '127.0.0.1:0',
            WEFT_GRPC_LISTEN: '127.0.0.1:0',
          },
          ...this.env,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  weft(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  pid(name: string): number {
    return pidOf(this.home, name);
  }

  /** That of a program which is being started again, once it is there: the supervisor tells its clients. */
  next(name: string): Promise<number> {
    return new Promise((done, fail) => {
      const socket = connect(join(this.home, 'run/stack.sock'));
      socket.once('error', fail);
      createInterface({ input: socket }).on('line', (line) => {
        const { services } = JSON.parse(line) as { services?: Record<string, { pid: number; state: string }> };
        const pid = services?.[name]?.pid ?? 0;
        if (services?.[name]?.state === 'failed') fail(new Error(`${name} was given up`));
        else if (!existsSync(`/proc/${pid}`)) return;
        else done(pid);
        socket.destroy();
      });
    });
  }

  pids(): Record<string, number> {
    return Object.fromEntries(stackProcesses(this.home).map(({ name, pid }) => [name, pid]));
  }

  /** A named pipe: a tool that reads it waits until it is opened. */
  gate(name: string): { path: string; open(): void } {
    const path = join(this.folder, name);
    if (spawnSync('mkfifo', [path]).status !== 0) throw new Error(`mkfifo ${path} failed`);
    // Blocks until the tool has opened it, and closes it: the tool reads to the end.
    return { path, open: () => writeFileSync(path, 'gone on\n') };
  }

  /** Resolves when the process is gone. */
  static gone(pid: number): Promise<void> {
    return new Promise((done) => spawn('tail', [`--pid=${pid}`, '-f', '/dev/null'], { stdio: 'ignore' }).once('exit', () => done()));
  }

  async remove(): Promise<void> {
    await this.weft('down');
    for (const { pid } of stackProcesses(this.home)) process.kill(pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
