/** What a job asks of the task builder, the runner pool and the runner. Pure. */
import type { executor } from '@weft/contracts';
import type { CommandLineTool, Plan } from '@weft/plan';
import type { TaskJob } from '@weft/queue';
import type { BoundTask, PreparedTask, SandboxLayout, TaskRequest } from '@weft/tasks';
import { amountsOf } from '../placement/runner-choice.js';
import type { Placement, PlacementRequest } from '../placement/runner-pool.js';

const CONTAINER_LAYOUT = { tmpDir: '/tmp', inputDir: '/var/lib/cwl' };
const DEFAULT_WORK_DIR = '/var/spool/cwl';

export function keyOf(taskId: string, attempt: number): string {
  return `${taskId}.${attempt}`;
}

export function requestOf(job: TaskJob, plan: Plan): TaskRequest {
  const tool = plan.processes[job.processId];
  if (tool?.class !== 'CommandLineTool') throw new Error(`plan ${job.planHash} has no tool '${job.processId}'`);
  return {
    tool: tool satisfies CommandLineTool,
    inputs: job.inputs,
    effective: job.inherited,
    formats: plan.formats,
    owner: { project: job.projectId ?? '', run: job.runId },
    noContainer: job.options.noContainer,
    defaultContainer: job.options.defaultContainer,
    ...(job.options.caller?.environment && { preserved: job.options.caller.environment }),
    ...(job.ramFactor !== undefined && { ramFactor: job.ramFactor }),
  };
}

/** What of the placement request follows from job and tool. */
export function placementOf(job: TaskJob, { container, resources }: PreparedTask): Omit<PlacementRequest, 'attached' | 'signal'> {
  const isolation = container === undefined ? 'process' : container.required ? 'container' : 'prefer-container';
  return { pool: job.pool, resources, isolation, ...(job.avoid && { avoid: job.avoid }) };
}

/** Where the outputs of a job's attempt are published; ends in '/'. */
export function publishedTo(dataUri: string, { runId, taskId, attempt }: Pick<TaskJob, 'runId' | 'taskId' | 'attempt'>): string {
  return `${dataUri}runs/${runId}/${keyOf(taskId, attempt)}/`;
}

/** Folder of a run's whole logs, beside those of its tasks. */
export const LOGS_FOLDER = 'logs';

/** Where the whole log of a job's attempt goes; the stream's name comes behind it. */
export function logsOf(dataUri: string, { runId, taskId, attempt }: Pick<TaskJob, 'runId' | 'taskId' | 'attempt'>): string {
  return `${dataUri}runs/${runId}/${LOGS_FOLDER}/${keyOf(taskId, attempt)}.`;
}

export function layoutOf(
  job: TaskJob,
  prepared: PreparedTask,
  placement: Pick<Placement, 'runner' | 'runtime'>,
): { layout: SandboxLayout; contained: boolean } {
  const contained = placement.runner.runtimes.some((runtime) => runtime.name === placement.runtime && runtime.containers);
  if (contained) return { layout: { ...CONTAINER_LAYOUT, workDir: prepared.container?.outputDirectory ?? DEFAULT_WORK_DIR }, contained };
  const { sandboxRoot, attemptSeparator = '.' } = placement.runner;
  const sandbox = `${sandboxRoot}/${job.taskId}${attemptSeparator}${job.attempt}`;
  return { layout: { workDir: `${sandbox}/work`, tmpDir: `${sandbox}/tmp`, inputDir: `${sandbox}/in` }, contained };
}

/** What the author hears of a hint that was not followed. */
export function onHostNote({ runner }: Pick<Placement, 'runner'>): string {
  return `no container runtime on runner ${runner.runnerId}: the DockerRequirement is a hint, so the tool runs on the host`;
}

/** What a task sees of its run's caller where it runs in no image, which would have its own. */
export function onHost(
  { options: { caller } }: Pick<TaskJob, 'options'>,
  contained: boolean,
): Pick<executor.TaskSpec, 'searchPath' | 'umask'> {
  return contained ? { searchPath: '', umask: undefined } : { searchPath: caller?.path ?? '', umask: caller?.umask };
}

/**
 * In place is changed what the same run made; of everything else the task gets a copy, which is what the requirement allows ("may"), and what a
 * document means that does not have it. Source: CWL v1.2 CommandLineTool "InplaceUpdateRequirement".
 */
function inPlaceOfOwn(inputs: executor.Input[], dataUri: string, { runId }: Pick<TaskJob, 'runId'>): executor.Input[] {
  const own = `${dataUri}runs/${runId}/`;
  const isOwn = (uri: string): boolean => uri.startsWith('file:') && uri.startsWith(own);
  return inputs.map((input) =>
    input.inPlace && !(input.source?.$case === 'uri' && isOwn(input.source.value)) ? { ...input, inPlace: false } : input,
  );
}

/** Locations that a task may change; undefined: none. */
export function changedInPlace({ inputs }: executor.TaskSpec): string[] | undefined {
  const changed = inputs.flatMap(({ inPlace, source }) => (inPlace && source?.$case === 'uri' ? [source.value] : []));
  return changed.length === 0 ? undefined : changed;
}

export function specOf(
  job: TaskJob,
  bound: BoundTask,
  placement: Placement,
  contained: boolean,
  prepared: PreparedTask,
  dataUri: string,
): executor.TaskSpec {
  return {
    ...bound.spec,
    inputs: inPlaceOfOwn(bound.spec.inputs, dataUri, job),
    taskId: job.taskId,
    attempt: job.attempt,
    runId: job.runId,
    runtime: placement.runtime,
    logTo: logsOf(dataUri, job),
    reserved: amountsOf(prepared.resources),
    image: contained ? prepared.container?.image : undefined,
    ...onHost(job, contained),
    resources: bound.spec.resources && {
      ...bound.spec.resources,
      // More than the host has is no limit, and engines refuse it.
      cores: Math.min(bound.spec.resources.cores, placement.runner.capacity.cores),
    },
  };
}
