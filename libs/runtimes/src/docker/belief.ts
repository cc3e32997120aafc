/**
 * What a container is worth after the connection to its engine was lost: whether its end is the tool's own, and its output whole. Pure.
 *
 * An engine that stops ends its containers (TERM, then KILL), and one that was killed ends what it finds when it starts again, unless it keeps
 * containers running without it ("live-restore"). What a tool exits with then says nothing about the tool: it may even be 0. And what the
 * container wrote in between goes through the engine, which takes with it what it had not written down.
 */
export interface Seen {
  status: 'created' | 'running' | 'ended';
  exitCode: number;
  /** Whether the engine is the one that started the container, or has been started again since. */
  engine: 'same' | 'restarted';
  liveRestore: boolean;
  /** Its results pass through the engine: output that goes to a file, or input that comes from one. */
  fragile: boolean;
}

/** The engine gives it where it could not learn the real one. */
const UNKNOWN_EXIT = 255;

/** Why the task has to be run again; undefined where the container is to be followed on, or its end is the tool's. */
export function doubt({ status, exitCode, engine, liveRestore, fragile }: Seen): string | undefined {
  if (status === 'created') return 'the container was not started';
  if (engine === 'same') return undefined;
  if (status === 'ended' && !liveRestore) return 'the engine ended the container when it went down, or has not seen its end';
  if (status === 'ended' && exitCode === UNKNOWN_EXIT) return 'the engine does not know how the container ended';
  return fragile ? "what went through the engine, the tool's redirected input or output, may be incomplete" : undefined;
}
