/**
 * Engine events as the run store keeps them. The store treats them as opaque JSON; the engine wrote every one of them,
 * so reading them back as engine events is safe as long as event types only gain optional members.
 */
import type { EngineEvent } from '@weft/engine';
import type { LogEntry } from '@weft/run-store';

export function toLogEvent(event: EngineEvent): LogEntry['event'] {
  return event as unknown as LogEntry['event'];
}

export function engineEvent(entry: LogEntry): EngineEvent {
  return entry.event as unknown as EngineEvent;
}

/** Whether a run with this log has ended, and was not retried since. */
export function isSealed(entries: LogEntry[]): boolean {
  const last = entries.findLast(({ event }) => event.type === 'RunEnded' || event.type === 'RunRetried');
  return last?.event.type === 'RunEnded';
}

/** A replayed state that the log does not lead to (any more). */
export class LogDivergedError extends Error {
  override readonly name = 'LogDivergedError';
  constructor(runId: string, sequence: number) {
    super(`the log of run ${runId} does not hold entry ${sequence} as it was read: the store has lost its newest writes`);
  }
}
