import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executor } from '@weft/contracts';
import { type ExitStatus, type RunningTask, RuntimeFailure, type RuntimeTask, type TaskRuntime } from '@weft/runtimes';
import { createStorage } from '@weft/storage';
import { LogKeeper } from '../logs/log-keeper.js';
import { Admission } from '../admission/admission.js';
import { AttemptTable } from './attempt-table.js';
import { unwatchedDisk } from '../disk/unwatched-disk.fixture.js';
import { DEVICES_FILE, SPEC_FILE } from './attempt-memory.js';
import { InputCache } from '../inputs/input-cache.js';
import { RunnerFiles } from '../inputs/runner-files.js';

/** An engine with containers that outlive a runner, and that may be down. */
class Engine implements TaskRuntime {
  readonly name = 'docker';
  readonly containers = true;
  up = true;
  devices: readonly string[] = [];
  readonly there = new Map<string, (exit: ExitStatus) => void>();
  readonly removed: string[] = [];
  asked = 0;

  probe(): Promise<{ version: string }> {
    return Promise.resolve({ version: '1' });
  }

  available(): undefined {
    return undefined;
  }

  contentId(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  run(key: string): RunningTask {
    const ended = new Promise<ExitStatus>((end) => this.there.set(key, end));
    return {
      handle: `container of ${key}`,
      wait: () => ended,
      stop: () => Promise.resolve(this.there.get(key)?.({ outcome: 'cancelled', exitCode: 143 })),
      remove: () => Promise.resolve(void this.there.delete(key)),
    };
  }

  start(task: RuntimeTask): Promise<RunningTask> {
    this.devices = task.devices;
    return Promise.resolve(this.run(task.key));
  }

  adopt(claim: (key: string) => RuntimeTask | 'keep' | 'remove', on: { adopted: (key: string, task: RunningTask) => void }): Promise<void> {
    this.asked++;
    if (!this.up) return Promise.reject(new RuntimeFailure('RUNTIME_UNAVAILABLE', 'down', true));
    for (const key of [...this.there.keys()]) {
      const claimed = claim(key);
      if (claimed === 'remove') this.removed.push(key);
      else if (claimed !== 'keep') on.adopted(key, this.run(key));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function filesOf(directory: string): RunnerFiles {
  const storage = createStorage();
  return new RunnerFiles(storage, new InputCache({ directory: join(directory, '.cache'), limitBytes: 0, storage }), undefined);
}

describe('taking up what an earlier life left', () => {
  let sandboxRoot: string;
  let engine: Engine;
  let table: AttemptTable;
  let admission: Admission;
  let problems: string[];
  let askAgain: () => void;
  const never = new AbortController().signal;

  const specOf = (taskId: string): executor.TaskSpec =>
    executor.TaskSpec.create({
      taskId,
      attempt: 1,
      runtime: 'docker',
      argv: ['x'],
      image: executor.Image.create({ reference: 'x' }),
      workDir: '/var/spool/cwl',
      tmpDir: '/tmp',
      reserved: { cores: 1, ramBytes: 0, diskBytes: 0, gpus: 1 },
    });
  const leave = (taskId: string, running: boolean, name = `${taskId}-1`): void => {
    mkdirSync(join(sandboxRoot, name, 'work'), { recursive: true });
    writeFileSync(join(sandboxRoot, name, SPEC_FILE), executor.TaskSpec.encode(specOf(taskId)).finish());
    if (running) engine.run(`${taskId}.1`);
  };
  const names = (): string[] => readdirSync(sandboxRoot).filter((name) => !name.startsWith('.'));
  /** Follows an attempt; resolves with what its events were. */
  const follow = async (taskId: string): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { event } of table.execute(specOf(taskId)).watch(never)) {
      seen.push(event?.$case ?? '');
      if (event?.$case === 'started') engine.there.get(`${taskId}.1`)?.({ outcome: 'exited', exitCode: 0 });
    }
    return seen;
  };

  beforeEach(() => {
    sandboxRoot = mkdtempSync(join(tmpdir(), 'weft-adoption-'));
    engine = new Engine();
    problems = [];
    admission = new Admission({ cores: 2, ramBytes: 2 ** 30, devices: ['G0', 'G1'], disk: { totalBytes: 2 ** 40 } });
    table = new AttemptTable({
      sandboxRoot,
      runtimes: [engine],
      storage: filesOf(sandboxRoot),
      logs: new LogKeeper(filesOf(sandboxRoot), 0),
      admission,
      disk: unwatchedDisk(sandboxRoot),
      onProblem: (text) => problems.push(text),
      pause: () => new Promise((resolve) => (askAgain = resolve)),
    });
  });
  afterEach(async () => {
    await table.close();
    rmSync(sandboxRoot, { recursive: true });
  });

  it('adopts what runs and removes what is dead', async () => {
    leave('runs', true);
    leave('dead', false);
    mkdirSync(join(sandboxRoot, 'rubbish'));
    engine.run('stranger.1');
    expect(await table.adopt()).toEqual({ running: 1, finished: 0, waiting: 0, removed: 2 });
    expect(names()).toEqual(['runs-1']);
    expect(engine.removed).toEqual(['stranger.1']);
    expect(await follow('runs')).toEqual(['started', 'finished']);
  });

  it('keeps sandboxes whose engine is down, and adopts or removes them when it answers', async () => {
    leave('runs', true);
    leave('dead', false);
    leave('asked-for', false);
    engine.up = false;
    expect(await table.adopt()).toEqual({ running: 0, finished: 0, waiting: 3, removed: 0 });
    expect(names().sort()).toEqual(['asked-for-1', 'dead-1', 'runs-1']);
    expect(problems).toEqual(["cannot look for tasks of an earlier life in runtime 'docker'; trying again"]);
    askAgain();
    const [running, again] = [follow('runs'), follow('asked-for')];
    while (engine.asked < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(names()).toHaveLength(3);
    expect(problems).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
    engine.up = true;
    askAgain();
    expect(await running).toEqual(['preparing', 'started', 'finished']);
    expect(await again).toEqual(['preparing', 'started', 'finished']);
    expect(names().sort()).toEqual(['asked-for-1', 'runs-1']);
    expect(existsSync(join(sandboxRoot, 'runs-1', 'work'))).toBe(true);
  });

  it("takes up and removes what an earlier version called by another name, and leaves alone what has a stranger's", async () => {
    leave('runs', true, 'runs.1');
    leave('dead', false, 'dead.1');
    leave('odd', false, 'odd-2');
    expect(await table.adopt()).toEqual({ running: 1, finished: 0, waiting: 0, removed: 1 });
    expect(names().sort()).toEqual(['odd-2', 'runs.1']);
    expect(problems).toEqual(['the sandbox odd-2 is left alone']);
    expect(await follow('runs')).toEqual(['started', 'finished']);
    await table.release('runs', 1);
    expect(names()).toEqual(['odd-2']);
  });

  it('counts what it adopts, with its GPUs, until that has ended or turns out to be gone', async () => {
    leave('runs', true);
    leave('gone', false);
    writeFileSync(join(sandboxRoot, 'runs-1', DEVICES_FILE), 'G0');
    writeFileSync(join(sandboxRoot, 'gone-1', DEVICES_FILE), 'G1');
    engine.up = false;
    await table.adopt();
    expect(admission.report()).toMatchObject({ inUse: { cores: 2, gpus: 2 }, admitted: 2 });
    const waiting = follow('new');
    expect(admission.report()).toMatchObject({ waiting: 1 });
    engine.up = true;
    askAgain();
    // `gone` makes room for it.
    expect(await waiting).toEqual(['queued', 'started', 'finished']);
    expect(engine.devices).toEqual(['G1']);
    expect(admission.report()).toMatchObject({ inUse: { cores: 1, gpus: 1 }, admitted: 1, waiting: 0 });
    await follow('runs');
    expect(admission.report()).toMatchObject({ inUse: { cores: 0, gpus: 0 }, admitted: 0 });
  });

  it('leaves alone what this life started before the engine answered', async () => {
    engine.up = false;
    await table.adopt();
    const attempt = table.execute(specOf('new'));
    while (!engine.there.has('new.1')) await new Promise((resolve) => setImmediate(resolve));
    engine.up = true;
    askAgain();
    while (engine.asked < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(engine.removed).toEqual([]);
    engine.there.get('new.1')?.({ outcome: 'exited', exitCode: 0 });
    await attempt.end();
    expect(names()).toEqual(['new-1']);
  });

  it('leaves sandboxes of a runtime that this runner does not have', async () => {
    leave('elsewhere', false);
    const other = new AttemptTable({
      sandboxRoot,
      runtimes: [],
      storage: filesOf(sandboxRoot),
      logs: new LogKeeper(filesOf(sandboxRoot), 0),
      admission,
      disk: unwatchedDisk(sandboxRoot),
      onProblem: (text) => problems.push(text),
    });
    expect((await other.adopt()).removed).toBe(0);
    expect(names()).toEqual(['elsewhere-1']);
    expect(problems).toEqual(['the sandbox elsewhere-1 is left alone']);
    await other.close();
  });
});
