/** What a job leaves to its run, its dispatcher gives it back: from the run's actor where that is here, else from what lies beside the run. */
import { decide, initialState, type Command, type EngineEvent, type RunState } from '@weft/engine';
import { readJson, writeJson, type CommandLineTool, type CwlObject, type Link, type Plan, type Workflow } from '@weft/plan';
import { LONG_JOB, type TaskJob } from '@weft/queue';
import { aRunHeader, aTaskJob, createFakeRunStore } from '@weft/testing';
import { anOwnedRun } from '../../test/an-owned-run.js';
import { carried, JobInputs } from './job-inputs.js';
import { toLogEvent } from '../runs/log-events.js';
import type { OwnedRun } from '../runs/owned-run.js';

const NONE = { requirements: [], hints: [], declaredVersion: 'v1.2' };
const link = (port: string): Link => ({ sources: [{ step: null, port }], list: false, linkMerge: 'merge_nested' });
const names = ['text', 'list', 'small', 'own'];
const tool: CommandLineTool = {
  ...{ ...NONE, class: 'CommandLineTool', id: 't', outputs: [], baseCommand: ['t'], arguments: [] },
  ...{ successCodes: [], temporaryFailCodes: [], permanentFailCodes: [] },
  inputs: names.map((name) => ({ name, type: 'Any' })),
};
const LONG = 'x'.repeat(LONG_JOB.chars);
const MANY = Array.from({ length: LONG_JOB.values }, (_, n) => n);
const workflow: Workflow = {
  ...{ ...NONE, class: 'Workflow', id: 'w', outputs: [] },
  inputs: [
    { name: 'a', type: 'Any' },
    { name: 'b', type: 'Any' },
    { name: 'c', type: 'Any', default: [LONG] },
    { name: 'each', type: 'Any' },
  ],
  steps: [
    {
      ...{ name: 's', run: 't', out: [], scatter: ['small'], requirements: [], hints: [] },
      in: [
        { name: 'text', link: link('a') },
        { name: 'list', link: link('c') },
        { name: 'small', link: link('each') },
        { name: 'own', default: `${LONG} of the step` },
      ],
    },
  ],
};
const plan: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: 'w', processes: { w: workflow, t: tool } };

interface Begun {
  state: RunState;
  tasks: Extract<Command, { type: 'RunTask' }>[];
  event: EngineEvent;
}

function begin(of: Plan, inputs: CwlObject): Begun {
  const event: EngineEvent = { type: 'RunAccepted', runId: 'r-1', planHash: 'h', inputs, options: { noContainer: false, maxAttempts: 1 } };
  const { state, commands } = decide(initialState(of), event, 1);
  return { state, event, tasks: commands.filter((command) => command.type === 'RunTask') };
}

/** @param actor whether the run's actor is on this replica */
async function inputsOf({ event }: Begun, of: Plan, actor?: RunState): Promise<JobInputs> {
  const store = createFakeRunStore();
  await store.intake.create(aRunHeader(), toLogEvent(event));
  const actorOf = (): OwnedRun | undefined => actor && anOwnedRun({ state: actor });
  return new JobInputs(() => ({ actorOf }), store.reader, { get: async () => of });
}

const cases: [string, Plan, CwlObject, Record<string, string> | undefined][] = [
  ['of a step: what is long and the run’s', plan, { a: LONG, b: 1, each: [1, 2, 3] }, { text: 'a', list: 'c' }],
  ['of a step: with long numbers, too', plan, { a: [9223372036854775807n, LONG], each: [9223372036854775806n] }, { text: 'a', list: 'c' }],
  ['of a tool: what has many values', { ...plan, root: 't' }, { text: 'short', list: MANY, own: null }, { list: 'list' }],
  ['of a tool: nothing where nothing is long', { ...plan, root: 't' }, { text: 'short', list: [1] }, undefined],
];

describe.each(cases)('%s', (_what, of, inputs, fromRun) => {
  it('is left to the run, and is there again on whichever replica has the job', async () => {
    const begun = begin(of, inputs);
    expect(begun.tasks.length).toBeGreaterThan(0);
    for (const task of begun.tasks) {
      const part = carried(begun.state, task);
      expect(part.fromRun).toEqual(fromRun);
      for (const name of Object.keys(fromRun ?? {})) expect(part.inputs).not.toHaveProperty([name]);
      const queued = readJson(writeJson(aTaskJob({ taskId: task.taskId, ...part }))) as TaskJob;
      const expected = aTaskJob({ taskId: task.taskId, inputs: task.inputs });
      expect(await (await inputsOf(begun, of)).whole(queued)).toEqual(expected);
      expect(await (await inputsOf(begun, of, begun.state)).whole(queued)).toEqual(expected);
    }
  });
});

describe('where it is not there', () => {
  const begun = begin(plan, { a: LONG, each: [1] });
  const job = aTaskJob({ inputs: {}, fromRun: { text: 'a' } });

  it('as the run was removed, there is no job', async () => {
    expect(await (await inputsOf(begun, plan)).whole({ ...job, runId: 'r-gone' })).toBeUndefined();
  });

  it.each(['no', '__proto__', 'constructor'])('as the run has no input %s, that is said', async (own) => {
    await expect((await inputsOf(begun, plan)).whole({ ...job, fromRun: { text: own } })).rejects.toThrow(`has no input "${own}"`);
  });

  it('as the task is done here, it comes from the store', async () => {
    expect(await (await inputsOf(begun, plan, initialState(plan))).whole(job)).toMatchObject({ inputs: { text: LONG } });
  });
});
