/** A sandbox as a task may leave it, without a task: specs put into it what they like. */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { LocalPublisher } from '../publishing/publisher.js';
import { layoutOf, type SandboxLayout, type StagingPlan } from '../sandbox/sandbox-layout.js';
import { collectItem, type CollectTarget } from './collector.js';
import { WorkTree } from './work-tree.js';

export const SECRET = 'canary: in nobody’s answer';
export const CONTAINER_WORK_DIR = '/var/spool/cwl';

/** In memory where the machine has that: thousands are made. */
export const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export class HostileSandbox {
  readonly root = mkdtempSync(join(SCRATCH, 'weft-hostile-'));
  readonly layout: SandboxLayout = layoutOf(this.root, 'task', 1);
  readonly published = join(this.root, 'data');
  /** Outside of everything that is the task's. */
  readonly secret = join(this.root, 'outside', 'secret');
  private readonly specials = join(this.root, 'specials');
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    for (const path of [join(this.root, 'outside'), this.specials, join(this.root, 'inputs')]) mkdirSync(path);
    writeFileSync(this.secret, SECRET);
    writeFileSync(join(this.root, 'inputs', 'reference'), 'reference');
    if (spawnSync('mkfifo', [join(this.specials, 'fifo')]).status !== 0) throw new Error('mkfifo failed');
  }

  static async create(): Promise<HostileSandbox> {
    const sandbox = new HostileSandbox(createServer());
    await new Promise<void>((done) => sandbox.server.listen(join(sandbox.specials, 'socket'), done));
    return sandbox;
  }

  /** An empty working directory. */
  begin(): void {
    for (const path of [this.layout.root, this.published]) rmSync(path, { recursive: true, force: true });
    for (const path of [this.layout.root, this.layout.hostWorkDir]) mkdirSync(path);
  }

  path(...names: string[]): string {
    return join(this.layout.hostWorkDir, ...names);
  }

  /** Makes an entry, unless something is there already or a link would be followed. */
  put(name: string, kind: 'file' | 'directory' | 'fifo' | 'socket' | { link: string }): void {
    const parts = name.split('/');
    for (let n = 1; n < parts.length; n++) if (!isPlainDirectory(this.path(...parts.slice(0, n)))) return;
    const path = this.path(name);
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
    if (kind === 'directory') mkdirSync(path);
    else if (kind === 'file') writeFileSync(path, 'own');
    else if (typeof kind === 'object') symlinkSync(kind.link, path);
    else linkSync(join(this.specials, kind), path);
  }

  tree(containers = true, spec: Partial<executor.TaskSpec> = {}, plan: Partial<StagingPlan> = {}): CollectTarget {
    const workDir = containers ? CONTAINER_WORK_DIR : this.layout.hostWorkDir;
    const full = executor.TaskSpec.create({ workDir, ...spec });
    const tree = new WorkTree(full, this.layout, { placements: [], mounts: [], staged: [], made: [], ...plan }, containers);
    return { tree, workDir, publisher: new LocalPublisher(this.published, false, new Set()) };
  }

  collect(target: CollectTarget, item: Partial<executor.CollectItem>): Promise<executor.CollectedFile> {
    return collectItem(executor.CollectItem.create({ checksum: true, ...item }), target);
  }

  async remove(): Promise<void> {
    await new Promise((done) => this.server.close(done));
    rmSync(this.root, { recursive: true, force: true });
  }

  /** When it was last written to or linked, and what is in it. */
  get canary(): string {
    const { mtimeMs, ctimeMs, nlink, mode, size } = statSync(this.secret);
    return [mtimeMs, ctimeMs, nlink, mode, size].join(' ');
  }
}

function isPlainDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
