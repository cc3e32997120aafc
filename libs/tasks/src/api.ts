/**
 * One tool with its inputs → what a runner must do; what the runner left → the tool's output object.
 * No Redis, no gRPC, no Docker: files are looked at through ports.
 */
import type { executor } from '@weft/contracts';
import type { ExpressionEvaluator, ExpressionOwner } from '@weft/expressions';
import type { CommandLineTool, CwlObject, EffectiveRequirements, Entry, FileOptions, FormatOntology } from '@weft/plan';

/** Looks at files where they are stored (implemented by libs/storage). Errors are FileAccessError with code NOT_FOUND | ACCESS | UNSUPPORTED. */
export interface FileAccess {
  /** Size in bytes and kind. */
  stat(uri: string): Promise<{ kind: 'file' | 'directory'; size: number }>;
  /** UTF-8 text of a file; rejects where it is larger than `limit` bytes. */
  readText(uri: string, limit: number): Promise<string>;
  /** Entries of a directory, sorted by name. */
  list(uri: string): Promise<{ name: string; uri: string; kind: 'file' | 'directory'; size: number }[]>;
}

/** Paths of a task's sandbox as the task sees them. */
export interface SandboxLayout {
  workDir: string;
  tmpDir: string;
  /** Directory below which inputs are staged, each in a numbered directory of its own. */
  inputDir: string;
}

/** Everything about one task that does not depend on where it runs. */
export interface TaskRequest {
  tool: CommandLineTool;
  /** Input object after step bindings: absolute locations, defaults applied. */
  inputs: CwlObject;
  effective: EffectiveRequirements;
  formats?: FormatOntology;
  /** On whose behalf its expressions are evaluated. */
  owner?: ExpressionOwner;
  /** `--no-container`: ignore DockerRequirement. */
  noContainer: boolean;
  defaultContainer?: string;
  /** Variables of whoever submitted the run that the task is to see. */
  preserved?: Readonly<Record<string, string>>;
  /**
   * Look for secondary files beside their primaries. Default false: only what a value carries counts; `prepareRunInputs` has
   * found what belongs to the inputs of the run, and steps must not find what the workflow did not declare.
   */
  discoverSecondaryFiles?: boolean;
  /** What memory, reserved and allowed, is multiplied by, after attempts that were killed for theirs; absent = 1. */
  ramFactor?: number;
}

/** Resources reserved for a task; RAM, tmpdir and outdir in mebibytes, as CWL's `runtime` gives them. */
export interface TaskResources {
  cores: number;
  ramMiB: number;
  tmpdirMiB: number;
  outdirMiB: number;
  /** Scratch and output together that the author asked for: CWL's defaults are told to the tool, but nothing is kept free for them. */
  diskMiB: number;
  gpus: number;
  /** What the task may use at most, where its author said so (the maximum if there is one, else the minimum): absent = no limit. */
  limits: { cores?: number; ramMiB?: number };
  /** What hints alone ask for, which is no reason to fail: cores, memory and disk; GPUs. Absent: nothing. */
  hinted?: { host: boolean; gpus: boolean };
}

/** A task whose resources and container are known; bind it once a runner (and so its paths) is chosen. */
export interface PreparedTask {
  resources: TaskResources;
  /** Absent: the task runs as a host process. `required`: the author wrote a requirement, not a hint. */
  container?: { image: executor.Image; required: boolean; outputDirectory?: string };
  /** Command line, environment, staging. `given`: what is reserved, where that is not what was asked for. Rejects with TaskError. */
  bind(layout: SandboxLayout, given?: TaskResources): Promise<BoundTask>;
}

export interface BoundTask {
  /** task_id, attempt, run_id and runtime are left for the dispatcher to fill in. */
  spec: executor.TaskSpec;
  /** Input object as expressions in output bindings see it (paths set). */
  inputs: CwlObject;
  runtime: CwlObject;
  /** WorkReuse, as far as the author has a say: what it made once may be taken for what it would make again. */
  reuse: boolean;
}

/** The part of `ContainerExecutor` that output collection needs, bound to one attempt. */
export interface OutputCollector {
  collect(items: executor.CollectItem[], options: { publish: boolean; release: boolean }): Promise<executor.CollectedFile[]>;
}

/** A failure that the user must hear about; `code` as in weft.run.v1.Failure. Never retried. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  /** `expression`: the text, as its author wrote it, that gave what cannot be used. */
  constructor(
    readonly code: string,
    message: string,
    readonly expression?: string,
  ) {
    super(message);
  }
}

export interface TaskBuilder {
  prepare(request: TaskRequest): Promise<PreparedTask>;
  /**
   * Output object of a finished task: globs over the manifest, loadContents, outputEval, secondaryFiles, format, `cwl.output.json`,
   * type check; chosen files are published and their `location`s set. Rejects with TaskError (OUTPUT_MISSING, OUTPUT_TYPE, EXPRESSION, …).
   */
  collectOutputs(request: TaskRequest, bound: BoundTask, finished: executor.Finished, collector: OutputCollector): Promise<CwlObject>;
}

/** Fills in what expressions on Files may look at: size, nameroot, nameext, dirname, contents (≤ 64 KiB), listing. */
export interface FilePreparer {
  prepare(value: Entry, options: FileOptions, access: FileAccess): Promise<Entry>;
}

export type { ExpressionEvaluator };
