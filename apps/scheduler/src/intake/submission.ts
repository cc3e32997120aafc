/**
 * Taking a submission: document → plan, job → input object, and only then anything durable.
 *
 * Invariants:
 *  1. A submission that is refused leaves nothing behind.
 *  2. One that is answered is in the log: plan first, then header and RunAccepted in one step.
 *  3. What is taken can be held: a run is refused where there is no memory for what it brings (run-memory.ts).
 */
import { randomUUID } from 'node:crypto';
import type { scheduler } from '@weft/contracts';
import { formatDiagnostic, resolveInputFiles, type Diagnostic, type DocumentBundle, type FileExpressionEvaluator } from '@weft/cwl';
import { CURRENT_RULES, decide, initialState, type EngineEvent, type RunOptions } from '@weft/engine';
import { ownedBy, usesJavascript, type ExpressionEvaluator, type ExpressionOwner, type StartedEvaluator } from '@weft/expressions';
import { heapBytes, inherit, NO_REQUIREMENTS, type CwlObject, type Plan } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import type { IdempotencyKey, RunHeader, RunIntake } from '@weft/run-store';
import { prepareRunInputs, type FileAccess } from '@weft/tasks';
import { ulid } from 'ulid';
import { toDiagnostic } from './diagnostics.js';
import type { PlanCache } from '../plans/plan-cache.js';
import type { Loading } from '../loading/loading-pool.js';
import type { Loaded } from '../loading/load-submission.js';
import type { Backlog } from './backlog.js';
import type { SecretBox } from '../secrets/secret-box.js';
import { withSealedSecrets } from '../secrets/secret-inputs.js';
import { expressionOptions } from '../plans/expression-options.js';
import { headerOf } from '../runs/run-header.js';
import { NO_ROOM_MS, type RunMemory } from '../runs/memory/run-memory.js';
import type { Seeing } from '../reach/result-reach.js';
import { runOptionsOf } from './run-options.js';
import { toLogEvent } from '../runs/log-events.js';

export interface SubmissionDeps {
  intake: RunIntake;
  loading: Pick<Loading, 'load' | 'fingerprint'>;
  reach: Pick<Seeing, 'filesOf' | 'checkValues'>;
  evaluator: StartedEvaluator;
  /** Names of the pools that have runners. */
  pools(): string[];
  plans: Pick<PlanCache, 'remember'>;
  /** What the inputs refer to in other runs' folders is to stay. */
  pin(inputs: CwlObject): Promise<void>;
  secrets: Pick<SecretBox, 'seal'>;
  maxAttempts: number;
  /** Whether a run may bring the PATH, the umask and variables of whoever submits it. */
  takesCaller: boolean;
  /** Whose results are used again: of runs that ask for it, of all, of none. */
  callCache: 'asked' | 'on' | 'off';
  backlog: Pick<Backlog, 'admit'>;
  memory: Pick<RunMemory, 'hasRoom' | 'capacity'>;
  /** Whether this replica has the runs of that id: a large one is to be where its memory was asked for. */
  isOwn(runId: string): boolean;
}

export interface Submitted {
  /** As it was stored; where the run was there before, `runId` alone says which. */
  header: RunHeader | undefined;
  /** That it was stored with. */
  inputs?: CwlObject;
  runId: string;
  existing: boolean;
  diagnostics: Diagnostic[];
}

interface HowToStore {
  pool: string;
  options: RunOptions;
  idempotency: IdempotencyKey | undefined;
  hash: string;
  planJson: string | undefined;
  /** Of the inputs as they are stored. */
  inputsJson: string | undefined;
}

/** Texts that need not be made again: of the inputs only where nothing has been added to what was read. */
function textsOf({ planJson, inputsJson, inputs: read = {} }: Loaded, inputs: CwlObject): Pick<HowToStore, 'planJson' | 'inputsJson'> {
  const names = Object.keys(inputs);
  const isRead = names.length === Object.keys(read).length && names.every((name) => inputs[name] === read[name]);
  return { planJson, inputsJson: isRead ? inputsJson : undefined };
}

const DEFAULT_POOL = 'default';
const MIB = 1024 * 1024;
/** A run of so much goes to the replica that it was sent to, where that has any partition. */
const LARGE_BYTES = MIB;
const OWN_TRIES = 1_000;

export class Submissions {
  constructor(private readonly deps: SubmissionDeps) {}

  /** Loads and checks a document; the diagnostics say everything there is to say. */
  async validate(request: scheduler.ValidateDocumentRequest): Promise<Diagnostic[]> {
    return (await this.deps.loading.load({ document: documentOf(request.document) }, '')).diagnostics;
  }

