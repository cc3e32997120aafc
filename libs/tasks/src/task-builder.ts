/**
 * The TaskBuilder: puts resources, container, inputs, staging, command line and environment of one task together.
 *
 * Invariants:
 *  1. `prepare` looks at inputs only where a resource is an expression; what it prepared is used again by `bind`.
 *  2. Nothing that the caller passed in is changed.
 */
import type { executor } from '@weft/contracts';
import { type ExpressionEvaluator, ownedBy } from '@weft/expressions';
import type { CwlObject, EffectiveRequirements } from '@weft/plan';
import { find, holdsFiles, inherit } from '@weft/plan';
import type { BoundTask, FileAccess, PreparedTask, SandboxLayout, TaskBuilder, TaskRequest, TaskResources } from './api.js';
import { refuseTooLong } from './argument-limits.js';
import { buildCommandLine } from './command-line.js';
import { chooseContainer } from './container.js';
import { environmentOf, networkOf, reuseOf, shmBytesOf, streamsOf, timeLimitOf } from './environment.js';
import { stageWorkDir } from './init-work-dir.js';
import { prepareInputs } from './input-values.js';
import { collectTaskOutputs } from './outputs.js';
import { evaluateResources, resourcesNeedInputs, runtimeObject } from './resources.js';
import type { Scope } from './scope.js';
import { expressionOptions, expressionTexts } from './scope.js';
import { StagingArea } from './staging.js';

const BYTES_PER_MIB = 1024 * 1024;

export interface TaskBuilderDeps {
  evaluator: ExpressionEvaluator;
  files: FileAccess;
}

export function createTaskBuilder(deps: TaskBuilderDeps): TaskBuilder {
  return {
    async prepare(request) {
      const preparation = new Preparation(request, { ...deps, evaluator: evaluatorOf(request, deps) });
      const resources = await preparation.resources();
      const container = chooseContainer(request, preparation.effective);
      const prepared: PreparedTask = { resources, bind: (layout, given = resources) => preparation.bind(layout, given, container) };
      return container ? { ...prepared, container } : prepared;
    },
    collectOutputs: (request, bound, finished, collector) =>
      collectTaskOutputs(request, bound, finished, collector, evaluatorOf(request, deps)),
  };
}

function evaluatorOf({ owner }: TaskRequest, { evaluator }: TaskBuilderDeps): ExpressionEvaluator {
  return owner === undefined ? evaluator : ownedBy(evaluator, owner);
}

/** Expression texts of a tool never change: the scan is done once per tool, not once per task of a scatter. */
const toolTexts = new WeakMap<object, string>();

function observedBy(request: TaskRequest): string {
  let own = toolTexts.get(request.tool);
  if (own === undefined) {
    own = expressionTexts(request.tool);
    toolTexts.set(request.tool, own);
  }
  let inherited = toolTexts.get(request.effective);
  if (inherited === undefined) {
    inherited = expressionTexts([request.effective.requirements, request.effective.hints]);
    toolTexts.set(request.effective, inherited);
  }
  return `${own}\n${inherited}`;
}

class Preparation {
  readonly effective: EffectiveRequirements;
  private readonly version: string;
  private prepared: Promise<CwlObject> | undefined;

  constructor(
    private readonly request: TaskRequest,
    private readonly deps: TaskBuilderDeps,
  ) {
    this.effective = inherit(request.effective, request.tool);
    this.version = request.tool.declaredVersion;
  }

  async resources(): Promise<TaskResources> {
    const inputs = resourcesNeedInputs(this.effective) ? await this.inputs() : {};
    return evaluateResources(this.scope(inputs, {}), this.effective, this.version, this.request.ramFactor);
  }

  async bind(layout: SandboxLayout, resources: TaskResources, container: PreparedTask['container']): Promise<BoundTask> {
    const prepared = await this.inputs();
    const inputs = holdsFiles(prepared) ? structuredClone(prepared) : prepared;
    const scope = this.scope(inputs, runtimeObject(resources, layout));
    const staging = new StagingArea(layout.inputDir);
    staging.stageInputs(inputs);
    await stageWorkDir({
      scope,
      effective: this.effective,
      staging,
      workDir: layout.workDir,
      access: this.deps.files,
      containerRequired: container?.required ?? false,
    });
    const { tool } = this.request;
    const shell = find(this.effective, 'ShellCommandRequirement') !== undefined;
    const spec: executor.TaskSpec = {
      taskId: '',
      attempt: 0,
      runId: '',
      runtime: '',
      image: container?.image,
      argv: await buildCommandLine(tool, scope, shell),
      environment: await environmentOf(scope, this.effective, layout, this.request.preserved),
      workDir: layout.workDir,
      tmpDir: layout.tmpDir,
      inputs: staging.inputs,
      ...(await streamsOf(scope, tool, layout)),
      resources: limitsOf(resources),
      reserved: undefined,
      logTo: '',
      network: await networkOf(scope, this.effective, this.version),
      timeLimitMs: await timeLimitOf(scope, this.effective),
      searchPath: '',
      secrets: [],
      shmBytes: await shmBytesOf(scope, this.effective),
    };
    refuseTooLong(spec.argv, spec.environment);
    return { spec, inputs, runtime: scope.runtime, reuse: await reuseOf(scope, this.effective) };
  }

  private scope(inputs: CwlObject, runtime: CwlObject): Scope {
    return { evaluator: this.deps.evaluator, options: expressionOptions(this.effective, this.version), inputs, runtime };
  }

  /** Inputs with names, contents, listings and secondary files, without paths; made once. */
  private inputs(): Promise<CwlObject> {
    const { request } = this;
    this.prepared ??= prepareInputs(
      request.inputs,
      {
        parameters: request.tool.inputs,
        effective: this.effective,
        declaredVersion: this.version,
        ...(request.formats ? { formats: request.formats } : {}),
        access: this.deps.files,
        discover: request.discoverSecondaryFiles ?? false,
        observed: observedBy(request),
      },
      this.scope({}, {}),
    ).catch((error: unknown) => {
      // Storage may answer the next time.
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }
}

/** What the runner enforces: nothing that the author did not ask for. CWL's defaults are reservations; as limits they would kill tools. */
function limitsOf(resources: TaskResources): executor.Resources {
  return {
    cores: resources.limits.cores ?? 0,
    ramBytes: (resources.limits.ramMiB ?? 0) * BYTES_PER_MIB,
    diskBytes: (resources.tmpdirMiB + resources.outdirMiB) * BYTES_PER_MIB,
    gpus: resources.gpus,
  };
}
