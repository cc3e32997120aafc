/**
 * One chaos test: learn the reference undisturbed, disturb while runs go on, let everything come to rest, judge.
 *
 * Invariants:
 *  1. A run is given up only where nothing was appended anywhere for STUCK_MS although all services are up: that is a problem of its own.
 *  2. Every wait has a limit and says what it was for; what took too long, or broke, is a problem of its own, and the rest is judged.
 *  3. Whatever happens, every process and container of the system under test is gone at the end; its folder stays where something failed.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRedis, redisConnection } from '@weft/platform';
import { createRedisRunStore, type RunStore, withArchive } from '@weft/run-store';
import { archiveBelow } from './archive.js';
import { ChaosClient } from './client.js';
import { Containers } from './containers.js';
import { within } from './limits.js';
import { Load, inParallel } from './load.js';
import { MIX, VARIANTS } from './mix.js';
import { judgeDead, judgeLiving } from './oracles/judge.js';
import { connections } from './oracles/redis.js';
import type { Evidence, Verdict } from './oracles/verdict.js';
import { Progress } from './progress.js';
import { type SlowDisk, type Submission, disturbances, redisKills, submissions } from './schedule.js';
import { type Done, Storm } from './storm.js';
import { type World, allServing, makeWorld, startAll, stopAll } from './world.js';

export interface ChaosOptions {
  /** How long the system is disturbed. */
  minutes: number;
  seed: number;
  /** Log entries between two disturbances, on average. */
  pace: number;
  /** Runs under way at the same time. */
  hands: number;
  docker: boolean;
  /** How often Redis dies while it waits for a slow disk. */
  slowDisk: SlowDisk;
  /** Instead of everything else: Redis is killed so many times while it waits for a slow disk, however long that takes. */
  redisKills?: number;
  /** Directory of the built programs. */
  dist: string;
  /** The folder stays even where everything passed. */
  keep: boolean;
  say(line: string): void;
}

export interface ChaosReport {
  seed: number;
  minutes: number;
  folder: string;
  runs: number;
  ends: Record<string, number>;
  retried: number;
  /** Retries that were refused, because they came after the retention time. */
  late: number;
  /** Runs submitted again after their like had ended, and tasks, of all runs, whose results were known. */
  submittedAgain: number;
  reused: number;
  entries: number;
  callsRepeated: number;
  streamsResumed: number;
  disturbances: Done[];
  verdicts: Verdict[];
}

const STUCK_MS = 60_000;
/** From the calm on, whatever moves. */
const DRAIN_LIMIT_MS = 240_000;
/** Of everything once, undisturbed. */
const LEARN_LIMIT_MS = 600_000;
/** For what is paused or drained to go on, for a look at Redis, for one service's logs. */
const STEP_LIMIT_MS = 120_000;
/** All oracles together; each look has a limit of its own. */
const JUDGE_LIMIT_MS = 600_000;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const found = new Findings(options.say);
  const world = await makeWorld(options.dist, { note: options.say, problem: (text) => found.add('services', text) });
  const destroy = (): void => Object.values(world.services).forEach((service) => service.destroy());
  process.once('exit', destroy);
  options.say(`seed ${options.seed}; folder ${world.folder}`);
  const containers = options.docker ? new Containers(world.runnerIds) : undefined;
  const store = createRedisRunStore({ redis: redisConnection(world.redisUrl), onError: () => undefined });
  const stop = new AbortController();
  const client = new ChaosClient(world.gateways, { problem: (text) => found.add('clients', text) }, stop.signal);
  const test = new Test(options, world, store, client, containers, found, stop);
  try {
    await test.run();
    return await test.judge();
  } finally {
    stop.abort(new Error('the test is over'));
    client.close();
    containers?.close();
    destroy();
    process.removeListener('exit', destroy);
    await within(STEP_LIMIT_MS, 'containers to be removed', removeAll(containers)).catch((error: Error) => options.say(error.message));
    if (!options.keep && found.nothing && test.passed) rmSync(world.folder, { recursive: true, force: true });
  }
}

