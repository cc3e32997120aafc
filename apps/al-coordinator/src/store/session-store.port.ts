/**
 * Where sessions and commands are kept. Owned by the coordinator's services.
 */
import type { Command, Session } from '../session/session.types.js';

export interface SessionReader {
  getSession(projectId: string, sessionId: string): Promise<Session | undefined>;
  /** Oldest first. */
  listSessions(projectId: string): Promise<Session[]>;
  /** Sessions of every project, newest first. `after` is the `next` of the page before; a page may have fewer than `size`. */
  listAllSessions(size: number, after?: string): Promise<SessionPage>;
  getCommand(projectId: string, commandId: string): Promise<Command | undefined>;
  /** Oldest first. */
  listCommands(projectId: string, sessionId: string): Promise<Command[]>;
  /** The command that was stored under an idempotency key (kept for a week). */
  commandOfKey(projectId: string, key: string): Promise<string | undefined>;
  /** Commands that have not ended, of every project. */
  openCommands(): Promise<Command[]>;
}

export interface SessionPage {
  sessions: Session[];
  /** Where the next page begins; undefined on the last one. */
  next?: string;
}

/** Everything one decision changes. `session.version` is the version that was read (0 = a new session). */
export interface StoreChange {
  session: Session;
  commands: Command[];
  /** Reserves an idempotency key for a command. */
  key?: { key: string; commandId: string };
}

export interface SessionWriter {
  /** All or nothing. False: the session has changed since it was read, or the key is taken: read again and decide anew. */
  commit(change: StoreChange): Promise<boolean>;
}

export type SessionStore = SessionReader & SessionWriter;