  /** Throws ServiceError; ALREADY_EXISTS: the idempotency key was used for something else; RESOURCE_EXHAUSTED: too many runs are active. */
  async submit(request: scheduler.SubmitRunRequest): Promise<Submitted> {
    checkSizes(request);
    const { idempotencyKey: key } = request;
    const idempotency = key === '' ? undefined : { key, fingerprint: await this.deps.loading.fingerprint(request) };
    // Before anything is looked at: what was accepted once is answered again, even if it could not be accepted now.
    const known = idempotency && (await this.deps.intake.find(request.projectId, idempotency));
    if (known !== undefined) return { header: undefined, runId: known, existing: true, diagnostics: [] };
    const admission = await this.deps.backlog.admit(request.projectId);
    let stored = false;
    try {
      const submitted = await this.submitNew(request, idempotency);
      stored = !submitted.existing;
      return submitted;
    } finally {
      admission.settle(stored);
    }
  }

  private async submitNew(request: scheduler.SubmitRunRequest, idempotency: IdempotencyKey | undefined): Promise<Submitted> {
    const pool = request.pool || DEFAULT_POOL;
    this.checkPool(pool);
    const { maxAttempts: defaultAttempts, takesCaller, callCache } = this.deps;
    const options = runOptionsOf(request.options, { defaultAttempts, takesCaller, callCache });
    const job = { inputsJson: request.inputsJson, baseUri: request.inputsBaseUri };
    const loaded = await this.deps.loading.load({ document: documentOf(request.document), job }, request.projectId);
    const { plan, hash, inputs: given } = loaded;
    if (!plan || hash === undefined || !given) throw refusal(loaded.diagnostics, loaded.unsupported);
    const inputs = this.sealed(plan, given, options);
    // Its worker starts while inputs are looked at. Where it cannot, the first script says so.
    if (usesJavascript(plan)) this.deps.evaluator.warmUp().catch(() => undefined);
    await this.refuseResultsOfOthers(inputs, request);
    await this.deps.pin(inputs);
    // It is no run yet: submissions of one plan are one.
    const owner = { project: request.projectId, run: hash };
    const files = this.deps.reach.filesOf({ projectId: request.projectId });
    const resolved = await resolveInputFiles(plan, inputs, files, { evaluator: this.evaluatorFor(plan, owner) });
    const diagnostics = [...loaded.diagnostics, ...resolved.diagnostics];
    if (!resolved.inputs) throw refusal(diagnostics, false);
    const complete = await this.withContents(plan, resolved.inputs, { files, evaluator: ownedBy(this.deps.evaluator, owner) });
    const stored = await this.store(request, { pool, options, idempotency, hash, ...textsOf(loaded, complete) }, plan, complete);
    return { ...stored, diagnostics };
  }

  /** From here on nobody has the secrets but who hands a task to its runner. */
  private sealed(plan: Plan, inputs: CwlObject, options: RunOptions): CwlObject {
    const id = randomUUID();
    const sealed = withSealedSecrets(plan, inputs, (value) => this.deps.secrets.seal(id, value));
    if (sealed !== inputs) options.sealedFor = id;
    return sealed;
  }