const NAMES = {
  lost: 'every acknowledged run is there',
  ends: 'every run ends as undisturbed',
  bytes: 'outputs have the bytes that their checksums say',
  clients: 'clients hear documented answers only',
  watchers: 'a resumed stream is a whole one',
  keys: 'a key that is used twice at once gives one run',
  services: 'no service dies by itself, each ends in order',
  rest: 'everything comes to rest',
};

/** What was found while the test went on, by oracle. */
class Findings {
  private readonly lists = new Map<keyof typeof NAMES, string[]>();

  constructor(private readonly say: (line: string) => void) {}

  get nothing(): boolean {
    return this.lists.size === 0;
  }

  add(oracle: keyof typeof NAMES, text: string): void {
    this.say(`PROBLEM (${NAMES[oracle]}): ${text}`);
    this.lists.set(oracle, [...(this.lists.get(oracle) ?? []), text]);
  }

  verdicts(): Verdict[] {
    return (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((oracle) => ({
      name: NAMES[oracle],
      problems: this.lists.get(oracle) ?? [],
    }));
  }
}

class Test {
  passed = false;
  /** To Redis, while nothing was disturbed yet. */
  private connectionsAtFirst = 0;
  private readonly progress = new Progress();
  private readonly load: Load;
  private readonly storm: Storm;

  constructor(
    private readonly options: ChaosOptions,
    private readonly world: World,
    private readonly store: RunStore,
    private readonly client: ChaosClient,
    private readonly containers: Containers | undefined,
    private readonly found: Findings,
    private readonly stop: AbortController,
  ) {
    this.load = new Load(world, client, this.progress, (oracle, text) => found.add(oracle, text));
    this.storm = new Storm(world, containers, client, this.progress, options.say);
  }

  /** What breaks, or takes too long, is found like anything else; what can be judged nevertheless is. */
  async run(): Promise<void> {
    try {
      await within(STEP_LIMIT_MS, 'the Docker engine', this.containers?.listen() ?? Promise.resolve());
      await startAll(this.world);
      await this.disturbed();
    } catch (error) {
      this.found.add('rest', `it broke off: ${(error as Error).stack}`);
      this.stop.abort(new Error('given up'));
    }
  }

  private async disturbed(): Promise<void> {
    const { options, progress, storm, load } = this;
    await within(STEP_LIMIT_MS, 'Redis', progress.listen(this.store.nudges));
    const kinds = Object.entries(MIX).filter(([, item]) => options.docker || !item.needsDocker);
    const began = Date.now();
    const learning = load.learn(
      kinds.map(([kind]) => kind),
      VARIANTS,
    );
    await within(LEARN_LIMIT_MS, () => `undisturbed runs: ${[...load.open.values()].join('; ')}`, learning);
    options.say(
      `undisturbed: ${kinds.length * VARIANTS} runs, ${progress.entries} log entries in ${((Date.now() - began) / 1000).toFixed(1)} s`,
    );
    this.connectionsAtFirst = await within(STEP_LIMIT_MS, 'Redis', this.countConnections());
    const over = new AbortController();
    const time = setTimeout(() => over.abort(), options.minutes * 60_000);
    const weights = Object.fromEntries(kinds.map(([kind, { weight }]) => [kind, weight]));
    const working = inParallel(options.hands, submissions(options.seed, weights, VARIANTS), (next) => this.take(next), over.signal);
    const { seed, pace, slowDisk, redisKills: kills } = options;
    const schedule = kills === undefined ? disturbances(seed, pace, slowDisk) : redisKills(seed, pace, kills);
    // One that ends by itself is over then.
    const raging = storm.rage(schedule, over.signal).finally(() => over.abort());
    try {
      await Promise.all([raging, this.rest(working, over.signal)]);
    } finally {
      clearTimeout(time);
      over.abort();
    }
  }

  private async countConnections(): Promise<number> {
    const redis = createRedis(this.world.redisUrl);
    try {
      return await connections(redis);
    } finally {
      redis.disconnect();
    }
  }

