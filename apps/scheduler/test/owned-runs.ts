/** For tests of partition owners and run actors: a run of two tasks, and an owner whose commands are only recorded. */
import { type Command, CURRENT_RULES, type EngineEvent, type RunOptions } from '@weft/engine';
import type { CommandLineTool, CwlObject, CwlValue, Plan, Workflow } from '@weft/plan';
import { createLogger } from '@weft/platform';
import { type LogEntry, type RunStore, textOf } from '@weft/run-store';
import { aRunHeader, Inbox } from '@weft/testing';
import { toLogEvent } from '../src/runs/log-events.js';
import { PartitionOwner } from '../src/runs/partition-owner.js';
import type { CommandExecutor, OwnedRun } from '../src/runs/owned-run.js';
import type { RunMemory } from '../src/runs/memory/run-memory.js';

const NONE = { requirements: [], hints: [], declaredVersion: 'v1.2' };
const tool: CommandLineTool = {
  ...NONE,
  class: 'CommandLineTool',
  id: 't',
  inputs: [{ name: 'x', type: 'Any' }],
  outputs: [{ name: 'out', type: 'Any' }],
  baseCommand: ['t'],
  arguments: [],
  successCodes: [0],
  temporaryFailCodes: [],
  permanentFailCodes: [],
};
const scattered: Workflow = {
  ...NONE,
  class: 'Workflow',
  id: 'w',
  inputs: [{ name: 'i', type: 'Any' }],
  outputs: [{ name: 'o', type: 'Any', link: { sources: [{ step: 's', port: 'out' }], list: false, linkMerge: 'merge_nested' } }],
  steps: [
    {
      name: 's',
      run: 't',
      in: [{ name: 'x', link: { sources: [{ step: null, port: 'i' }], list: false, linkMerge: 'merge_nested' } }],
      out: ['out'],
      scatter: ['x'],
      requirements: [],
      hints: [],
    },
  ],
};
const plan: Plan = { planVersion: 1, cwlVersion: 'v1.2', root: 'w', processes: { w: scattered, t: tool } };
export const RUN = 'r-1';
const accepted: Extract<EngineEvent, { type: 'RunAccepted' }> = {
  type: 'RunAccepted',
  runId: RUN,
  planHash: 'h',
  inputs: { i: [1, 2] },
  options: { noContainer: false, maxAttempts: 3 },
  rules: CURRENT_RULES,
};
export const logger = createLogger('test', 'silent');

export class Recorder implements CommandExecutor {
  readonly commands = new Inbox<Command>();
  actor: OwnedRun | undefined;
  execute(actor: OwnedRun, commands: Command[]): void {
    this.actor = actor;
    commands.forEach(this.commands.push);
  }
  applied(): void {}
  async ending(_actor: OwnedRun): Promise<void> {}
  stopped(): void {}
}

/** `late`: what the owner has put off; tests say when its time has come. */
export async function owning(
  store: RunStore,
  name = 'me',
  completeOutputs: (outputs: CwlObject) => Promise<CwlObject> = async (outputs) => outputs,
  onFoundEnded?: (finishedAtMs: number) => void,
  memory?: RunMemory,
): Promise<{ owner: PartitionOwner; executor: Recorder; late: (() => void)[] }> {
  const executor = new Recorder();
  const late: (() => void)[] = [];
  const clock = { now: () => Date.now(), after: (_delayMs: number, work: () => void) => (late.push(work), (): void => undefined) };
  const owner = new PartitionOwner({
    store,
    executor,
    completeOutputs,
    onFoundEnded,
    logger,
    owner: name,
    leaseTtlMs: 60_000,
    clock,
    memory,
  });
  await owner.start();
  return { owner, executor, late };
}

export interface SubmittedAs {
  /** One task each. */
  values?: CwlValue[];
  options?: Partial<RunOptions>;
  projectId?: string;
}

export async function submitted(store: RunStore, runId = RUN, { values = [1, 2], options, ...header }: SubmittedAs = {}): Promise<void> {
  await store.intake.putPlan('h', plan);
  const inputs = { i: values };
  const event = { ...accepted, runId, inputs, options: { ...accepted.options, ...options } };
  await store.intake.create(aRunHeader({ runId, planHash: 'h', ...header }), toLogEvent(event));
}

export const succeeded = (taskId: string, out: string): EngineEvent => ({ type: 'TaskSucceeded', taskId, attempt: 1, outputs: { out } });

/** What the run was sealed with. */
export async function outputsOf(store: RunStore, runId = RUN): Promise<unknown> {
  const found = await store.reader.object(runId, 'outputs');
  return found && JSON.parse(await textOf(found));
}

/** The log to its end, by following it as a watcher would. */
export async function wholeLog(store: RunStore): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of store.reader.follow(RUN, 0, new AbortController().signal)) entries.push(entry);
  return entries;
}
