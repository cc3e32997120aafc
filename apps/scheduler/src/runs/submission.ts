/**
 * Taking a submission: document → plan, job → input object, and only then anything durable.
 *
 * Invariants:
 *  1. A submission that is refused leaves nothing behind.
 *  2. One that is answered is in the log: plan first, then header and RunAccepted in one step.
 */
import type { scheduler } from '@weft/contracts';
import {
  bindInputs,
  bundleFetcher,
  formatDiagnostic,
  loadDocument,
  parseJob,
  planHash,
  requirementsOfJob,
  resolveInputFiles,
  type Diagnostic,
  type FileExpressionEvaluator,
} from '@weft/cwl';
import { decide, initialState, type EngineEvent, type RunOptions } from '@weft/engine';
import { usesJavascript, type StartedEvaluator } from '@weft/expressions';
import { inherit, NO_REQUIREMENTS, type CwlObject, type Plan, type Requirement } from '@weft/plan';
import { ServiceError } from '@weft/platform';
import type { IdempotencyKey, RunHeader, RunIntake } from '@weft/run-store';
import { prepareRunInputs, type FileAccess } from '@weft/tasks';
import { ulid } from 'ulid';
import { toDiagnostic } from '../grpc/mapping.js';
import type { Backlog } from '../release/backlog.js';
import { expressionOptions } from './expression-options.js';
import { fingerprintOf } from './fingerprint.js';
import { headerOf } from './run-header.js';
import { runOptionsOf } from './run-options.js';
import { toLogEvent } from './log-events.js';

export interface SubmissionDeps {
  intake: RunIntake;
  files: FileAccess;
  evaluator: StartedEvaluator;
  /** Names of the pools that have runners. */
  pools(): string[];
  /** What the inputs refer to in other runs' folders is to stay. */
  pin(inputs: CwlObject): Promise<void>;
  maxAttempts: number;
  /** Whether a run may bring the PATH, the umask and variables of whoever submits it. */
  takesCaller: boolean;
  backlog: Pick<Backlog, 'admit'>;
}

export interface Submitted {
  /** As it was stored; where the run was there before, `runId` alone says which. */
  header: RunHeader | undefined;
  runId: string;
  existing: boolean;
  diagnostics: Diagnostic[];
}

const DEFAULT_POOL = 'default';

export class Submissions {
  constructor(private readonly deps: SubmissionDeps) {}

  /** Loads and checks a document; the diagnostics say everything there is to say. */
  async validate(request: scheduler.ValidateDocumentRequest): Promise<Diagnostic[]> {
    return (await this.load(request.document)).diagnostics;
  }

  /** Throws ServiceError; ALREADY_EXISTS: the idempotency key was used for something else; RESOURCE_EXHAUSTED: too many runs are active. */
  async submit(request: scheduler.SubmitRunRequest): Promise<Submitted> {
    const idempotency = request.idempotencyKey === '' ? undefined : { key: request.idempotencyKey, fingerprint: fingerprintOf(request) };
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
    const options = runOptionsOf(request.options, { defaultAttempts: this.deps.maxAttempts, takesCaller: this.deps.takesCaller });
    const job = parseJob(request.inputsJson, 'inputs');
    if (!job.root) throw refusal(job.diagnostics, false);
    const loaded = await this.load(request.document, requirementsOfJob(job));
    if (!loaded.plan) throw refusal(loaded.diagnostics, loaded.unsupported);
    // Its worker starts while inputs are looked at. Where it cannot, the first script says so.
    if (usesJavascript(loaded.plan)) this.deps.evaluator.warmUp().catch(() => undefined);
    const bound = bindInputs({ plan: loaded.plan, job, baseUri: request.inputsBaseUri, file: 'inputs', namespaces: loaded.namespaces });
    const diagnostics = [...loaded.diagnostics, ...bound.diagnostics];
    if (!bound.inputs) throw refusal(diagnostics, false);
    await this.deps.pin(bound.inputs);
    const resolved = await resolveInputFiles(loaded.plan, bound.inputs, this.deps.files, { evaluator: this.evaluatorFor(loaded.plan) });
    diagnostics.push(...resolved.diagnostics);
    if (!resolved.inputs) throw refusal(diagnostics, false);
    const plan = withJobRequirements(loaded.plan, bound.requirements ?? []);
    const stored = await this.store(request, { pool, options, idempotency }, plan, await this.withContents(plan, resolved.inputs));
    return { ...stored, diagnostics };
  }

