/**
 * Runs tasks in containers of a Docker-compatible engine (Docker, Podman's socket), found by DOCKER_HOST or at /var/run/docker.sock.
 *
 * Invariants:
 *  1. Every container bears the labels of its runner and attempt, so that whatever happens to the runner it can be found again.
 *  2. A container has no capability, gains no privilege, has no network unless asked for, and sees only its mounts.
 *  3. Calls on the way of a task: create, attach, start, wait, remove. Nothing is asked that the task does not need.
 */
import { constants, existsSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { executor } from '@weft/contracts';
import type Docker from 'dockerode';
import {
  type AdoptionEvents,
  type LogSink,
  type Probed,
  type RunningTask,
  RuntimeFailure,
  type RuntimeTask,
  type StartEvents,
  type TaskRuntime,
} from '../ports.js';
import { attachWithStdin } from './attach-stdin.js';
import { ContainerEvents } from './container-events.js';
import { type ContainerLimits, createOptions, LABELS, memoryLimitOf } from './create-options.js';
import { DockerTask } from './docker-task.js';
import { Engine, type EngineOptions } from './engine.js';
import { engineFailure, isUnanswered, readEngineError } from './engine-error.js';
import { withAlgorithm } from './image-reference.js';
import { Images, type ImageSource, type Registries } from './images.js';
import { ContainerOutput } from './output.js';

export interface DockerRuntimeOptions {
  /** For people who look at the engine. */
  runnerId: string;
  /** Whose containers they are: the same in the runner's next life, and no other runner's that uses this engine, whatever their names. */
  ownerId: string;
  /** Reads image archives (dockerLoad, dockerImport). */
  open: (uri: string) => Promise<Readable>;
  /** What went wrong where nobody waits for an answer. */
  onProblem: (text: string, error: unknown) => void;
  /** `host:ip`, for tasks that may use the network. */
  extraHosts?: readonly string[];
  /** A pull without progress for so long is given up, milliseconds; default: two minutes. */
  pullStallMs?: number;
  /** How images that are not there may be had; default: in every way. */
  imageSources?: readonly ImageSource[];
  /** Of tasks that say none; default: none. */
  limits?: ContainerLimits;
  /** Default: images may come from everywhere, with the credentials of this process' user. */
  registries?: Registries;
  /** How long an engine that went away is waited for, milliseconds; default: ten minutes. */
  engineWaitMs?: number;
  /** In so many milliseconds it has to answer a ping, else it is taken for away; default: 15 s. */
  engineSilenceMs?: number;
  /** Of tests: what time is. */
  engineClock?: Pick<EngineOptions, 'pause' | 'nowMs'>;
}

/** There was nobody to take a request. */
const REFUSED = new Set(['ENOENT', 'ECONNREFUSED', 'ENGINE_GONE']);

export class DockerRuntime implements TaskRuntime {
  readonly name = 'docker';
  readonly containers = true;
  private readonly engine: Engine;
  private readonly docker: Docker;
  private readonly events: ContainerEvents;
  private readonly images: Images;
  private podman: Promise<boolean> | undefined;

  constructor(private readonly options: DockerRuntimeOptions) {
    const { open, pullStallMs, imageSources, registries, engineWaitMs: waitMs, engineSilenceMs: pingMs, onProblem } = options;
    this.engine = new Engine({ waitMs, pingMs, onProblem, ...options.engineClock });
    this.docker = this.engine.docker;
    this.events = new ContainerEvents(this.docker, options.ownerId, (signal, ms) => this.engine.moment(signal, ms));
    this.images = new Images(this.docker, open, pullStallMs, imageSources, registries);
    // Another one may be there when it is back.
    this.engine.presence.onReturn(() => (this.podman = undefined));
  }

  async probe(): Promise<Probed> {
    const { presence } = this.engine;
    try {
      if (!presence.isAway) return { version: await this.engine.knownVersion() };
    } catch (error) {
      if (!isUnanswered(error)) return { version: '', unavailable: engineFailure(error, 'use the Docker engine').message };
      await presence.look();
    }
    const { complaint: unavailable, isExpected: expected } = presence;
    return { version: this.engine.lastVersion, unavailable, expected };
  }

  async contentId(image: executor.Image): Promise<string | undefined> {
    if (this.engine.presence.isAway) throw this.engine.presence.failure();
    return this.images.idOf(image);
  }

  available(on: Pick<StartEvents, 'preparing' | 'onUnwanted'>): Promise<void> | undefined {
    return this.engine.presence.isAway ? this.engine.presence.here(on) : undefined;
  }

  async start(task: RuntimeTask, on: StartEvents): Promise<RunningTask> {
    const { image } = task.spec;
    if (image === undefined) throw new RuntimeFailure('IMAGE_MISSING', 'the task names no image', false);
    try {
      return await this.createAndStart(task, image, on);
    } catch (error) {
      if (!(await this.isGoing(error))) throw engineFailure(error, 'start the container');
      const { code, message } = readEngineError(error);
      const begun = this.engine.presence.isHere || code === undefined || !REFUSED.has(code);
      throw new RuntimeFailure('RUNTIME_LOST', `the Docker engine went away while the task was prepared: ${message}`, true, begun);
    }
  }

  async adopt(claim: (key: string) => RuntimeTask | 'keep' | 'remove', on: AdoptionEvents): Promise<void> {
    const filters = { label: [`${LABELS.owner}=${this.options.ownerId}`] };
    try {
      for (const { Id, Labels, State } of await this.docker.listContainers({ all: true, filters })) {
        const key = Labels[LABELS.key] ?? '';
        const claimed = claim(key);
        if (claimed === 'keep') continue;
        const lost = claimed === 'remove' || State === 'created' || !stdinWasSent(claimed);
        if (lost) await this.engine.remove(Id);
        else on.adopted(key, await this.reattach(this.docker.getContainer(Id), claimed, on.log(key)));
      }
    } catch (error) {
      if (isUnanswered(error)) await this.engine.presence.look();
      if (isUnanswered(error) && on.expected) this.engine.presence.expect();
      throw engineFailure(error, 'look for containers of an earlier life');
    }
  }

  /** Containers run on: the next life adopts them. */
  close(): Promise<void> {
    this.engine.close();
    return Promise.resolve();
  }

  /**
   * Whether an engine that has not answered is there after all, or was there and may be back. One that goes down in order fails what it is asked
   * for meanwhile, with whatever it misses first.
   */
  private async isGoing(error: unknown): Promise<boolean> {
    const unanswered = isUnanswered(error);
    if (!unanswered && !engineFailure(error, '').retryable) return false;
    const there = await this.engine.presence.lookAgain();
    return there ? unanswered : this.engine.presence.isExpected;
  }

  private async createAndStart(task: RuntimeTask, image: executor.Image, on: StartEvents): Promise<RunningTask> {
    const { engine, events } = this;
    const hearing = settled(events.open());
    const container = await this.create(task, image, on);
    // Beside what has to be done one by one: the engine knows by now what the name has led to.
    const imageId = this.imageOf(container);
    let output: ContainerOutput | undefined;
    try {
      output = await ContainerOutput.open(task, on.log);
      await hearing;
      const attached = await this.attach(container, task, output);
      events.watch(container.id);
      await container.start();
      return new DockerTask({
        ...{ engine, events, container, task, output, attached, imageId },
        ...{ limited: this.isLimited(task), timeLimitMs: task.spec.timeLimitMs, say: on.preparing },
      });
    } catch (error) {
      await output?.close();
      events.forget(container.id);
      const removal = engine.remove(container.id);
      // An engine that is away is not waited for here: the removal stays due.
      await (isUnanswered(error) ? undefined : engine.whileHere(removal))?.catch((problem: unknown) => {
        if (!isUnanswered(problem)) this.options.onProblem(`cannot remove container ${container.id}`, problem);
      });
      throw error;
    }
  }

  private async reattach(container: Docker.Container, task: RuntimeTask, log: LogSink): Promise<RunningTask> {
    const { State, Image } = await container.inspect();
    const output = await ContainerOutput.open(task, log);
    const { timeLimitMs: limitMs } = task.spec;
    const ranMs = Date.now() - Date.parse(State.StartedAt);
    const timeLimitMs = limitMs > 0 ? Math.max(1, limitMs - ranMs) : 0;
    const { engine, events } = this;
    const [limited, imageId] = [this.isLimited(task), Promise.resolve(withAlgorithm(Image))];
    return new DockerTask({ engine, events, container, task, output, limited, timeLimitMs, imageId });
  }

  private isLimited({ spec }: RuntimeTask): boolean {
    return memoryLimitOf(spec, this.options.limits) > 0;
  }

  /** Creates first and looks for the image only when the engine misses it. */
  private async create(task: RuntimeTask, image: executor.Image, on: StartEvents): Promise<Docker.Container> {
    this.podman ??= this.isPodman();
    const { runnerId, ownerId, extraHosts, limits } = this.options;
    const context = { runnerId, ownerId, user: userOf(task.hostWorkDir), podman: await this.podman, extraHosts, limits };
    const attempt = (name: string): Promise<Docker.Container> => this.createNamed(createOptions(task, { ...context, image: name }));
    try {
      return await attempt(this.images.nameOf(image));
    } catch (error) {
      if (isUnanswered(error)) throw error;
      if (readEngineError(error).status !== 404) throw engineFailure(error, 'create the container');
    }
    const name = await this.images.ensure(image, on);
    return attempt(name).catch((error: unknown) => {
      throw isUnanswered(error) ? error : engineFailure(error, 'create the container');
    });
  }

  /** Of the same name there is only what a request left that was not answered. */
  private async createNamed(options: ReturnType<typeof createOptions>): Promise<Docker.Container> {
    const { name, ...body } = options;
    await this.engine.whileHere(this.engine.removalOf(name));
    // Not the whole of it in the address, as the client library would have it: there is a limit to how long that may be.
    const request = { _query: { name }, _body: body } as unknown as Docker.ContainerCreateOptions;
    try {
      return await this.docker.createContainer({ ...request });
    } catch (error) {
      // It may be there all the same.
      if (isUnanswered(error)) void this.engine.remove(name);
      if (readEngineError(error).status !== 409) throw error;
      await this.engine.whileHere(this.engine.remove(name));
      return this.docker.createContainer({ ...request });
    }
  }

  /** Undefined where the engine does not say: nobody's task fails for that. */
  private async imageOf(container: Docker.Container): Promise<string | undefined> {
    try {
      return withAlgorithm((await container.inspect()).Image);
    } catch (error) {
      if (readEngineError(error).status !== 404 && !isUnanswered(error))
        this.options.onProblem(`cannot learn the image of container ${container.id}`, error);
      return undefined;
    }
  }

  /** Resolves when the engine is listening; `drained` when the output has ended. */
  private async attach(
    container: Docker.Container,
    task: RuntimeTask,
    output: ContainerOutput,
  ): Promise<{ stream: Readable; drained: Promise<void> }> {
    const stdin = task.hostStdin;
    const stream =
      stdin === undefined
        ? await container.attach({ stream: true, stdout: true, stderr: true })
        : await attachWithStdin(this.docker, container.id);
    if (stdin !== undefined) {
      // Before the tool is there to put something else in its place.
      const file = await openPlain(stdin);
      const feeding = pipeline(file.createReadStream(), stream, { end: true }).then(() => writeFileSync(stdinMark(task), ''));
      // A tool may end without reading all of its input; where the connection broke, the task is run again.
      feeding.catch((error: unknown) => {
        if (!isUnanswered(error)) this.options.onProblem(`stdin of ${task.key}`, error);
      });
    }
    const readable = stream as unknown as Readable;
    return { stream: readable, drained: settled(output.drain(readable)) };
  }

  private async isPodman(): Promise<boolean> {
    try {
      const version = await this.docker.version();
      return (version.Components ?? []).some(({ Name }) => Name.startsWith('Podman'));
    } catch (error) {
      this.podman = undefined;
      throw engineFailure(error, 'use the container engine');
    }
  }
}

/** @throws RuntimeFailure INPUT_FILE where it is no file: nothing is waited for that may never come */
async function openPlain(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new RuntimeFailure('INPUT_FILE', `stdin '${path}' is not a file`, false);
}

/** Keeps a rejection that comes before anybody waits from ending the runner. */
function settled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** The runner's own user; for root, the owner of the sandbox. */
function userOf(hostWorkDir: string): string {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid !== undefined && uid !== 0) return `${uid}:${gid}`;
  const owner = statSync(hostWorkDir);
  return `${owner.uid}:${owner.gid}`;
}

function stdinMark(task: RuntimeTask): string {
  return join(dirname(task.hostWorkDir), 'stdin.sent');
}

/** A container whose input was cut off when the runner died cannot give the right result. */
function stdinWasSent(task: RuntimeTask): boolean {
  return task.hostStdin === undefined || existsSync(stdinMark(task));
}
