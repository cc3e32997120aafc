/** Whom a run's actor deals with: who carries out what it asks for, who brings answers, who hears what becomes of it. */
import type { Command, EngineEvent } from '@weft/engine';
import type { RunActor } from './run-actor.js';
import type { Applied } from './run-teller.js';

/** Carries out commands; answers come back through the actor's `offer`. */
export interface CommandExecutor {
  execute(actor: RunActor, commands: Command[]): void;
  /** An event that is in the log has had its effect; the commands that follow from it come after. */
  applied(actor: RunActor, event: EngineEvent): void;
  /** Before the run is sealed: everything it asked for is answered. */
  ending(actor: RunActor): Promise<void>;
  /** The actor takes no answers any more. */
  stopped(actor: RunActor): void;
}

/** Whoever tells others what becomes of the run. */
export interface RunListener {
  /** The state holds an entry of the log, whether it had an effect or not. */
  applied(entry: Applied): void;
  /** The actor takes no entries any more. */
  stopped(): void;
}

/** An event that is to get into the log, and who waits to hear whether it has. */
export interface Offered {
  event: EngineEvent;
  settle: (logged: boolean) => void;
}