  /** Expressions in the root's secondaryFiles and formats run under the root's requirements. */
  private evaluatorFor(plan: Plan): FileExpressionEvaluator {
    const root = plan.processes[plan.root];
    const options = expressionOptions(root ? inherit(NO_REQUIREMENTS, root) : NO_REQUIREMENTS, root?.declaredVersion ?? plan.cwlVersion);
    return { evaluate: (expression, context) => this.deps.evaluator.evaluate(expression, context, options) };
  }

  /** loadContents and loadListing on a workflow's own inputs: what they load travels to the expressions of its steps. */
  private async withContents(plan: Plan, inputs: CwlObject): Promise<CwlObject> {
    const process = plan.processes[plan.root];
    const loads = process?.inputs.some((parameter) => parameter.loadContents || parameter.loadListing !== undefined);
    if (process?.class !== 'Workflow' || !loads) return inputs;
    try {
      return await prepareRunInputs({ process, inputs, effective: NO_REQUIREMENTS, formats: plan.formats }, this.deps);
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== 'string') throw error;
      throw new ServiceError('INVALID_ARGUMENT', (error as Error).message);
    }
  }

  private async load(document: scheduler.SubmitRunRequest['document'], requirements: Requirement[] = []): ReturnType<typeof loadDocument> {
    if (!document?.rootUri) throw new ServiceError('INVALID_ARGUMENT', 'document is missing: give root_uri and files');
    return loadDocument(document.rootUri, bundleFetcher(document.files), { requirements });
  }

  private checkPool(pool: string): void {
    const pools = this.deps.pools();
    if (pool === DEFAULT_POOL || pools.includes(pool)) return;
    const known = pools.length === 0 ? 'no runner has registered yet' : `pools with runners: ${pools.join(', ')}`;
    throw new ServiceError('FAILED_PRECONDITION', `no runner serves pool '${pool}' (${known})`);
  }

  private async store(
    request: scheduler.SubmitRunRequest,
    { pool, options, idempotency }: { pool: string; options: RunOptions; idempotency: IdempotencyKey | undefined },
    plan: Plan,
    inputs: CwlObject,
  ): Promise<Omit<Submitted, 'diagnostics'>> {
    const hash = planHash(plan);
    const runId = `r-${ulid().toLowerCase()}`;
    const submittedAtMs = Date.now();
    const accepted: EngineEvent = {
      type: 'RunAccepted',
      runId,
      planHash: hash,
      inputs,
      options,
    };
    const name = request.name || nameOf(plan);
    const base = { runId, name, projectId: request.projectId, planHash: hash, pool, labels: request.labels, submittedAtMs, inputs };
    // Deciding once here finds a plan that the engine cannot begin before anything is stored, and gives the first header.
    const header = headerOf(base, decide(initialState(plan), accepted, submittedAtMs).state);
    await this.deps.intake.putPlan(hash, plan);
    const created = await this.deps.intake.create({ ...header, state: 'pending' }, toLogEvent(accepted), idempotency);
    return { header: created.existing ? undefined : { ...header, runId: created.runId }, ...created };
  }
}

/** Requirements of the job file (`cwl:requirements`) go above the root process's own. Source: CWL v1.2 §5.2. */
function withJobRequirements(plan: Plan, requirements: Requirement[]): Plan {
  const root = plan.processes[plan.root];
  if (requirements.length === 0 || !root) return plan;
  const named = new Set(requirements.map((requirement) => requirement.class));
  const own = root.requirements.filter((requirement) => !named.has(requirement.class));
  return { ...plan, processes: { ...plan.processes, [plan.root]: { ...root, requirements: [...own, ...requirements] } } };
}

function nameOf(plan: Plan): string {
  const root = plan.processes[plan.root];
  return root?.label ?? root?.id.split('/').at(-1) ?? plan.root;
}

function refusal(diagnostics: Diagnostic[], unsupported: boolean): ServiceError {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const text = errors.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n');
  return new ServiceError(unsupported ? 'UNIMPLEMENTED' : 'INVALID_ARGUMENT', text, diagnostics.map(toDiagnostic));
}
