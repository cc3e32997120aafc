/**
 * What BullMQ keeps of a job, and makes JSON of with its own hands: the job itself; as text beside it where there are whole numbers in it that JSON.stringify
 * refuses (libs/plan, json.ts).
 */
import { isLongJson, jsonOf, writeJson } from '@weft/plan';
import { isTaskJob } from './job-shape.js';
import { LONG_JOB, type TaskJob } from './ports.js';

export type JobData = TaskJob & { exact?: string };

export function jobData(job: TaskJob): JobData {
  const requirements = [...job.inherited.requirements, ...job.inherited.hints];
  if (!holdsLong(job.inputs) && !holdsLong(requirements)) return job;
  // What the board shows stays; what it cannot show goes.
  return { ...job, inputs: {}, inherited: { requirements: [], hints: [] }, exact: writeJson(job) };
}

/** What stays of a job that is done, for the board; undefined: all of it, it is not long. */
export function finishedData(job: TaskJob): JobData | undefined {
  return isLongJson(job.inputs, LONG_JOB) ? jobData({ ...job, inputs: {} }) : undefined;
}

/** Undefined: it is no job of ours. */
export function jobOf(data: unknown): TaskJob | undefined {
  if (!isTaskJob(data)) return undefined;
  const { exact } = data as { exact?: unknown };
  if (exact === undefined) return data;
  const job = typeof exact === 'string' ? jsonOf(exact) : undefined;
  return isTaskJob(job) ? job : undefined;
}

function holdsLong(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.some(holdsLong) : Object.values(value).some(holdsLong);
}
