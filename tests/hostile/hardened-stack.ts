/**
 * A stack as a site would harden it that lets strangers submit, a stranger who attacks it, and a look at the host afterwards.
 *
 * Hardened is: containers only, images only pulled, inputs only below one directory, tokens for callers, a secret between the services, no http
 * inputs at private addresses.
 *
 * Invariants:
 *  1. What must not get out is a text that is in no message of a test: wherever else it is found, it got out. The search proves itself by
 *     finding the places where the test put it.
 *  2. What must not change is compared as a whole: bytes, kind, owner, mode, times, inode and names, so that also what is made, removed or linked shows.
 *  3. Nothing is timed: a neighbour's task is awaited by its events, and order is seen from what is still there at that moment.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
  existsSync,
  watch,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gateway, run } from '@weft/contracts';
import { callUnary } from '@weft/platform';
import { ENDED, Runs } from '../e2e/runs-client.js';
import { Stack, START_TIMEOUT_MS } from '../e2e/stack.js';

export { describeWithDocker } from '../e2e/docker.js';
export { START_TIMEOUT_MS } from '../e2e/stack.js';

export const IMAGE = 'alpine:latest';
/** Small, so that what an attack takes of the machine shows in no other test. */
const RESOURCES = { class: 'ResourceRequirement', coresMin: 0.25, ramMin: 64 };
const NEIGHBOUR = 'neighbour';
export const ATTACKER = 'attacker';

/** What a client saw of a run, all of it. */
export interface Attack {
  runId: string;
  end: run.RunStatusChanged;
  events: run.RunEvent[];
  /** Task starts that the events tell of, by attempt: a permanent fault has one. */
  attempts: number;
  /** Everything: events, logs, the run itself. */
  text: string;
}

export class HardenedStack {
  /** Where inputs may lie. `reference.txt` in it belongs to another project. */
  readonly allowed: string;
  /** Not to be reached: `secret.txt` (mode 0600), `open.txt` (mode 0666), `directory/inner.txt`. */
  readonly outside: string;
  /** The text of each canary. */
  readonly secret: string;
  /** A client with the token. */
  readonly runs: Runs;
  private before: Host;

  private constructor(
    readonly stack: Stack,
    private readonly folder: string,
    private readonly secrets: { token: string; secret: string },
    private readonly pids: Record<string, number>,
  ) {
    this.secret = secrets.secret;
    this.allowed = join(folder, 'allowed');
    this.outside = join(folder, 'outside');
    this.runs = new Runs(stack.grpc, secrets.token);
    writeFileSync(join(this.home, 'canary.txt'), `${this.secret}\n`, { mode: 0o600 });
    writeFileSync(join(stack.sandboxes, '.canary'), `${this.secret}\n`, { mode: 0o600 });
    this.before = this.look();
  }

