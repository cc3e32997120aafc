/** A golden log, and what an engine makes of it: each entry's decisions in words and as a hash of all of them. */
import { createHash } from 'node:crypto';
import type { Command, Decision, EngineEvent, RunState } from '@weft/engine';
import { canonicalJson, type CwlObject, type Plan } from '@weft/plan';

/** One line of a golden file after the first: an entry of the log, and what followed from it. */
export interface GoldenEntry {
  atMs: number;
  event: EngineEvent;
  /** What was asked for, for people who look why it differs. */
  decided: string[];
  /** Of all that was asked for, and which tasks changed. */
  hash: string;
}

/** The first line. */
export interface GoldenHead {
  /** What the run is there for. */
  kind: string;
  plan: Plan;
  end: End;
}

/** What the state is in the end. */
interface End {
  phase: string;
  final?: string | undefined;
  failure?: string | undefined;
  outputs?: string | undefined;
  tally: Record<string, number>;
}

export interface GoldenLog extends GoldenHead {
  entries: GoldenEntry[];
}

/** As much of an engine as a replay takes. */
export interface Engine {
  initialState(plan: Plan): RunState;
  decide(state: RunState, event: EngineEvent, atMs: number): Decision;
}

export function decisionsOf({ decide, initialState }: Engine, { plan, entries }: Pick<GoldenLog, 'plan' | 'entries'>) {
  const state = initialState(plan);
  const decided = entries.map(({ event, atMs }) => told(decide(state, event, atMs)));
  return { decided, end: endOf(state) };
}

export function told({ commands, changedTasks, ignored }: Decision): Pick<GoldenEntry, 'decided' | 'hash'> {
  const asked = commands.map((command) => (command.type === 'EndRun' ? { ...command, failure: inShort(command.failure) } : command));
  const all = canonicalJson(JSON.parse(JSON.stringify([asked, changedTasks, ignored !== undefined])) as never);
  return { decided: commands.map(inWords), hash: hashOf(all) };
}

export function endOf({ phase, final, failure, outputs, tally }: RunState): End {
  const json = (value: object | undefined): string | undefined => value && canonicalJson(value as CwlObject);
  return JSON.parse(JSON.stringify({ phase, final, failure: json(inShort(failure)), outputs: short(json(outputs)), tally })) as End;
}

export function readGolden(text: string): GoldenLog {
  const [head = '', ...lines] = text.trimEnd().split('\n');
  return { ...(JSON.parse(head) as GoldenHead), entries: lines.map((line) => JSON.parse(line) as GoldenEntry) };
}

export function writeGolden({ entries, ...head }: GoldenLog): string {
  return [head, ...entries].map((line) => JSON.stringify(line)).join('\n') + '\n';
}

/** What is said to people of a failure, and of an event without effect, may get better. */
function inShort(failure: RunState['failure']): object | undefined {
  return failure && { code: failure.code, step: failure.step ?? null, taskId: failure.taskId ?? null };
}

function inWords(command: Command): string {
  switch (command.type) {
    case 'RunTask':
      return `run ${command.taskId}.${command.attempt} ${command.step}[${command.index}]${command.delayMs > 0 ? ` in ${command.delayMs} ms` : ''}`;
    case 'EvaluateExpressionTool':
      return `evaluate ${command.taskId}.${command.attempt} ${command.step}`;
    case 'EvaluateBindings':
      return `bind ${command.node} ${command.iteration} from ${command.shards[0]?.index} on: ${command.shards.length}`;
    case 'CancelTasks':
      return `cancel ${command.tasks.length}`;
    case 'EndRun':
      return `end ${command.status}`;
  }
}

const LONGEST = 400;

function short(text: string | undefined): string | undefined {
  return text === undefined || text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… ${hashOf(text)}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
