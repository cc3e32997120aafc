/** A run that this replica owns, as others see it, and whom it deals with: who carries out what it asks for, who hears what becomes of it. */
import type { Command, EngineEvent, RunState } from '@weft/engine';
import type { Plan } from '@weft/plan';
import type { Lease, RunHeader } from '@weft/run-store';
import type { HeaderBase } from './run-header.js';

export interface OwnedRun {
  readonly runId: string;
  /** Greater than those of all runs that this process has owned before. */
  readonly serial: number;
  readonly base: HeaderBase;
  readonly plan: Plan;
  readonly lease: Lease;
  readonly state: RunState;
  /** It takes no events any more: it has ended, or belongs to another replica. */
  readonly isStopped: boolean;
  /** Of the last entry that the state holds. */
  readonly sequence: number;
  /** True once the event is in the log; false where the run was stopped first, and it is not known whether it is there. */
  offer(event: EngineEvent): Promise<boolean>;
  /** Whether the attempt is still to be made. */
  wants(taskId: string, attempt: number): boolean;
  /** As its state has it, which is ahead of what is stored. */
  header(): RunHeader;
  /** Hears of every entry from now on. Returns how to stop. */
  listen(listener: RunListener): () => void;
}

/** Carries out commands; answers come back through the actor's `offer`. */
export interface CommandExecutor {
  execute(run: OwnedRun, commands: Command[]): void;
  /** An event that is in the log has had its effect; the commands that follow from it come after. */
  applied(run: OwnedRun, event: EngineEvent): void;
  /** Before the run is sealed: everything it asked for is answered. */
  ending(run: OwnedRun): Promise<void>;
  /** The run takes no answers any more. */
  stopped(run: OwnedRun): void;
}

/** Whoever tells others what becomes of the run. */
export interface RunListener {
  /** The state holds an entry of the log, whether it had an effect or not. */
  applied(entry: Applied): void;
  /** The run takes no entries any more. */
  stopped(): void;
}

/** An event that is to get into the log, and who waits to hear whether it has. */
export interface Offered {
  event: EngineEvent;
  settle: (logged: boolean) => void;
}

/** An entry that the state holds already. */
export interface Applied {
  sequence: number;
  atMs: number;
  /** The event's. */
  type: string;
  changedTasks: string[];
}
