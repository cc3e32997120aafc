/**
 * How a runner runs a task: one port, one contract suite, several adapters (process, docker).
 *
 * Invariants:
 *  1. `start` either rejects with RuntimeFailure and leaves nothing behind, or resolves once the tool is running (or has already ended).
 *  2. `wait` resolves exactly once per attempt, also for a handle that was adopted after a restart of the runner.
 *  3. After `remove`, no container, process or mount of the attempt is left.
 *  4. A tool that writes to its log faster than `log` accepts is held up, never buffered without bound: `log` may return a promise.
 */
import type { executor } from '@weft/contracts';

/** A task with its paths on the host worked out and its inputs staged by the sandbox. */
export interface RuntimeTask {
  spec: executor.TaskSpec;
  /** `<taskId>.<attempt>` */
  key: string;
  /** Host directories of the sandbox. */
  hostWorkDir: string;
  hostTmpDir: string;
  /** Host path → path as the task sees it; in the order to mount them. Empty for runtimes that see the host's files. */
  mounts: { hostPath: string; taskPath: string; readOnly: boolean }[];
  /** Real paths of the inputs that the task is given by their read-only names. */
  readOnly: readonly string[];
  /** Ids of the GPUs that are the task's, and nobody else's. */
  devices: readonly string[];
  /** Host paths of the redirected streams, those of the output where no task can reach them; absent: give the data to `onLog`. */
  hostStdin?: string;
  hostStdout?: string;
  hostStderr?: string;
}

export interface ExitStatus {
  outcome: 'exited' | 'cancelled' | 'time-limit' | 'out-of-memory';
  exitCode: number;
  cpuSeconds?: number;
  maxRssBytes?: number;
  /** Content id of the image the tool ran in ("sha256:…"); absent where it ran in none. */
  imageId?: string;
}

export interface RunningTask {
  /** Container id or process id. */
  handle: string;
  /** @throws RuntimeFailure where it turns out only now that the tool could not be started. */
  wait(): Promise<ExitStatus>;
  stop(graceMs: number, reason: 'cancelled' | 'time-limit'): Promise<void>;
  remove(): Promise<void>;
}

/**
 * RUNTIME_UNAVAILABLE: what runs tasks cannot be reached, and is not waited for (any longer). RUNTIME_LOST: it went away under this task, which
 * says nothing about the task; it is to be begun again when the runtime is `available`.
 */
export type FailureCode =
  | 'IMAGE_PULL'
  | 'IMAGE_MISSING'
  | 'INPUT_FILE'
  | 'COMMAND_NOT_FOUND'
  | 'RUNTIME_UNAVAILABLE'
  | 'RUNTIME_LOST'
  | 'DISK_FULL'
  | 'INPUT_CHANGED'
  | 'INTERNAL';

export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly retryable: boolean,
    /** Of RUNTIME_LOST: false where nothing had been done for the task yet. */
    readonly begun = true,
  ) {
    super(message);
  }
}

/** Takes a chunk of a task's log. Where it returns a promise, nothing more is read from the tool until that resolves. */
export type LogSink = (stream: 'stdout' | 'stderr', data: Buffer) => void | Promise<void>;

export interface StartEvents {
  log: LogSink;
  preparing: (text: string) => void;
  /** Takes what to do when the task becomes unwanted before it runs; done at once where it is so already. */
  onUnwanted?: (act: () => void) => void;
}

export interface Probed {
  version: string;
  /** Why it cannot be used now. */
  unavailable?: string;
  /** It could be used before, and is waited for: tasks wait with it. */
  expected?: boolean;
  /** By what means a task's processes are kept together, and its inputs as they are; where the runtime has more than one. */
  containment?: string;
  inputs?: 'view' | 'copy';
  /** What it could not use, and why. */
  refused?: readonly string[];
}

/** Other names of files and directories, through which a task cannot write. */
export interface ReadOnlyNames {
  /** Undefined: there is none. @param path absolute, without symbolic links */
  nameOf(path: string): string | undefined;
}

export interface AdoptionEvents {
  log: (key: string) => LogSink;
  adopted: (key: string, task: RunningTask) => void;
  /** There is something to be found: a runtime that does not answer is waited for. */
  expected: boolean;
}

export interface TaskRuntime {
  readonly name: string;
  /** True where tasks run in an image and see only what is mounted. */
  readonly containers: boolean;
  /** Answers within a limit, whatever the runtime does. */
  probe(): Promise<Probed>;
  /** For runtimes whose tasks see the host's files. @throws RuntimeFailure */
  readOnlyNames?(): Promise<ReadOnlyNames>;
  /** Files below a task's directory that something of the task may still have open after its end. Absent: there can be none. */
  heldOpen?(directory: string): Promise<ReadonlySet<string>>;
  /**
   * Content id ("sha256:…") of what an image means here now, without fetching it; of the program or file that its reference names, where the
   * runtime has no images: a command is looked for in `searchPath`, where that is not empty. Undefined: it is not here. @throws RuntimeFailure
   */
  contentId(image: executor.Image, searchPath?: string): Promise<string | undefined>;
  /**
   * Resolves when it is back where it was there and is away; undefined where nothing is to be waited for: it is there, or never was.
   * @throws RuntimeFailure RUNTIME_UNAVAILABLE where it is not waited for any longer
   */
  available(on: Pick<StartEvents, 'preparing' | 'onUnwanted'>): Promise<void> | undefined;
  /** @throws RuntimeFailure; whatever it says where the task was unwanted by then */
  start(task: RuntimeTask, on: StartEvents): Promise<RunningTask>;
  /**
   * Looks for attempts that this runner started in an earlier life and that still run or have ended unseen. `claim` gives back the task of a
   * key as it was started, to be handed to `on.adopted`; or says whether what is there is to be left alone or to be removed.
   * @throws RuntimeFailure where the runtime cannot be asked now: what was not handed over is as it was, and may be asked for again.
   */
  adopt(claim: (key: string) => RuntimeTask | 'keep' | 'remove', on: AdoptionEvents): Promise<void>;
  /** Stops what cannot outlive the runner; what can (containers) is left for `adopt`. */
  close(): Promise<void>;
}