  private async take(next: Submission): Promise<void> {
    try {
      await this.load.take(next);
    } catch (error) {
      if (!this.stop.signal.aborted) this.found.add('rest', `s-${next.n} (${next.kind}) broke off: ${(error as Error).stack}`);
    }
  }

  /** Waits for all runs; after the storm, with everything up, they must not take for ever. */
  private async rest(working: Promise<void>, over: AbortSignal): Promise<void> {
    let resting = false;
    const rested = working.then(() => true);
    void rested.then(() => (resting = true));
    await new Promise<void>((done) => (over.aborted ? done() : over.addEventListener('abort', () => done(), { once: true })));
    await within(STEP_LIMIT_MS, 'what was paused or drained to go on', this.storm.calm());
    await allServing(this.world);
    this.options.say(`calm after ${this.storm.done.length} disturbances; ${this.load.open.size} runs to go`);
    const deadline = Date.now() + DRAIN_LIMIT_MS;
    while (!resting) {
      await Promise.race([rested, this.progress.until(() => false, 1_000)]);
      if (resting || (this.progress.idleMs < STUCK_MS && Date.now() < deadline)) continue;
      for (const [key, what] of this.load.open) this.found.add('rest', `${key}: ${what} does not end`);
      this.stop.abort(new Error('given up'));
      await within(STEP_LIMIT_MS, () => `clients to give up: ${[...this.load.open.values()].join('; ')}`, rested);
    }
  }

  async judge(): Promise<ChaosReport> {
    const { world, client, containers, load } = this;
    const store = withArchive(this.store, archiveBelow(world.data));
    const evidence: Evidence = { world, store, client, containers, acknowledged: load.acknowledged.filter(({ lost }) => !lost) };
    const living = this.stop.signal.aborted
      ? []
      : ((await this.step(JUDGE_LIMIT_MS, 'all oracles', judgeLiving(evidence, this.store, this.connectionsAtFirst))) ?? []);
    await this.step(STEP_LIMIT_MS, 'the logs of all runs', this.keepLogs(store));
    await this.step(STEP_LIMIT_MS, 'the connections to Redis to close', this.store.close());
    await this.step(STEP_LIMIT_MS, 'all services to end', stopAll(world));
    const verdicts = [...this.found.verdicts(), ...living, ...(await judgeDead(evidence))];
    this.passed = verdicts.every(({ problems }) => problems.length === 0);
    const ends: Record<string, number> = {};
    for (const { ended } of load.acknowledged) if (ended) ends[ended.run.status] = (ends[ended.run.status] ?? 0) + 1;
    const reused = load.acknowledged.flatMap(({ ended }) => ended?.tasks ?? []).filter(({ cached }) => cached).length;
    const report: ChaosReport = {
      ...{ seed: this.options.seed, minutes: this.options.minutes, folder: world.folder, runs: load.acknowledged.length, ends },
      ...{ retried: load.retried, late: load.late, submittedAgain: load.submittedAgain, reused },
      ...{ entries: this.progress.entries, callsRepeated: client.repeated, streamsResumed: client.resumed },
      ...{ disturbances: this.storm.done, verdicts },
    };
    writeFileSync(join(world.folder, 'report.json'), JSON.stringify(report, null, 2));
    return report;
  }

  /** Undefined where it broke or took too long, which is a problem. */
  private async step<T>(limitMs: number, what: string, work: Promise<T>): Promise<T | undefined> {
    try {
      return await within(limitMs, what, work);
    } catch (error) {
      this.found.add('rest', `${what}: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** The runs' logs, beside those of the services, for whoever looks for the cause. */
  private async keepLogs(store: RunStore): Promise<void> {
    const runs = await Promise.all(this.load.acknowledged.map(async (run) => ({ ...run, entries: await store.reader.read(run.runId, 0) })));
    writeFileSync(join(this.world.logs, 'runs.jsonl'), runs.map((run) => `${JSON.stringify(run)}\n`).join(''));
  }
}

async function removeAll(containers: Containers | undefined): Promise<void> {
  for (const { id } of (await containers?.all()) ?? []) await containers?.remove(id);
}