  /** @param env on top of what hardens it */
  static async start(env: Record<string, string> = {}): Promise<HardenedStack> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weft-hostile-')));
    const [token, secret] = [randomBytes(24).toString('hex'), `canary-${randomBytes(24).toString('hex')}`];
    writeFileSync(join(folder, 'tokens'), `${createHash('sha256').update(token).digest('hex')} test\n`, { mode: 0o600 });
    for (const name of ['allowed', 'outside', 'outside/directory']) mkdirSync(join(folder, name));
    for (const [name, mode] of Object.entries({
      'allowed/reference.txt': 0o644,
      'outside/secret.txt': 0o600,
      'outside/open.txt': 0o666,
      'outside/directory/inner.txt': 0o666,
    })) {
      writeFileSync(join(folder, name), `${secret}\n`);
      chmodSync(join(folder, name), mode);
    }
    const stack = await Stack.start({
      WEFT_RUNTIMES: 'docker',
      WEFT_IMAGE_SOURCES: 'pull',
      WEFT_ALLOWED_ROOTS: join(folder, 'allowed'),
      WEFT_ALLOW_PRIVATE_HTTP: '0',
      WEFT_API_TOKENS_FILE: join(folder, 'tokens'),
      WEFT_SERVICE_SECRET: randomBytes(24).toString('hex'),
      // An attack has to be made, not remembered.
      WEFT_CALL_CACHE: 'off',
      ...env,
    });
    return new HardenedStack(stack, folder, { token, secret }, await stack.pids());
  }

  /** `$WEFT_HOME`; `canary.txt` in it is a canary, and so is `.canary` beside the sandboxes. */
  get home(): string {
    return dirname(this.stack.sandboxes);
  }

  /** Where the stack's Redis listens. */
  get redisSocket(): string {
    return join(this.stack.runDirectory, 'redis.sock');
  }

  /** What REST answers to whoever has the token. */
  rest(path: string, more: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Response> {
    return fetch(this.stack.url + path, { ...more, headers: { ...more.headers, authorization: `Bearer ${this.secrets.token}` } });
  }

  /** Submits as the attacker's project. @throws what the gateway answers */
  submit(cwl: unknown, inputs: object = {}, more: Partial<gateway.SubmitRequest> = {}): Promise<string> {
    return this.runs.submit(cwl, inputs, { projectId: ATTACKER, ...more });
  }

  /** Submits and stays until the end. */
  async attack(cwl: unknown, inputs: object = {}, more: Partial<gateway.SubmitRequest> = {}): Promise<Attack> {
    return this.witness(await this.submit(cwl, inputs, more));
  }

  /** All that a client can see of a run, once it has ended. */
  async witness(runId: string): Promise<Attack> {
    const events: run.RunEvent[] = [];
    const logs: run.LogChunk[] = [];
    let end: run.RunStatusChanged | undefined;
    for await (const event of this.runs.watch(runId)) {
      events.push(event);
      if (event.event?.$case === 'runStatus') end = event.event.value;
    }
    if (end === undefined || !ENDED.includes(end.status)) throw new Error(`the events of run ${runId} broke off`);
    for await (const chunk of this.runs.logs(runId)) logs.push(chunk);
    const { client } = this.runs;
    const shown = await callUnary(client, client.get, { runId });
    const tasks = await callUnary(client, client.tasks, gateway.TasksRequest.fromPartial({ runId }));
    const begun = events.flatMap(({ event }) =>
      event?.$case === 'taskStatus' && event.value.task?.status === run.TaskStatus.RUNNING
        ? [`${event.value.task.taskId}.${event.value.task.attempt}`]
        : [],
    );
    return { runId, end, events, attempts: new Set(begun).size, text: JSON.stringify([events, logs, shown, tasks]) };
  }

  /**
   * A task of another project begins and succeeds; with `beside`, a run that must still be there when it has begun: the neighbour waited for
   * nothing that the attacker has.
   */
  async neighbourRuns(beside?: string): Promise<void> {
    const runId = await this.runs.submit(tool('echo neighbour'), {}, { projectId: NEIGHBOUR });
    await this.runs.untilRunning(runId);
    if (beside !== undefined) {
      const { client } = this.runs;
      const { run: attacking } = await callUnary(client, client.get, { runId: beside });
      if (attacking === undefined || ENDED.includes(attacking.status)) throw new Error(`run ${beside} had ended when the neighbour began`);
    }
    const end = await this.runs.end(runId);
    expect([end.failure, end.status]).toEqual([undefined, run.RunStatus.SUCCEEDED]);
  }

  /** Nothing was read or written, everything is alive, and a neighbour's task runs. @param attacks what clients saw of them */
  async expectUnharmed(...attacks: Pick<Attack, 'runId' | 'text'>[]): Promise<void> {
    expect(attacks.filter(({ text }) => text.includes(this.secret)).map(({ runId }) => runId)).toEqual([]);
    expect(this.look()).toEqual(this.before);
    expect(await this.stack.pids()).toEqual(this.pids);
    await this.neighbourRuns();
    await this.stack.noSandboxLeft();
    await emptied(join(this.stack.sandboxes, '.trash'));
    expect(this.placesOfSecret()).toEqual(['canary.txt', 'sandboxes/.canary']);
  }

  /** A service that the test itself has ended, and that is back: its new process is the one to stay. */
  async restarted(service: string): Promise<void> {
    const now = await this.stack.pids();
    expect(now[service]).not.toBe(this.pids[service]);
    this.pids[service] = now[service] ?? 0;
  }

  /** Files below the home that hold the canaries' text: results, logs, sandboxes, Redis, everything. */
  private placesOfSecret(): string[] {
    const found = spawnSync('grep', ['-rlsF', '-D', 'skip', '-e', this.secret, '.'], { cwd: this.home, encoding: 'utf8' });
    return found.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^\.\//, ''))
      .sort();
  }

  async stop(): Promise<void> {
    this.runs.close();
    await this.stack.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private look(): Host {
    const canaries = [join(this.home, 'canary.txt'), join(this.stack.sandboxes, '.canary')];
    return Object.fromEntries([this.allowed, this.outside, ...canaries].flatMap((top) => lookBelow(top)));
  }
}

/**
 * One stack for all tests of a file: started before the first, looked at after each with all attacks so far (`expectUnharmed`), stopped after the last.
 * @param env on top of what hardens it
 */
export function oneHardenedStack(env: Record<string, string> = {}): {
  hardened(): HardenedStack;
  attacks: Attack[];
  attack: HardenedStack['attack'];
} {
  let stack: HardenedStack | undefined;
  const attacks: Attack[] = [];
  const hardened = (): HardenedStack => {
    if (stack === undefined) throw new Error('the stack was not started');
    return stack;
  };
  beforeAll(async () => {
    stack = await HardenedStack.start(env);
  }, START_TIMEOUT_MS);
  afterAll(() => stack?.stop());
  afterEach(() => hardened().expectUnharmed(...attacks));
  const attack: HardenedStack['attack'] = async (...submission) => {
    const seen = await hardened().attack(...submission);
    attacks.push(seen);
    return seen;
  };
  return { hardened, attacks, attack };
}

/** A tool of one shell command in a container. */
export function tool(command: string, more: { outputs?: object; requirements?: object[]; [field: string]: unknown } = {}): object {
  return {
    cwlVersion: 'v1.2',
    class: 'CommandLineTool',
    inputs: {},
    outputs: {},
    baseCommand: ['sh', '-c', command],
    ...more,
    requirements: [{ class: 'DockerRequirement', dockerPull: IMAGE }, RESOURCES, ...(more.requirements ?? [])],
  };
}

/** Once nothing is in a directory any more: what ended tasks had is removed after they are told. */
function emptied(directory: string): Promise<void> {
  return new Promise((done) => {
    if (!existsSync(directory)) return done();
    const watcher = watch(directory, () => look());
    const look = (): void => {
      if (readdirSync(directory).length > 0) return;
      watcher.close();
      done();
    };
    look();
  });
}

type Host = Record<string, string>;

function lookBelow(path: string): [string, string][] {
  const stats = lstatSync(path, { bigint: true });
  const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = stats;
  const contents = stats.isSymbolicLink() ? readlinkSync(path) : stats.isFile() ? readFileSync(path, 'latin1') : '';
  const one: [string, string] = [path, `${ino} ${mode.toString(8)} ${uid}:${gid} ${nlink} ${size} ${mtimeNs} ${ctimeNs} ${contents}`];
  return [one, ...(stats.isDirectory() ? readdirSync(path).flatMap((name) => lookBelow(join(path, name))) : [])];
}
