/**
 * Where the templates' Python runs: in containers where a runner of the pool and the coordinator both reach Docker, else with a local
 * Python that weft prepares.
 *
 * Invariants:
 *  1. Every decision is told through `note`; nothing is changed silently.
 *  2. Preparing twice, also from two processes at once, gives the same result.
 *  3. Nothing is installed where something usable is there already.
 */
import { prepareImage, type ImageBuilder, type ImageState } from './docker-image.js';
import { prepareLocalPython, type PythonHost } from './local-python.js';

/** `auto` prefers containers and goes on to a local Python; the others insist. */
export type RuntimeChoice = 'auto' | 'docker' | 'python';

export type AlRuntime = { kind: 'docker'; image: string } | { kind: 'python'; python: string };

/** The runners that the templates' tasks go to. */
export interface ContainerRunners {
  /** Undefined where one of them runs images of Docker, else why none does. */
  unavailable(): Promise<string | undefined>;
}

export interface PrepareOptions {
  choice: RuntimeChoice;
  /** Tells a person what is going on and what was decided. */
  note: (text: string) => void;
  images: ImageBuilder;
  runners: ContainerRunners;
  host: PythonHost;
}

/** Rejects with one message that says what to install where neither way is open. */
export async function prepareAlRuntime({ choice, note, images, runners, host }: PrepareOptions): Promise<AlRuntime> {
  const image = choice === 'python' ? absent('containers are turned off') : await containerImage(images, runners, note);
  if (image.ready) {
    note(`running in containers of ${image.image}`);
    return { kind: 'docker', image: image.image };
  }
  if (choice === 'docker') throw new Error(`the active-learning templates must run in containers, but ${image.reason}`);
  const python = await prepareLocalPython(host, note);
  note(`running with ${python} without containers: ${image.reason}`);
  return { kind: 'python', python };
}

async function containerImage(images: ImageBuilder, runners: ContainerRunners, note: (text: string) => void): Promise<ImageState> {
  const reason = await runners.unavailable();
  return reason === undefined ? prepareImage(images, note) : absent(reason);
}

function absent(reason: string): ImageState {
  return { ready: false, reason };
}
