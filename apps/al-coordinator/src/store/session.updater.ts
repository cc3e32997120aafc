/**
 * Read, decide, store; again where somebody else was faster.
 */
import { ServiceError } from '@weft/platform';
import type { Change } from '../session/session.decider.js';
import type { Command, Session } from '../session/session.types.js';
import type { SessionStore } from './session-store.port.js';

/** Conflicts in a row after which something is wrong with the store rather than busy. */
const MAX_CONFLICTS = 50;

export type Decide = (session: Session, command: Command, queued: Command[]) => Change | undefined;

export class SessionUpdater {
  constructor(private readonly store: SessionStore) {}

  /** What was stored; undefined where `decide` found nothing to do, or the command is gone. */
  async update(command: { projectId: string; sessionId: string; commandId: string }, decide: Decide): Promise<Change | undefined> {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const session = await this.store.getSession(command.projectId, command.sessionId);
      const current = await this.store.getCommand(command.projectId, command.commandId);
      if (!session || !current) return undefined;
      const change = decide(session, current, await this.queued(session));
      if (!change || (await this.store.commit(change))) return change;
    }
    throw new ServiceError('ABORTED', `session ${command.sessionId} keeps changing`);
  }

  /** The session's waiting commands, oldest first. */
  async queued(session: Session): Promise<Command[]> {
    const commands = await Promise.all(session.queue.map((id) => this.store.getCommand(session.projectId, id)));
    return commands.filter((command) => command !== undefined);
  }
}
