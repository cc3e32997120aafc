import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decide, type EngineEvent, initialState, type RunState } from '@weft/engine';
import type { CwlObject, Plan } from '@weft/plan';
import { createLogger } from '@weft/platform';
import type { RunHeader } from '@weft/run-store';
import { LocalStorage, pathToFileUri } from '@weft/storage';
import { aRunHeader } from '@weft/testing';
import type { OwnedRun } from '../runs/owned-run.js';
import { Intermediates, locationsIn } from './intermediates.js';
import { RunFolders } from './run-folders.js';
import { anOwnedRun } from '../../test/an-owned-run.js';

const logger = createLogger('test', 'silent');
const RUN = 'r-1';
const BASE = { requirements: [], hints: [], declaredVersion: 'v1.2' };
const tool = {
  ...BASE,
  class: 'CommandLineTool',
  id: 'tool',
  inputs: [{ name: 'x', type: 'Any' }],
  outputs: [{ name: 'out', type: 'Any' }],
};

/** A chain: each step takes what the one before it made; some scatter. */
function chain(steps: number, scatter: readonly number[] = []): Plan {
  const source = (n: number): object => (n === 0 ? { step: null, port: 'x' } : { step: `s${n - 1}`, port: 'out' });
  const link = (n: number): object => ({ sources: [source(n)], list: false, linkMerge: 'merge_nested' });
  const workflow = {
    ...BASE,
    ...{ class: 'Workflow', id: 'main', inputs: [{ name: 'x', type: 'Any' }] },
    outputs: [{ name: 'out', type: 'Any', link: link(steps) }],
    steps: Array.from({ length: steps }, (_, n) => ({
      ...{ requirements: [], hints: [], name: `s${n}`, run: 'tool', out: ['out'], scatter: scatter.includes(n) ? ['x'] : [] },
      in: [{ name: 'x', link: link(n) }],
    })),
  };
  return { planVersion: 1, cwlVersion: 'v1.2', root: 'main', processes: { main: workflow, tool } } as unknown as Plan;
}

