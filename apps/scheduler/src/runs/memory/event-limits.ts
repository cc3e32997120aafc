/**
 * What an event may bring into a run's log: every reader of the run, and every scheduler that takes it over, has all of it in memory, and a
 * text of more than half a gigabyte cannot be made at all.
 *
 * Invariants:
 *  1. What is more is refused where it is produced, as a failure of that task or step for good: what is in the log can be read again. So is what
 *     this replica has no memory for (run-memory.ts).
 *  2. What was decided is in the log. A replay does not ask these limits.
 */
import type { EngineEvent, Failure, RunEnded } from '@weft/engine';
import { heapBytes, isLongJson, type CwlObject, type CwlValue, type JsonLimits } from '@weft/plan';

const MIB = 1024 * 1024;

/** The output object of one task; and what the shards have that are begun together. */
export const TASK_LIMITS: JsonLimits = { chars: 64 * MIB, values: 4_000_000 };
/** The output object of a run. */
export const RUN_LIMITS: JsonLimits = { chars: 256 * MIB, values: 16_000_000 };

/** Characters of a failure's message, and of the lines that the tool wrote last, together. */
const MESSAGE_CHARS = 16 * 1024;
const TAIL_CHARS = 16 * 1024;
const INSTEAD = 'write what is large to files';
const NO_MEMORY = `the runs of the project hold all that it may; ${INSTEAD}, or retry this run when others have ended`;
/** Of a failure for which there is no memory. */
const SHORT_MESSAGE = 200;

type Of<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;

/** What an event is held against. */
export interface EventLimits {
  stepOf(taskId: string): string | undefined;
  /** Whether there is memory for so many bytes more. */
  admits(bytes: number): boolean;
}

/** The event, or the failure that takes its place. */
export function withinLimits(event: EngineEvent, limits: EventLimits): EngineEvent {
  const fitting = withinLength(event, limits);
  return limits.admits(heldBytes(fitting)) ? fitting : withoutMemory(fitting, limits);
}

/** Bytes that an event brings into the state of its run. */
export function heldBytes(event: EngineEvent): number {
  switch (event.type) {
    case 'RunAccepted':
      return heapBytes(event.inputs);
    case 'TaskSucceeded':
      return heapBytes(event.outputs);
    case 'BindingsEvaluated':
      return heapBytes(event.shards);
    case 'TaskFailed':
    case 'BindingsFailed':
      return heapBytes(event.failure);
    default:
      return 0;
  }
}

function withinLength(event: EngineEvent, limits: EventLimits): EngineEvent {
  switch (event.type) {
    case 'TaskSucceeded':
      return isLongJson(event.outputs, TASK_LIMITS)
        ? outputRefused(event, limits, `the output object has ${more(TASK_LIMITS)}: ${INSTEAD}`)
        : event;
    case 'BindingsEvaluated':
      return isLongJson(event.shards as unknown as CwlValue, TASK_LIMITS)
        ? bindingsRefused(event, `${inputsOf(event)} have ${more(TASK_LIMITS)}: ${INSTEAD}`)
        : event;
    case 'TaskFailed':
    case 'BindingsFailed':
      return { ...event, failure: boundFailure(event.failure) };
    default:
      return event;
  }
}

function withoutMemory(event: EngineEvent, limits: EventLimits): EngineEvent {
  switch (event.type) {
    case 'TaskSucceeded':
      return outputRefused(event, limits, `there is no memory left for the output object: ${NO_MEMORY}`);
    case 'BindingsEvaluated':
      return bindingsRefused(event, `there is no memory left for ${inputsOf(event)}: ${NO_MEMORY}`);
    case 'TaskFailed':
    case 'BindingsFailed':
      return { ...event, failure: { ...event.failure, message: event.failure.message.slice(0, SHORT_MESSAGE), stderrTail: [] } };
    default:
      return event;
  }
}

function outputRefused({ taskId, attempt }: Of<'TaskSucceeded'>, { stepOf }: EventLimits, message: string): EngineEvent {
  return { type: 'TaskFailed', taskId, attempt, failure: { code: 'OUTPUT_SIZE', message, step: stepOf(taskId) ?? '' }, retryable: false };
}

function bindingsRefused({ node, iteration, shards }: Of<'BindingsEvaluated'>, message: string): EngineEvent {
  return {
    type: 'BindingsFailed',
    node,
    iteration,
    firstShard: shards[0]?.index ?? 0,
    failure: { code: 'INPUT_SIZE', message, step: node },
  };
}

function inputsOf({ shards }: Of<'BindingsEvaluated'>): string {
  return shards.length === 1 ? 'the inputs of the step' : `the inputs of ${shards.length} tasks that are begun together`;
}

/** How the run ends, where its output object is this. */
export function endWithin(end: RunEnded, outputs: CwlObject | undefined): RunEnded {
  if (outputs === undefined || !isLongJson(outputs, RUN_LIMITS)) return end;
  const message = `the output object of the run has ${more(RUN_LIMITS)}: ${INSTEAD}, or give fewer outputs`;
  return { type: 'RunEnded', status: 'failed', failure: { code: 'OUTPUT_SIZE', message } };
}

export function boundFailure(failure: Failure): Failure {
  const { message, stderrTail } = failure;
  const long = message.length > MESSAGE_CHARS;
  const tail = stderrTail && lastOf(stderrTail);
  if (!long && tail === stderrTail) return failure;
  const cut = long ? `${message.slice(0, MESSAGE_CHARS)}… (${message.length} characters)` : message;
  return { ...failure, message: cut, ...(tail && { stderrTail: tail }) };
}

/** Its end, cut at the beginning of the first line that is kept. */
function lastOf(lines: string[]): string[] {
  let left = TAIL_CHARS;
  const kept: string[] = [];
  for (let at = lines.length - 1; at >= 0 && left > 0; at -= 1) {
    const line = lines[at] ?? '';
    kept.unshift(line.length > left ? `…${line.slice(line.length - left)}` : line);
    left -= line.length + 1;
  }
  return kept.length === lines.length && kept.every((line, at) => line === lines[at]) ? lines : kept;
}

function more({ chars, values }: JsonLimits): string {
  return `more than ${chars / MIB} MiB as JSON, or more than ${values / 1_000_000} million values`;
}
