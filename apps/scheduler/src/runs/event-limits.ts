/**
 * What an event may bring into a run's log: every reader of the run, and every scheduler that takes it over, has all of it in memory, and a
 * text of more than half a gigabyte cannot be made at all.
 *
 * Invariants:
 *  1. What is more is refused where it is produced, as a failure of that task or step for good: what is in the log can be read again.
 *  2. What was decided is in the log. A replay does not ask these limits.
 */
import type { EngineEvent, Failure, RunEnded } from '@weft/engine';
import { isLongJson, type CwlObject, type CwlValue, type JsonLimits } from '@weft/plan';

const MIB = 1024 * 1024;

/** The output object of one task; and what the shards have that are begun together. */
export const TASK_LIMITS: JsonLimits = { chars: 64 * MIB, values: 4_000_000 };
/** The output object of a run. */
export const RUN_LIMITS: JsonLimits = { chars: 256 * MIB, values: 16_000_000 };

/** Characters of a failure's message, and of the lines that the tool wrote last, together. */
const MESSAGE_CHARS = 16 * 1024;
const TAIL_CHARS = 16 * 1024;
const INSTEAD = 'write what is large to files';

/** The event, or the failure that takes its place. `stepOf`: of a task. */
export function withinLimits(event: EngineEvent, stepOf: (taskId: string) => string | undefined): EngineEvent {
  switch (event.type) {
    case 'TaskSucceeded': {
      const { taskId, attempt, outputs } = event;
      if (!isLongJson(outputs, TASK_LIMITS)) return event;
      const message = `the output object has ${more(TASK_LIMITS)}: ${INSTEAD}`;
      const failure = { code: 'OUTPUT_SIZE', message, step: stepOf(taskId) ?? '' };
      return { type: 'TaskFailed', taskId, attempt, failure, retryable: false };
    }
    case 'BindingsEvaluated': {
      const { node, iteration, shards } = event;
      if (!isLongJson(shards as unknown as CwlValue, TASK_LIMITS)) return event;
      const many =
        shards.length === 1 ? 'the inputs of the step have' : `the inputs of ${shards.length} tasks that are begun together have`;
      const failure = { code: 'INPUT_SIZE', message: `${many} ${more(TASK_LIMITS)}: ${INSTEAD}`, step: node };
      return { type: 'BindingsFailed', node, iteration, firstShard: shards[0]?.index ?? 0, failure };
    }
    case 'TaskFailed':
    case 'BindingsFailed':
      return { ...event, failure: boundFailure(event.failure) };
    default:
      return event;
  }
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
