/**
 * The image of the templates' tools: found, or built from templates/Dockerfile.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { pack } from 'tar-stream';

/** Named by the DockerRequirement of every tool in templates/tools. */
export const AL_IMAGE = 'weft-al-sklearn:1';

export interface ImageBuilder {
  /** Undefined where an engine answers, else why none does. */
  unavailable(): Promise<string | undefined>;
  exists(image: string): Promise<boolean>;
  /** Rejects with the engine's words where the build fails. */
  build(image: string, note: (text: string) => void): Promise<void>;
}

export type ImageState = { ready: true; image: string } | { ready: false; reason: string };

/** Never rejects for an engine that is absent or a build that fails: those are reasons to run without containers. */
export async function prepareImage(builder: ImageBuilder, note: (text: string) => void): Promise<ImageState> {
  const unavailable = await builder.unavailable();
  if (unavailable !== undefined) return { ready: false, reason: unavailable };
  if (await builder.exists(AL_IMAGE)) return { ready: true, image: AL_IMAGE };
  note(`building the image ${AL_IMAGE}`);
  try {
    await builder.build(AL_IMAGE, note);
  } catch (error) {
    const reason = `the image ${AL_IMAGE} cannot be built (${error instanceof Error ? error.message : String(error)})`;
    return { ready: false, reason };
  }
  note(`built the image ${AL_IMAGE}`);
  return { ready: true, image: AL_IMAGE };
}

/** One line of the engine's build stream. */
interface BuildLine {
  stream?: string;
  error?: string;
}

export class DockerImageBuilder implements ImageBuilder {
  constructor(
    private readonly docker: Docker,
    private readonly templates: string,
  ) {}

  async unavailable(): Promise<string | undefined> {
    try {
      await this.docker.ping();
      return undefined;
    } catch (error) {
      return `no Docker engine answers (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  async exists(image: string): Promise<boolean> {
    try {
      await this.docker.getImage(image).inspect();
      return true;
    } catch (error) {
      if (typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404) return false;
      throw error;
    }
  }

  async build(image: string, note: (text: string) => void): Promise<void> {
    const context = pack();
    context.entry({ name: 'Dockerfile' }, await readFile(join(this.templates, 'Dockerfile')));
    context.finalize();
    const stream = await this.docker.buildImage(Readable.from(context), { t: image });
    await new Promise<void>((resolve, reject) => {
      const progress = (line: BuildLine): void => {
        if (line.stream?.startsWith('Step ')) note(line.stream.trim());
      };
      const end = (error: Error | null, lines?: BuildLine[]): void => {
        const failed = lines?.find((line) => line.error !== undefined);
        if (error ?? failed) reject(error ?? new Error(failed?.error?.trim()));
        else resolve();
      };
      this.docker.modem.followProgress(stream, end, progress);
    });
  }
}