  /** Before anything of theirs is pinned. */
  private async refuseResultsOfOthers(inputs: CwlObject, { projectId }: scheduler.SubmitRunRequest): Promise<void> {
    await this.deps.reach.checkValues(inputs, { projectId }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'INPUT_FILE') throw error;
      throw new ServiceError('INVALID_ARGUMENT', (error as Error).message);
    });
  }

  /** Expressions in the root's secondaryFiles and formats run under the root's requirements. */
  private evaluatorFor(plan: Plan, owner: ExpressionOwner): FileExpressionEvaluator {
    const root = plan.processes[plan.root];
    const options = expressionOptions(root ? inherit(NO_REQUIREMENTS, root) : NO_REQUIREMENTS, root?.declaredVersion ?? plan.cwlVersion);
    return { evaluate: (expression, context) => this.deps.evaluator.evaluate(expression, context, { ...options, owner }) };
  }

  /** loadContents and loadListing on a workflow's own inputs: what they load travels to the expressions of its steps. */
  private async withContents(
    plan: Plan,
    inputs: CwlObject,
    deps: { files: FileAccess; evaluator: ExpressionEvaluator },
  ): Promise<CwlObject> {
    const process = plan.processes[plan.root];
    const loads = process?.inputs.some((parameter) => parameter.loadContents || parameter.loadListing !== undefined);
    if (process?.class !== 'Workflow' || !loads) return inputs;
    try {
      return await prepareRunInputs({ process, inputs, effective: NO_REQUIREMENTS, formats: plan.formats }, deps);
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== 'string') throw error;
      throw new ServiceError('INVALID_ARGUMENT', (error as Error).message);
    }
  }

  /** Bytes that the run brings. */
  private takeRoom(project: string, plan: { hash: string; plan: Plan }, inputs: CwlObject): number {
    const bytes = heapBytes(inputs);
    const { memory } = this.deps;
    const room = memory.hasRoom(project, plan, bytes);
    if (room === true) return bytes;
    const whole = `document and inputs take more memory than the runs of this service may have together (${Math.floor(memory.capacity / MIB)} MiB)`;
    if (room === 'never') throw new ServiceError('INVALID_ARGUMENT', `${whole}: put what is large into files that the inputs name`);
    const message = `there is no memory for this run: those that have not ended hold all that they may, and those of project '${project}' their share of it`;
    throw new ServiceError('RESOURCE_EXHAUSTED', `${message}; try again when some have ended`, undefined, { retryAfterMs: NO_ROOM_MS });
  }

  private newRunId(bytes: number): string {
    for (let tries = 0; ; tries += 1) {
      const runId = `r-${ulid().toLowerCase()}`;
      if (bytes < LARGE_BYTES || tries === OWN_TRIES || this.deps.isOwn(runId)) return runId;
    }
  }

  private checkPool(pool: string): void {
    const pools = this.deps.pools();
    if (pool === DEFAULT_POOL || pools.includes(pool)) return;
    const known = pools.length === 0 ? 'no runner has registered yet' : `pools with runners: ${pools.join(', ')}`;
    throw new ServiceError('FAILED_PRECONDITION', `no runner serves pool '${pool}' (${known})`);
  }

  private async store(
    request: scheduler.SubmitRunRequest,
    { pool, options, idempotency, hash, planJson, inputsJson }: HowToStore,
    plan: Plan,
    inputs: CwlObject,
  ): Promise<Omit<Submitted, 'diagnostics'>> {
    const runId = this.newRunId(this.takeRoom(request.projectId, { hash, plan }, inputs));
    const submittedAtMs = Date.now();
    const accepted: EngineEvent = {
      type: 'RunAccepted',
      runId,
      planHash: hash,
      inputs,
      options,
      rules: CURRENT_RULES,
    };
    const name = request.name || shortened(nameOf(plan), MAX_CHARS.name);
    const base = { runId, name, projectId: request.projectId, planHash: hash, pool, labels: request.labels, submittedAtMs };
    // Deciding once here finds a plan that the engine cannot begin before anything is stored, and gives the first header.
    const { state } = decide(initialState(plan), accepted, submittedAtMs);
    if (state.failure?.code === 'SCATTER_LIMIT') throw new ServiceError('INVALID_ARGUMENT', state.failure.message);
    const header = headerOf(base, state);
    await this.deps.intake.putPlan(hash, plan, planJson);
    // A large one was read from its text, as its owner would, who is about to ask for it.
    if (planJson !== undefined) this.deps.plans.remember(hash, plan);
    const created = await this.deps.intake.create({ ...header, state: 'pending' }, toLogEvent(accepted), idempotency, inputsJson);
    return created.existing ? { header: undefined, ...created } : { header: { ...header, runId: created.runId }, inputs, ...created };
  }
}

/** What has a member for each of something goes from thread to thread member by member. */
const MAX_FILES = 10_000;
const MAX_LABELS = 1_000;
/** What lists carry of a run is short. Characters, of labels with their names together. */
const MAX_LABEL_CHARS = 64 * 1024;
const MAX_CHARS = { name: 200, projectId: 200, pool: 100, idempotencyKey: 200 } as const;
const FIELDS = { name: 'name', projectId: 'project_id', pool: 'pool', idempotencyKey: 'idempotency_key' } as const;

function documentOf(document: scheduler.SubmitRunRequest['document']): DocumentBundle {
  if (!document?.rootUri) throw new ServiceError('INVALID_ARGUMENT', 'document is missing: give root_uri and files');
  const count = Object.keys(document.files).length;
  if (count > MAX_FILES) throw new ServiceError('INVALID_ARGUMENT', `the document has ${count} files; ${MAX_FILES} are allowed`);
  return document;
}

function checkSizes(request: scheduler.SubmitRunRequest): void {
  const { document, labels } = request;
  documentOf(document);
  for (const field of Object.keys(FIELDS) as (keyof typeof FIELDS)[]) {
    const [length, most] = [request[field].length, MAX_CHARS[field]];
    if (length > most) throw new ServiceError('INVALID_ARGUMENT', `${FIELDS[field]} has ${length} characters; ${most} are allowed`);
  }
  const count = Object.keys(labels).length;
  if (count > MAX_LABELS) throw new ServiceError('INVALID_ARGUMENT', `the run has ${count} labels; ${MAX_LABELS} are allowed`);
  const chars = Object.entries(labels).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (chars > MAX_LABEL_CHARS)
    throw new ServiceError('INVALID_ARGUMENT', `the labels have ${chars} characters together; ${MAX_LABEL_CHARS} are allowed`);
}

function nameOf(plan: Plan): string {
  const root = plan.processes[plan.root];
  return root?.label ?? root?.id.split('/').at(-1) ?? plan.root;
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function refusal(diagnostics: Diagnostic[], unsupported: boolean): ServiceError {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const text = errors.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n');
  return new ServiceError(unsupported ? 'UNIMPLEMENTED' : 'INVALID_ARGUMENT', text, diagnostics.map(toDiagnostic));
}
