/**
 * Makes sure that an image is there.
 *
 * Invariants:
 *  1. The engine is asked before anything is fetched; equivalent names count.
 *  2. Tasks that wait for one image share one pull, load, import or build, and all see its progress.
 *  3. A task that is not wanted any more stops waiting; when the last one does, fetching stops.
 *  4. A pull that makes no progress for `pullStallMs` is given up.
 *  5. A name goes into the engine's addresses only where the grammar allows it: whoever sent it, and also one that an archive brought.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { executor } from '@weft/contracts';
import { imageNameProblem, isImageId, parseImageName } from '@weft/plan';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { RuntimeFailure, type StartEvents } from '../ports.js';
import { engineFailure, pullFailure, readEngineError } from './engine-error.js';
import { equivalentNames, withAlgorithm, withTag } from './image-reference.js';
import { followProgress } from './progress-lines.js';
import { ProgressText, type ProgressLine } from './progress-text.js';
import { type Credentials, credentialsFor } from './registry-credentials.js';
import { StallGuard } from './stall-guard.js';

/** How an image that is not there may be had. */
export const IMAGE_SOURCES = ['pull', 'load', 'import', 'build'] as const;
export type ImageSource = (typeof IMAGE_SOURCES)[number];

/** Registries answer within seconds; a layer that is unpacked says nothing for longer. */
const PULL_STALL_MS = 120_000;

/** What a runner allows towards registries. */
export interface Registries {
  /** @param registry as in an image's name; undefined: Docker Hub. @throws RuntimeFailure where nothing may be pulled from there */
  check?: (registry: string | undefined) => Promise<void>;
  credentialsFor?: (registry: string | undefined) => Promise<Credentials | undefined>;
}

interface Fetching {
  done: Promise<string>;
  abort: AbortController;
  watchers: Set<(text: string) => void>;
  last: string | undefined;
}

export class Images {
  private readonly fetching = new Map<string, Fetching>();

  constructor(
    private readonly docker: Docker,
    private readonly open: (uri: string) => Promise<Readable>,
    private readonly pullStallMs = PULL_STALL_MS,
    private readonly sources: readonly ImageSource[] = IMAGE_SOURCES,
    private readonly registries: Registries = {},
  ) {}

  /** The name to try first, without asking the engine. @throws RuntimeFailure where there can be no image of that name */
  nameOf(image: executor.Image): string {
    if (image.reference !== '') return withTag(checked(image.reference));
    const source = image.dockerfile || image.loadUri || image.importUri;
    return `weft-local:${createHash('sha256').update(source).digest('hex').slice(0, 24)}`;
  }

  /** Name under which the engine has the image, fetching it where it has not. @throws RuntimeFailure */
  async ensure(image: executor.Image, on: Pick<StartEvents, 'preparing' | 'onUnwanted'>): Promise<string> {
    const name = this.nameOf(image);
    for (const candidate of equivalentNames(name)) if (await this.has(candidate)) return candidate;
    const running = this.fetching.get(name) ?? this.begin(name, image);
    if (running.last !== undefined) on.preparing(running.last);
    const watcher = (text: string): void => on.preparing(text);
    running.watchers.add(watcher);
    const unwanted = new Promise<never>((_, reject) => {
      on.onUnwanted?.(() => {
        running.watchers.delete(watcher);
        reject(new RuntimeFailure('IMAGE_MISSING', `nobody waits for image '${name}' any more`, false));
        if (running.watchers.size > 0) return;
        // Whoever asks from now on fetches anew.
        if (this.fetching.get(name) === running) this.fetching.delete(name);
        running.abort.abort();
      });
    });
    return Promise.race([running.done, unwanted]).finally(() => running.watchers.delete(watcher));
  }

