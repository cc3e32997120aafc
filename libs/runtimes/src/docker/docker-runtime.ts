/**
 * Runs tasks in containers of a Docker-compatible engine (Docker, Podman's socket), found by DOCKER_HOST or at /var/run/docker.sock.
 *
 * Invariants:
 *  1. Every container bears the labels of its runner and attempt, so that whatever happens to the runner it can be found again.
 *  2. A container has no capability, gains no privilege, has no network unless asked for, and sees only its mounts.
 *  3. Calls on the way of a task: create, attach, start, wait, remove. Nothing is asked that the task does not need.
 */
import { createReadStream, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { executor } from '@weft/contracts';
import Docker from 'dockerode';
import { type LogSink, type RunningTask, RuntimeFailure, type RuntimeTask, type StartEvents, type TaskRuntime } from '../ports.js';
import { attachWithStdin } from './attach-stdin.js';
import { createOptions, LABELS } from './create-options.js';
import { DockerTask, removeContainer } from './docker-task.js';
import { engineFailure, readEngineError } from './engine-error.js';
import { withAlgorithm } from './image-reference.js';
import { Images, type ImageSource } from './images.js';
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
}

export class DockerRuntime implements TaskRuntime {
  readonly name = 'docker';
  readonly containers = true;
  private readonly docker = new Docker();
  private readonly images: Images;
  private podman: Promise<boolean> | undefined;

  constructor(private readonly options: DockerRuntimeOptions) {
    this.images = new Images(this.docker, options.open, options.pullStallMs, options.imageSources);
  }

  async probe(): Promise<{ version: string; unavailable?: string }> {
    try {
      return { version: (await this.docker.version()).Version };
    } catch (error) {
      return { version: '', unavailable: engineFailure(error, 'use the container engine').message };
    }
  }

  contentId(image: executor.Image): Promise<string | undefined> {
    return this.images.idOf(image);
  }

  async start(task: RuntimeTask, on: StartEvents): Promise<RunningTask> {
    const { image } = task.spec;
    if (image === undefined) throw new RuntimeFailure('IMAGE_MISSING', 'the task names no image', false);
    const container = await this.create(task, image, on);
    // Beside what has to be done one by one: the engine knows by now what the name has led to.
    const imageId = this.imageOf(container);
    try {
      const output = await ContainerOutput.open(task, on.log);
      const { drained } = await this.attach(container, task, output);
      await container.start();
      return new DockerTask(this.docker, container, output, drained, task.spec.timeLimitMs, imageId);
    } catch (error) {
      await removeContainer(container).catch((problem: unknown) =>
        this.options.onProblem(`cannot remove container ${container.id}`, problem),
      );
      throw engineFailure(error, 'start the container');
    }
  }

  async adopt(
    claim: (key: string) => RuntimeTask | 'keep' | 'remove',
    on: { log: (key: string) => LogSink; adopted: (key: string, task: RunningTask) => void },
  ): Promise<void> {
    const filters = { label: [`${LABELS.owner}=${this.options.ownerId}`] };
    try {
      for (const { Id, Labels, State } of await this.docker.listContainers({ all: true, filters })) {
        const key = Labels[LABELS.key] ?? '';
        const claimed = claim(key);
        if (claimed === 'keep') continue;
        const container = this.docker.getContainer(Id);
        const lost = claimed === 'remove' || State === 'created' || !stdinWasSent(claimed);
        if (lost) await removeContainer(container);
        else on.adopted(key, await this.reattach(container, claimed, on.log(key)));
      }
    } catch (error) {
      throw engineFailure(error, 'look for containers of an earlier life');
    }
  }

  /** Containers run on: the next life adopts them. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  private async reattach(container: Docker.Container, task: RuntimeTask, log: LogSink): Promise<RunningTask> {
    const { State, Image } = await container.inspect();
    const logs = async (): Promise<Readable> => (await container.logs({ follow: true, stdout: true, stderr: true })) as unknown as Readable;
    const following = await logs();
    const output = await ContainerOutput.open(task, log);
    const drained = output.drainLog(following, async () => {
      await container.wait();
      return logs();
    });
    const { timeLimitMs } = task.spec;
    const ranMs = Date.now() - Date.parse(State.StartedAt);
    const leftMs = timeLimitMs > 0 ? Math.max(1, timeLimitMs - ranMs) : 0;
    return new DockerTask(this.docker, container, output, settled(drained), leftMs, Promise.resolve(withAlgorithm(Image)));
  }

  /** Creates first and looks for the image only when the engine misses it. */
  private async create(task: RuntimeTask, image: executor.Image, on: StartEvents): Promise<Docker.Container> {
    this.podman ??= this.isPodman();
    const { runnerId, ownerId, extraHosts } = this.options;
    const context = { runnerId, ownerId, user: userOf(task.hostWorkDir), podman: await this.podman, extraHosts };
    const attempt = (name: string): Promise<Docker.Container> =>
      this.docker.createContainer(createOptions(task, { ...context, image: name }));
    try {
      return await attempt(this.images.nameOf(image));
    } catch (error) {
      if (readEngineError(error).status !== 404) throw engineFailure(error, 'create the container');
    }
    const name = await this.images.ensure(image, on);
    return attempt(name).catch((error: unknown) => {
      throw engineFailure(error, 'create the container');
    });
  }

  /** Undefined where the engine does not say: nobody's task fails for that. */
  private async imageOf(container: Docker.Container): Promise<string | undefined> {
    try {
      return withAlgorithm((await container.inspect()).Image);
    } catch (error) {
      if (readEngineError(error).status !== 404) this.options.onProblem(`cannot learn the image of container ${container.id}`, error);
      return undefined;
    }
  }

  /** Resolves when the engine is listening; `drained` when the output has ended. */
  private async attach(container: Docker.Container, task: RuntimeTask, output: ContainerOutput): Promise<{ drained: Promise<void> }> {
    const stdin = task.hostStdin;
    const stream =
      stdin === undefined
        ? await container.attach({ stream: true, stdout: true, stderr: true })
        : await attachWithStdin(this.docker, container.id);
    if (stdin !== undefined) {
      const feeding = pipeline(createReadStream(stdin), stream, { end: true }).then(() => writeFileSync(stdinMark(task), ''));
      // A tool may end without reading all of its input.
      feeding.catch((error: unknown) => {
        if (readEngineError(error).code !== 'EPIPE' && readEngineError(error).code !== 'ERR_STREAM_PREMATURE_CLOSE')
          this.options.onProblem(`stdin of ${task.key}`, error);
      });
    }
    return { drained: settled(output.drain(stream as unknown as Readable)) };
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
