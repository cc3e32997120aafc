/** The logs of all runs, read by the engine, which alone knows what an entry has brought about. */
import { decide, type EngineEvent, initialState, type RunState } from '@weft/engine';
import type { CwlObject, Plan } from '@weft/plan';
import { type LogEntry, type RunStore, textOf } from '@weft/run-store';
import { type Evidence, repeated } from './verdict.js';

/**
 * A task gets one result, a run one end (and one more for each retry), and no more tasks run than may. An answer that comes when another is
 * known may be in the log as well; the engine does not take it.
 */
export async function wrongLogs({ store, acknowledged }: Evidence): Promise<string[]> {
  const problems: string[] = [];
  for (const { runId } of acknowledged) {
    const found = await replayable(store, runId);
    for (const problem of found === undefined ? [`run ${runId} has no plan`] : wrongIn(runId, found.plan, found.entries))
      problems.push(problem);
  }
  return problems;
}

/** What an attempt published whose result was not accepted may lie about until its run leaves the store, but nobody is led to it. */
export async function losersFiles({ world, store, acknowledged }: Evidence): Promise<string[]> {
  const won = new Set<string>();
  const shown: string[] = [];
  for (const { runId } of acknowledged) {
    const found = await replayable(store, runId);
    if (found === undefined) continue;
    const state = initialState(found.plan);
    for (const { event, atMs } of found.entries) decide(state, event as unknown as EngineEvent, atMs);
    for (const { taskId, attempt, status } of state.tasks.values()) if (status === 'succeeded') won.add(`${taskId}.${attempt}`);
    for (const folder of publishedIn(JSON.stringify(found.outputs ?? null), world.data)) shown.push(folder);
  }
  return [...new Set(shown)]
    .filter((folder) => !won.has(folder))
    .map((folder) => `outputs lie in ${folder}, whose result was not accepted`);
}

/** Names of the attempts' folders below the data directory that a text leads to. */
export function publishedIn(text: string, data: string): string[] {
  const [, ...after] = text.split(`file://${data}/runs/`);
  return after.map((rest) => rest.split(/[/"]/)[1] ?? '');
}

async function replayable(
  store: RunStore,
  runId: string,
): Promise<{ plan: Plan; entries: LogEntry[]; outputs: CwlObject | undefined } | undefined> {
  const header = await store.reader.get(runId);
  const plan = header && (await store.log.getPlan(header.planHash));
  return plan && { plan, entries: await store.reader.read(runId, 0), outputs: await outputsOf(store, runId) };
}

/** As the run was sealed with them. */
export async function outputsOf(store: RunStore, runId: string): Promise<CwlObject | undefined> {
  const found = await store.reader.object(runId, 'outputs');
  return found && (JSON.parse(await textOf(found)) as CwlObject);
}

export function wrongIn(runId: string, plan: Plan, entries: readonly LogEntry[]): string[] {
  const state = initialState(plan);
  const results: string[] = [];
  const wrong: string[] = [];
  /** Tasks that had succeeded when the run was retried. */
  const done = new Set<string>();
  for (const { event, atMs } of entries) {
    const taskId = String((event as { taskId?: unknown }).taskId ?? '');
    const before = state.tasks.get(taskId)?.status;
    decide(state, event as unknown as EngineEvent, atMs);
    const after = state.tasks.get(taskId)?.status;
    if (event.type === 'TaskSucceeded' && after === 'succeeded' && before !== after) results.push(taskId);
    if (event.type === 'RunRetried') for (const task of state.tasks.values()) if (task.status === 'succeeded') done.add(task.taskId);
    if (event.type === 'TaskStarted' && done.has(taskId)) wrong.push(`task ${taskId} was begun again after the run was retried`);
    if (state.tally.running > (state.options.maxParallelTasks ?? Infinity)) wrong.push(`${state.tally.running} tasks run with ${taskId}`);
  }
  return [
    ...wrong,
    ...repeated(results).map((task) => `the result of task ${task} was accepted twice`),
    ...unfounded(state, results, entries),
  ].map((text) => `run ${runId}: ${text}`);
}

function unfounded(state: RunState, results: readonly string[], entries: readonly LogEntry[]): string[] {
  const succeeded = [...state.tasks.values()].filter(({ status, cached }) => status === 'succeeded' && cached !== true);
  const without = succeeded.filter(({ taskId }) => !results.includes(taskId) && isExecuted(taskId, entries));
  const count = (type: string): number => entries.filter(({ event }) => event.type === type).length;
  const gaps = entries.filter(({ sequence }, i) => sequence !== i + 1).length;
  return [
    ...without.map(({ taskId }) => `task ${taskId} succeeded by nothing in the log`),
    ...(count('RunEnded') === 1 + count('RunRetried') ? [] : [`its log has ${count('RunEnded')} ends, of ${count('RunRetried')} retries`]),
    ...(gaps === 0 ? [] : ['its log has gaps']),
  ];
}

/** Expression tools are evaluated, not executed: their results come by other events. */
function isExecuted(taskId: string, entries: readonly LogEntry[]): boolean {
  return entries.some(({ event }) => event.type === 'TaskStarted' && event['taskId'] === taskId);
}
