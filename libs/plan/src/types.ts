/**
 * The plan: a document loaded, upgraded to one internal version (CWL v1.3's shape), checked and made self-contained.
 * Plain JSON, immutable, addressed by the SHA-256 of its canonical form.
 *
 * Invariants (the loader guarantees them; nothing downstream checks again):
 *  1. Every `run`, `source`, `scatter` and `outputSource` names something that exists; steps are acyclic.
 *  2. Types are resolved: no `?`, `[]`, `$import`, named references; `stdin`/`stdout`/`stderr` shortcuts are written out.
 *  3. Names of parameters, steps and fields are short names (after the last '#' or '/').
 *  4. Every `location` in a default is an absolute URI.
 *  5. Expressions stay the strings the author wrote; an expression is a string that contains `$(` or `${`.
 */
import type { CwlValue } from './values.js';

export type PrimitiveType = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'File' | 'Directory' | 'Any';

export type CwlType = PrimitiveType | ArrayType | RecordType | EnumType | CwlType[];

export interface ArrayType {
  type: 'array';
  items: CwlType;
  name?: string;
  label?: string;
  inputBinding?: InputBinding;
}

export interface RecordType {
  type: 'record';
  name?: string;
  label?: string;
  fields: RecordField[];
  inputBinding?: InputBinding;
}

/** A field carries what a parameter of its kind (input or output) may carry. */
export interface RecordField extends FileOptions {
  name: string;
  type: CwlType;
  label?: string;
  doc?: string;
  inputBinding?: InputBinding;
  outputBinding?: OutputBinding;
}

export interface EnumType {
  type: 'enum';
  name?: string;
  label?: string;
  /** Short names. */
  symbols: string[];
  inputBinding?: InputBinding;
}

export type LoadListing = 'no_listing' | 'shallow_listing' | 'deep_listing';

/** What File and Directory parameters may ask for. */
export interface FileOptions {
  secondaryFiles?: SecondaryFile[];
  streamable?: boolean;
  /** IRI(s), or an expression on outputs and inputs. */
  format?: string | string[];
  loadContents?: boolean;
  loadListing?: LoadListing;
}

export interface SecondaryFile {
  /** Suffix pattern (leading carets strip extensions) or expression. */
  pattern: string;
  /** Boolean or expression. Absent: required on inputs, optional on outputs. */
  required?: boolean | string;
}

export interface InputBinding {
  loadContents?: boolean;
  /** Number or expression. */
  position?: number | string;
  prefix?: string;
  /** Default true. */
  separate?: boolean;
  itemSeparator?: string;
  valueFrom?: string;
  /** Default true; only with ShellCommandRequirement may it be false. */
  shellQuote?: boolean;
}

export interface OutputBinding {
  glob?: string | string[];
  loadContents?: boolean;
  loadListing?: LoadListing;
  outputEval?: string;
}

export interface InputParameter extends FileOptions {
  name: string;
  type: CwlType;
  label?: string;
  doc?: string;
  default?: CwlValue;
  inputBinding?: InputBinding;
}

export interface OutputParameter extends FileOptions {
  name: string;
  type: CwlType;
  label?: string;
  doc?: string;
  outputBinding?: OutputBinding;
}

export type LinkMerge = 'merge_nested' | 'merge_flattened';
export type PickValue = 'first_non_null' | 'the_only_non_null' | 'all_non_null';
export type ScatterMethod = 'dotproduct' | 'nested_crossproduct' | 'flat_crossproduct';

/** Where a value comes from: an input of the workflow (`step` null) or an output of one of its steps. */
export interface SourceRef {
  step: string | null;
  port: string;
}

/** How one or several sources become one value. `sources.length === 1 && !list` passes the value as it is. */
export interface Link {
  sources: SourceRef[];
  /** The author wrote a list (even of one): linkMerge applies. */
  list: boolean;
  linkMerge: LinkMerge;
  pickValue?: PickValue;
}

export interface WorkflowOutputParameter extends OutputParameter {
  link: Link;
}

export interface StepInput {
  name: string;
  link?: Link;
  default?: CwlValue;
  valueFrom?: string;
  loadContents?: boolean;
  loadListing?: LoadListing;
}

/** v1.3 loop: how an input of the next iteration is made. Sources may also name outputs of the looping step itself (`step` = its own name). */
export interface LoopInput {
  name: string;
  link?: Link;
  default?: CwlValue;
  valueFrom?: string;
  loadContents?: boolean;
  loadListing?: LoadListing;
}

export interface WorkflowStep {
  name: string;
  /** Key of `Plan.processes`. */
  run: string;
  in: StepInput[];
  /** Names of the outputs that the workflow uses; others are dropped. */
  out: string[];
  scatter: string[];
  scatterMethod?: ScatterMethod;
  when?: string;
  loop?: LoopInput[];
  outputMethod?: 'last_iteration' | 'all_iterations';
  requirements: Requirement[];
  hints: Requirement[];
  label?: string;
  doc?: string;
  at?: Origin;
}

