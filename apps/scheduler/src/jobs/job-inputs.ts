/**
 * The inputs that a task's job leaves to its run, because they are long and lie beside it: a queue has each of its jobs whole in Redis, the finished
 * ones too, and a scatter would have the same value there once for each of its shards.
 */
import { ownInput, runInputs, type RunState } from '@weft/engine';
import { isLongJson, readJson, type CwlObject, type CwlValue, type Plan } from '@weft/plan';
import { LONG_JOB, type TaskJob } from '@weft/queue';
import { textOf, type RunReader } from '@weft/run-store';
import type { PartitionOwner } from '../runs/partition-owner.js';

/** What the queue carries: the inputs, and of those that it does not, which inputs of the run they are. */
export function carried(state: RunState, { taskId, inputs }: { taskId: string; inputs: CwlObject }): Pick<TaskJob, 'inputs' | 'fromRun'> {
  const fromRun = Object.entries(inputs).flatMap(([name, value]): [string, string][] => {
    const own = isLongJson(value, LONG_JOB) ? ownInput(state, taskId, name) : undefined;
    return own === undefined ? [] : [[name, own]];
  });
  if (fromRun.length === 0) return { inputs };
  const left = new Set(fromRun.map(([name]) => name));
  return { inputs: Object.fromEntries(Object.entries(inputs).filter(([name]) => !left.has(name))), fromRun: Object.fromEntries(fromRun) };
}

export class JobInputs {
  constructor(
    private readonly owner: () => Pick<PartitionOwner, 'actorOf'>,
    private readonly reader: Pick<RunReader, 'object'>,
    private readonly plans: { get(hash: string): Promise<Plan> },
  ) {}

  /** The job with all of its inputs. Undefined: its run is not there any more. @throws where the run has no such input */
  async whole(job: TaskJob): Promise<TaskJob | undefined> {
    const { fromRun, ...rest } = job;
    if (fromRun === undefined) return job;
    const known = this.owner().actorOf(job.runId)?.state.tasks.get(job.taskId)?.pending?.inputs;
    if (known !== undefined) return { ...rest, inputs: known };
    const stored = await this.reader.object(job.runId, 'inputs');
    if (stored === undefined) return undefined;
    const given = runInputs(await this.plans.get(job.planHash), readJson(await textOf(stored)) as CwlObject);
    const left = Object.entries(fromRun).map(([name, own]): [string, CwlValue] => {
      const value = Object.hasOwn(given, own) ? given[own] : undefined;
      if (value === undefined) throw new Error(`run ${job.runId} has no input ${JSON.stringify(own.slice(0, 100))}`);
      return [name, value];
    });
    return { ...rest, inputs: { ...job.inputs, ...Object.fromEntries(left) } };
  }
}