  /** Content id of the image as the engine has it now; undefined where it has not. @throws RuntimeFailure */
  async idOf(image: executor.Image): Promise<string | undefined> {
    for (const candidate of equivalentNames(this.nameOf(image))) {
      const id = await this.lookUp(candidate);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  private begin(name: string, image: executor.Image): Fetching {
    const watchers = new Set<(text: string) => void>();
    const abort = new AbortController();
    const tell = (text: string): void => {
      fetching.last = text;
      for (const watcher of watchers) watcher(text);
    };
    const fetching: Fetching = { watchers, abort, last: undefined, done: Promise.resolve('') };
    fetching.done = this.fetch(name, image, tell, abort.signal).finally(() => {
      if (this.fetching.get(name) === fetching) this.fetching.delete(name);
    });
    // Where everybody left, nobody hears how it went.
    fetching.done.catch(() => undefined);
    this.fetching.set(name, fetching);
    return fetching;
  }

  private async has(name: string): Promise<boolean> {
    return (await this.lookUp(name)) !== undefined;
  }

  private async lookUp(name: string): Promise<string | undefined> {
    try {
      return withAlgorithm((await this.docker.getImage(checked(name)).inspect()).Id);
    } catch (error) {
      if (readEngineError(error).status === 404) return undefined;
      throw engineFailure(error, `look for image '${name}'`);
    }
  }

  private async fetch(name: string, image: executor.Image, tell: (text: string) => void, abortSignal: AbortSignal): Promise<string> {
    const source = sourceOf(image);
    if (!this.sources.includes(source)) {
      const why = `image '${name}' is not here, and this runner may only ${this.sources.join(', ') || 'use those that are'} (not ${source})`;
      throw new RuntimeFailure('IMAGE_MISSING', why, false);
    }
    if (image.dockerfile !== '') return this.build(name, image.dockerfile, tell, abortSignal);
    if (image.loadUri !== '') return this.load(name, image, tell, abortSignal);
    if (image.importUri !== '') return this.import(name, image.importUri, tell, abortSignal);
    if (isImageId(name)) throw new RuntimeFailure('IMAGE_MISSING', `there is no image '${name}' here, and an id cannot be pulled`, false);
    return this.pull(name, tell, abortSignal);
  }

  private async pull(name: string, tell: (text: string) => void, unwanted: AbortSignal): Promise<string> {
    tell(`pulling image ${name}`);
    const credentials = await this.mayPull(name);
    const stall = new StallGuard(this.pullStallMs, unwanted);
    try {
      const stream = await pullAs(this.docker, name, stall.signal, credentials);
      await follow(stream, new ProgressText(`pulling image ${name}`, tell), (line) => stall.saw(line));
    } catch (error) {
      if (!stall.stalled) throw pullFailure(error, name, credentials !== undefined);
      const seconds = Math.round(this.pullStallMs / 1000);
      throw new RuntimeFailure('IMAGE_PULL', `cannot pull image '${name}': no progress for ${seconds} s`, true);
    } finally {
      stall.end();
    }
    return name;
  }

  /** With what. @throws RuntimeFailure where the runner may not, or cannot tell */
  private async mayPull(name: string): Promise<Credentials | undefined> {
    const registry = parseImageName(name)?.registry;
    try {
      await this.registries.check?.(registry);
      return await (this.registries.credentialsFor ?? credentialsFor)(registry);
    } catch (error) {
      if (!(error instanceof RuntimeFailure)) throw error;
      throw new RuntimeFailure(error.code, `cannot pull image '${name}': ${error.message}`, error.retryable);
    }
  }

  private async build(name: string, dockerfile: string, tell: (text: string) => void, abortSignal: AbortSignal): Promise<string> {
    tell(`building image ${name}`);
    const context = pack();
    context.entry({ name: 'Dockerfile' }, dockerfile);
    context.finalize();
    try {
      await follow(
        await this.docker.buildImage(context as unknown as NodeJS.ReadableStream, { t: name, forcerm: true, abortSignal }),
        new ProgressText(`building image ${name}`, tell),
      );
    } catch (error) {
      throw sourceFailure(error, `build image '${name}' from its Dockerfile`);
    }
    return name;
  }

  private async load(name: string, image: executor.Image, tell: (text: string) => void, abortSignal: AbortSignal): Promise<string> {
    tell(`loading image ${name} from ${image.loadUri}`);
    let loaded: string | undefined;
    try {
      const progress = new ProgressText(`loading image ${name}`, tell, (text) => {
        loaded = /Loaded image(?: ID)?: (\S+)/.exec(text)?.[1] ?? loaded;
      });
      await follow(await this.docker.loadImage(await this.open(image.loadUri), { abortSignal }), progress);
    } catch (error) {
      throw sourceFailure(error, `load image '${name}' from ${image.loadUri}`);
    }
    if (image.reference === '' && loaded !== undefined) {
      const [repo = name, tag] = name.split(':');
      await this.docker.getImage(checked(loaded)).tag({ repo, tag });
      return name;
    }
    for (const candidate of equivalentNames(name)) if (await this.has(candidate)) return candidate;
    throw new RuntimeFailure('IMAGE_MISSING', `the archive ${image.loadUri} holds '${loaded ?? 'no image'}', not '${name}'`, false);
  }

  private async import(name: string, uri: string, tell: (text: string) => void, abortSignal: AbortSignal): Promise<string> {
    tell(`importing image ${name} from ${uri}`);
    const colon = name.lastIndexOf(':');
    const [repo, tag] = [name.slice(0, colon), name.slice(colon + 1)];
    let imported: string | undefined;
    try {
      const archive = await this.open(uri);
      const stream = await this.docker.importImage(archive, { repo, tag, abortSignal });
      await follow(stream, new ProgressText(`importing image ${name}`, tell), ({ status = '' }) => {
        if (isImageId(status)) imported = status;
      });
      // Podman takes no heed of the tag.
      if (imported !== undefined && !(await this.has(name))) await this.docker.getImage(checked(imported)).tag({ repo, tag });
    } catch (error) {
      throw sourceFailure(error, `import image '${name}' from ${uri}`);
    }
    return name;
  }
}

/** @throws RuntimeFailure */
function checked(name: string): string {
  const problem = imageNameProblem(name);
  if (problem === undefined) return name;
  throw new RuntimeFailure('IMAGE_MISSING', `there can be no image of that name: ${problem}`, false);
}

/** The library takes credentials behind a callback only; they travel in a header. */
function pullAs(
  docker: Docker,
  name: string,
  abortSignal: AbortSignal,
  credentials: Credentials | undefined,
): Promise<NodeJS.ReadableStream> {
  const options = { abortSignal };
  if (credentials === undefined) return docker.pull(name, options);
  return new Promise((resolve, reject) => {
    docker.pull(name, options, (error, stream) => (stream ? resolve(stream) : reject(error as Error)), credentials);
  });
}

/** Reads progress lines to the end. @throws where the engine reports an error in the stream, and where that is cut. */
function follow(
  stream: NodeJS.ReadableStream,
  progress: ProgressText,
  onLine: (line: ProgressLine) => void = () => undefined,
): Promise<void> {
  return followProgress(stream, (line) => {
    onLine(line);
    progress.take(line);
  });
}

function sourceOf({ dockerfile, loadUri, importUri }: executor.Image): ImageSource {
  if (dockerfile !== '') return 'build';
  if (loadUri !== '') return 'load';
  return importUri === '' ? 'pull' : 'import';
}

function sourceFailure(error: unknown, doing: string): RuntimeFailure {
  const failure = engineFailure(error, doing);
  return failure.code === 'INTERNAL' ? new RuntimeFailure('IMAGE_PULL', failure.message, false) : failure;
}