/** Where something was written, for messages at run time. One-based. */
export interface Origin {
  file: string;
  line: number;
  column: number;
}

/** Where the first character of a text is that is no white space. One-based; the file is the process's unless it says another. */
export interface ExpressionPlace {
  file?: string;
  line: number;
  column: number;
  /**
   * How what follows can be found. `line`: the text is written as it is, on one line. `block`: each of its lines is a line of the file, from the same
   * column on. Absent: it is written otherwise (folded, with escapes, imported), so that only its begin is known.
   */
  written?: 'line' | 'block';
}

/** By `expressionKey` of the text: several where the process has it several times, but not more than a message can name. */
export type ExpressionPlaces = Record<string, ExpressionPlace[]>;

/** What processes of every class have. */
export interface ProcessBase {
  /** Key in `Plan.processes`. */
  id: string;
  label?: string;
  doc?: string;
  inputs: InputParameter[];
  /** Its own requirements only; what it inherits from steps and workflows around it is merged when a task is made. */
  requirements: Requirement[];
  hints: Requirement[];
  /** The version the author declared; a few rules of v1.0 differ at run time (loadListing default). */
  declaredVersion: string;
  at?: Origin;
  /** Where its expressions, those of its steps and its libraries of JavaScript were written. */
  expressionsAt?: ExpressionPlaces;
}

export interface CommandLineTool extends ProcessBase {
  class: 'CommandLineTool';
  outputs: OutputParameter[];
  baseCommand: string[];
  arguments: (string | InputBinding)[];
  stdin?: string;
  stdout?: string;
  stderr?: string;
  successCodes: number[];
  temporaryFailCodes: number[];
  permanentFailCodes: number[];
}

export interface ExpressionTool extends ProcessBase {
  class: 'ExpressionTool';
  outputs: OutputParameter[];
  expression: string;
}

export interface Workflow extends ProcessBase {
  class: 'Workflow';
  outputs: WorkflowOutputParameter[];
  steps: WorkflowStep[];
}

export interface Operation extends ProcessBase {
  class: 'Operation';
  outputs: OutputParameter[];
}

export type Process = CommandLineTool | ExpressionTool | Workflow | Operation;

export interface DockerRequirement {
  class: 'DockerRequirement';
  dockerPull?: string;
  dockerLoad?: string;
  dockerFile?: string;
  dockerImport?: string;
  dockerImageId?: string;
  dockerOutputDirectory?: string;
}

/** One item of InitialWorkDirRequirement.listing, written out. */
export type WorkDirItem =
  | string // expression
  | CwlValue // File or Directory literal, or a list of them
  | Dirent;

export interface Dirent {
  /** Expression for the name; absent: the entry's own basename. */
  entryname?: string;
  entry: string;
  writable?: boolean;
}

/** Amounts are numbers or expressions; RAM and directories in mebibytes. */
export interface ResourceRequirement {
  class: 'ResourceRequirement';
  coresMin?: number | string;
  coresMax?: number | string;
  ramMin?: number | string;
  ramMax?: number | string;
  tmpdirMin?: number | string;
  tmpdirMax?: number | string;
  outdirMin?: number | string;
  outdirMax?: number | string;
}

export type Requirement =
  | { class: 'InlineJavascriptRequirement'; expressionLib: string[] }
  | { class: 'SchemaDefRequirement' }
  | DockerRequirement
  | { class: 'SoftwareRequirement' }
  | { class: 'InitialWorkDirRequirement'; listing: string | WorkDirItem[] }
  | { class: 'EnvVarRequirement'; envDef: { envName: string; envValue: string }[] }
  | { class: 'ShellCommandRequirement' }
  | ResourceRequirement
  | { class: 'WorkReuse'; enableReuse: boolean | string }
  | { class: 'NetworkAccess'; networkAccess: boolean | string }
  | { class: 'InplaceUpdateRequirement'; inplaceUpdate: boolean }
  | { class: 'ToolTimeLimit'; timelimit: number | string }
  | { class: 'LoadListingRequirement'; loadListing?: LoadListing }
  | { class: 'SubworkflowFeatureRequirement' }
  | { class: 'ScatterFeatureRequirement' }
  | { class: 'MultipleInputFeatureRequirement' }
  | { class: 'StepInputExpressionRequirement' }
  | {
      class: 'CUDARequirement';
      cudaDeviceCountMin: number | string;
      cudaDeviceCountMax?: number | string;
      cudaVersionMin?: string;
      cudaComputeCapability?: string | string[];
    }
  | { class: 'SecretsRequirement'; secrets: string[] }
  | { class: 'ShmSize'; shmSize: string };

export type RequirementClass = Requirement['class'];

/** Subclass relations of the formats that `$schemas` declare: IRI → IRIs it is a subclass of or equivalent to. */
export type FormatOntology = Record<string, string[]>;

export interface Plan {
  /** Format of this structure. */
  planVersion: 1;
  /** What the author declared on the root document, e.g. "v1.0". */
  cwlVersion: string;
  /** Key of the root process. */
  root: string;
  processes: Record<string, Process>;
  formats?: FormatOntology;
}