class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-intermediates-'));
  readonly data = `${pathToFileUri(this.directory)}/`;
  readonly retired: string[] = [];
  private readonly timers: (() => void)[] = [];
  private readonly log: EngineEvent[] = [];
  readonly folders: RunFolders;
  readonly intermediates: Intermediates;
  readonly state: RunState;
  header: RunHeader | undefined;
  private readonly actor: OwnedRun;
  private readonly executor;
  private atMs = 0;
  isStopped = false;

  constructor(plan: Plan, inputs: CwlObject, options: Partial<{ keepIntermediates: boolean }> = {}, keptByCache: string[] = []) {
    const retire = async (uris: readonly string[]): Promise<string[]> => {
      this.retired.push(...uris.filter((uri) => keptByCache.some((name) => uri.endsWith(`/${name}/`))));
      return uris.filter((uri) => !this.retired.includes(uri));
    };
    this.folders = new RunFolders(new LocalStorage(), this.data, logger, { retire });
    this.state = initialState(plan);
    const clock = { now: () => this.atMs, after: (_ms: number, work: () => void) => this.timer(work) };
    this.intermediates = new Intermediates({ folders: this.folders, header: async () => this.header, clock, logger });
    const isStopped = (): boolean => this.isStopped;
    this.actor = anOwnedRun({
      runId: RUN,
      state: this.state,
      get isStopped() {
        return isStopped();
      },
    });
    this.executor = this.intermediates.following({
      execute: () => undefined,
      applied: () => undefined,
      ending: async () => undefined,
      stopped: () => undefined,
    });
    this.feed({ type: 'RunAccepted', runId: RUN, planHash: 'h', inputs, options: { noContainer: false, maxAttempts: 1, ...options } });
  }

  private timer(work: () => void): () => void {
    this.timers.push(work);
    return () => void this.timers.splice(this.timers.indexOf(work), 1);
  }

  feed(event: EngineEvent): void {
    this.log.push(event);
    decide(this.state, event, ++this.atMs);
    this.executor.applied(this.actor, event);
  }

  /** Task n publishes files of these names and succeeds with the first, or all as an array. */
  succeed(n: number, names: string[] = ['a'], all = false): void {
    const files = names.map((name) => ({ class: 'File', location: this.publish(`${RUN}-${n}.1/${name}`) }));
    this.feed({
      type: 'TaskSucceeded',
      taskId: `${RUN}-${n}`,
      attempt: 1,
      outputs: { out: all ? files : (files[0] ?? null), rest: files },
    });
  }

  publish(path: string): string {
    const uri = `${this.folders.prefixOf(RUN)}${path}`;
    mkdirSync(dirname(fileURLToPath(uri)), { recursive: true });
    writeFileSync(fileURLToPath(uri), 'x');
    return uri;
  }

  stop(): void {
    this.isStopped = true;
    this.executor.stopped(this.actor);
  }

  /** The time after which what was decided is done. */
  async settle(): Promise<void> {
    for (const work of this.timers.splice(0)) work();
    await this.intermediates.close();
  }

  /** The run leaves the live store. */
  clear(header: RunHeader, outputs = header.state === 'succeeded' ? this.state.outputs : undefined): Promise<void> {
    const { log } = this;
    return this.intermediates.clear(
      RUN,
      outputs,
      (async function* () {
        yield* log;
      })(),
    );
  }

  get pending(): number {
    return this.timers.length;
  }

  get left(): string[] {
    const root = join(this.directory, 'runs', RUN);
    return existsSync(root) ? (readdirSync(root, { recursive: true }) as string[]).filter((name) => name.includes('/')).sort() : [];
  }

  /** The run is sealed with the outputs that it has. */
  end(): void {
    this.header = aRunHeader({ runId: RUN, state: 'succeeded' });
    this.stop();
  }

  async dispose(): Promise<void> {
    await this.intermediates.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe('intermediate files', () => {
  let scene: Scene;
  afterEach(() => scene.dispose());

  it('go while the run goes on, once no step needs them, and only some time after the fact is in the log', async () => {
    scene = new Scene(chain(4), { x: 1 });
    scene.succeed(1);
    scene.succeed(2);
    expect(scene.left).toEqual(['r-1-1.1/a', 'r-1-2.1/a']);
    await scene.settle();
    expect(scene.left).toEqual(['r-1-2.1/a']);
    scene.succeed(3);
    await scene.settle();
    expect(scene.left).toEqual(['r-1-3.1/a']);
  });

  it('in the end leave the outputs alone, file by file', async () => {
    scene = new Scene(chain(2), { x: 1 });
    scene.succeed(1);
    scene.succeed(2, ['wanted', 'beside']);
    scene.publish(`${RUN}-2.7/by-somebody-who-was-lost`);
    scene.end();
    await scene.settle();
    expect(scene.left).toEqual(['r-1-2.1/wanted']);
  });

  it('are not looked for where a run has nothing but outputs', () => {
    scene = new Scene(chain(1), { x: 1 });
    scene.succeed(1);
    scene.stop();
    expect(scene.pending).toBe(0);
  });

  it('stay whole where a Directory or a part of it is an output', async () => {
    scene = new Scene(chain(1), { x: 1 });
    const inner = scene.publish(`${RUN}-1.1/dir/inner`);
    const other = scene.publish(`${RUN}-1.1/dir/other`);
    const directory = { class: 'Directory', location: inner.slice(0, inner.lastIndexOf('/')) };
    const rest = [
      { class: 'File', location: inner },
      { class: 'File', location: other },
    ];
    scene.feed({ type: 'TaskSucceeded', taskId: `${RUN}-1`, attempt: 1, outputs: { out: directory, rest } });
    scene.end();
    await scene.settle();
    expect(scene.left.filter((name) => name.includes('/dir/'))).toEqual(['r-1-1.1/dir/inner', 'r-1-1.1/dir/other']);
  });

  it.each([
    [
      'the run has failed',
      (one: Scene) =>
        one.feed({ type: 'TaskFailed', taskId: `${RUN}-3`, attempt: 1, failure: { code: 'X', message: '' }, retryable: false }),
    ],
    ['a cancel was asked for', (one: Scene) => one.feed({ type: 'CancelAsked', reason: '' })],
  ])('stay when %s', async (_what, happen) => {
    scene = new Scene(chain(4), { x: 1 });
    scene.succeed(1);
    await scene.settle();
    scene.succeed(2);
    // What was decided before stays decided; nothing is decided after.
    const decided = scene.pending;
    happen(scene);
    scene.stop();
    await scene.settle();
    expect(decided).toBe(1);
    expect(scene.left).toEqual(['r-1-1.1/a', 'r-1-2.1/a']);
  });

  it('stay where the run keeps them', async () => {
    scene = new Scene(chain(3), { x: 1 }, { keepIntermediates: true });
    for (const n of [1, 2, 3]) scene.succeed(n);
    scene.end();
    await scene.settle();
    await scene.clear(aRunHeader({ runId: RUN, state: 'succeeded' }));
    expect(scene.left).toHaveLength(3);
  });

  it('stay where another run was submitted with them, until the run is deleted', async () => {
    scene = new Scene(chain(3), { x: 1 });
    scene.succeed(1);
    await scene.folders.pin({ f: { class: 'File', location: `${scene.folders.prefixOf(RUN)}${RUN}-1.1/a` }, n: 1 });
    // Names that lead elsewhere, and what is not there, are no folders of runs.
    const elsewhere = ['../escaped/f', 'r-2/../../f', 'r-none/r-none-1.1/a'].map((name) => `${scene.data}runs/${name}`);
    await scene.folders.pin({ f: elsewhere.map((location) => ({ class: 'File', location })) });
    expect(readdirSync(scene.directory)).toEqual(['.trash', 'runs']);
    expect(readdirSync(join(scene.directory, 'runs'))).toEqual([RUN]);
    scene.succeed(2);
    scene.succeed(3);
    scene.end();
    await scene.settle();
    expect(scene.left.filter((name) => !name.startsWith('.'))).toEqual(['r-1-1.1/a', 'r-1-3.1/a']);
    scene.header = aRunHeader({ runId: RUN, state: 'failed' });
    await scene.clear(scene.header);
    expect(scene.left.filter((name) => !name.startsWith('.'))).toEqual(['r-1-1.1/a']);
  });

  it('go to the call cache where it has a use for them', async () => {
    scene = new Scene(chain(3), { x: 1 }, {}, [`${RUN}-1.1`]);
    for (const n of [1, 2, 3]) scene.succeed(n);
    scene.end();
    await scene.settle();
    expect(scene.retired).toEqual([`${scene.folders.prefixOf(RUN)}${RUN}-1.1/`]);
    expect(scene.left).toEqual(['r-1-1.1/a', 'r-1-3.1/a']);
  });

  it('of failed runs go when the run leaves the live store, all of them', async () => {
    scene = new Scene(chain(3), { x: 1 });
    scene.succeed(1);
    await scene.clear(aRunHeader({ runId: RUN, state: 'failed' }));
    expect(readdirSync(join(scene.directory, 'runs'))).toEqual([]);
    await scene.clear(aRunHeader({ runId: RUN, state: 'failed' }));
  });

  it('of failed runs that went on leave what they have among their outputs', async () => {
    scene = new Scene(chain(2), { x: 1 });
    scene.succeed(1, ['a', 'b']);
    const location = pathToFileUri(join(scene.directory, 'runs', RUN, 'r-1-1.1', 'a'));
    const outputs = { out: { class: 'File', location }, rest: null };
    await scene.clear(aRunHeader({ runId: RUN, state: 'failed' }), outputs);
    expect(scene.left).toEqual(['r-1-1.1/a']);
  });

  it('and whole logs go when the run leaves the live store, also where it keeps what it made', async () => {
    for (const keepIntermediates of [false, true]) {
      scene = new Scene(chain(1), { x: 1 }, { keepIntermediates });
      scene.succeed(1);
      scene.publish('logs/t.1.stderr');
      await scene.clear(aRunHeader({ runId: RUN, state: 'succeeded' }), scene.state.outputs ?? {});
      expect(scene.left).toEqual(['r-1-1.1/a']);
      if (!keepIntermediates) await scene.dispose();
    }
  });

  it('beside outputs go then too, where whoever was to remove them has died', async () => {
    scene = new Scene(chain(1), { x: 1 });
    scene.succeed(1, ['a', 'b']);
    const outputs = scene.state.outputs ?? {};
    expect(scene.left).toEqual(['r-1-1.1/a', 'r-1-1.1/b']);
    await scene.clear(aRunHeader({ runId: RUN, state: 'succeeded' }), outputs);
    expect(scene.left).toEqual(['r-1-1.1/a']);
  });

  it('of a wide scatter are marked a few times only', async () => {
    const width = 2000;
    scene = new Scene(chain(3, [0, 1]), { x: Array.from({ length: width }, (_, n) => n) });
    const visit = { count: 0 };
    const list = scene.folders.folderOf.bind(scene.folders);
    scene.folders.folderOf = (runId, location) => {
      visit.count += 1;
      return list(runId, location);
    };
    const feed = (n: number): void => {
      const file = { class: 'File', location: `${scene.folders.prefixOf(RUN)}${RUN}-${n}.1/a` };
      scene.feed({ type: 'TaskSucceeded', taskId: `${RUN}-${n}`, attempt: 1, outputs: { out: file } });
    };
    for (let n = 1; n <= 2 * width; n++) feed(n);
    expect(visit.count / (2 * width)).toBeLessThan(10);
    expect(scene.pending).toBe(1);
  });

  it('finds every location of a value', () => {
    const file = (location: string): CwlObject => ({ class: 'File', location });
    expect([...locationsIn({ a: [file('1'), { ...file('2'), secondaryFiles: [file('3')] }], b: { c: file('4') } })]).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
  });
});
