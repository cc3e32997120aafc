/**
 * A Docker engine of a test's own, which may be killed, stopped, frozen and started again: Debian's dockerd with everything that it keeps in a
 * temporary directory, no bridge and no firewall rules. Needs root. Images come from the engine that the tests use otherwise.
 *
 * Invariants:
 *  1. Nothing waits for time: it is ready when it says that its API listens, and gone when its process is.
 *  2. It has a network of its own: an engine without a bridge removes that of the machine's engine otherwise.
 *  3. `dispose` ends everything that it started, by process id, and removes the directory.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, appendFileSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Why there can be none here; undefined where there can. */
export function ownEngineUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start a Docker engine';
  return ['unshare', 'dockerd', 'docker'].map(missing).find((what) => what !== undefined);
}

function missing(program: string): string | undefined {
  const found = (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return found ? undefined : `there is no ${program}`;
}

export class OwnEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  private daemon: ChildProcess | undefined;
  private liveRestore = false;

  private constructor(readonly directory: string) {
    this.host = `unix://${join(directory, 'docker.sock')}`;
  }

  /** With these images. */
  static async start(images: readonly string[], { liveRestore = false } = {}): Promise<OwnEngine> {
    // Short: names of sockets have a limit.
    const engine = new OwnEngine(mkdtempSync(join(tmpdir(), 'wde-')));
    // Not this machine's.
    writeFileSync(join(engine.directory, 'none.json'), '{}');
    try {
      await engine.up({ liveRestore });
      for (const image of images) engine.load(image);
    } catch (error) {
      await engine.dispose();
      throw error;
    }
    return engine;
  }

  /** Resolves when it answers. */
  async up({ liveRestore = this.liveRestore } = {}): Promise<void> {
    this.liveRestore = liveRestore;
    const at = (name: string): string => join(this.directory, name);
    // One that was killed has left them; its containerd went with it, and its number may be another's by now.
    for (const name of ['dockerd.pid', 'exec/containerd/containerd.pid']) rmSync(at(name), { force: true });
    const daemon = spawn(
      'unshare',
      [
        ...['--net', 'dockerd'],
        ...[
          '--data-root',
          at('data'),
          '--exec-root',
          at('exec'),
          '--pidfile',
          at('dockerd.pid'),
          '--host',
          this.host,
          '--config-file',
          at('none.json'),
        ],
        ...['--bridge=none', '--iptables=false', '--storage-driver', 'vfs', ...(liveRestore ? ['--live-restore'] : [])],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.daemon = daemon;
    const lines = createInterface({ input: daemon.stderr });
    await new Promise<void>((ready, fail) => {
      lines.on('line', (line) => {
        appendFileSync(at('dockerd.log'), `${line}\n`);
        if (line.includes('API listen on')) ready();
      });
      daemon.once('error', fail);
      daemon.once('exit', (code) => fail(new Error(`dockerd ended with ${code}:\n${this.log()}`)));
    });
  }

  /** Resolves when its process is gone: at once after SIGKILL, and after SIGTERM when it has stopped its containers. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { daemon } = this;
    this.daemon = undefined;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = once(daemon, 'exit');
    daemon.kill(signal);
    await gone;
  }

  /** It stays there, and answers nothing. */
  freeze(): void {
    this.daemon?.kill('SIGSTOP');
  }

  thaw(): void {
    this.daemon?.kill('SIGCONT');
  }

  /** What the command `docker` prints about it. @throws Error where that fails */
  docker(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('docker', ['--host', this.host, ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** Names of all its containers, running or not. */
  containers(): string[] {
    return this.docker('ps', '--all', '--format', '{{.Names}}')
      .split('\n')
      .filter((name) => name !== '');
  }

  log(): string {
    return readFileSync(join(this.directory, 'dockerd.log'), 'utf8').split('\n').slice(-30).join('\n');
  }

  async dispose(): Promise<void> {
    this.thaw();
    await this.end('SIGKILL');
    for (const pid of this.processes()) kill(pid);
    // What its containers had mounted.
    const mounted = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const path of mounted.reverse()) if (path.startsWith(`${this.directory}/`)) spawnSync('umount', ['--lazy', path]);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  private load(image: string): void {
    const archive = join(this.directory, 'image.tar');
    const saved = spawnSync('docker', ['save', '--output', archive, image], { encoding: 'utf8' });
    if (saved.status !== 0) throw new Error(`docker save ${image}: ${saved.stderr}`);
    this.docker('load', '--input', archive);
    rmSync(archive);
  }

  /** Its containerd, its shims and what runs in its containers: whatever has its directory in its command line, and their children. */
  private processes(): number[] {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
    const mine = new Set(all.filter((pid) => pid !== process.pid && isEnginePart(pid, this.directory)));
    for (let grown = true; grown;) {
      grown = false;
      for (const [pid, parent] of parents) if (!mine.has(pid) && mine.has(parent)) grown = Boolean(mine.add(pid));
    }
    return [...mine];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Gone with what it belonged to.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isEnginePart(pid: number, directory: string): boolean {
  const words = readOf(`/proc/${pid}/cmdline`).split('\0');
  return (
    /(^|\/)(containerd|containerd-shim[^/]*|runc|docker-proxy)$/.test(words[0] ?? '') &&
    words.some((word) => word.startsWith(`${directory}/`))
  );
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Empty where the process is gone. */
function readOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
