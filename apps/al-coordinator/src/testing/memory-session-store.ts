/**
 * A session store in memory, for tests: same contract as the Redis one. `beforeCommit` lets a test slip in between read and write.
 */
import type { Command, Session } from '../session/session.types.js';
import type { SessionPage, SessionStore, StoreChange } from '../store/session-store.port.js';

export class MemorySessionStore implements SessionStore {
  private readonly sessions = new Map<string, Session>();
  private readonly stored = new Map<string, Command>();
  private readonly keys = new Map<string, string>();
  beforeCommit: (change: StoreChange) => Promise<void> = async () => undefined;

  async getSession(projectId: string, sessionId: string): Promise<Session | undefined> {
    return structuredClone(this.sessions.get(`${projectId} ${sessionId}`));
  }

  async listSessions(projectId: string): Promise<Session[]> {
    const mine = [...this.sessions.values()].filter((session) => session.projectId === projectId);
    return structuredClone(mine.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt)));
  }

  async listAllSessions(size: number, after?: string): Promise<SessionPage> {
    const all = [...this.sessions.values()].map((session) => ({
      place: `${session.createdAt} ${session.projectId} ${session.sessionId}`,
      session,
    }));
    const rest = all.sort((a, b) => (a.place < b.place ? 1 : -1)).filter(({ place }) => after === undefined || place < after);
    const page = rest.slice(0, size);
    const sessions = structuredClone(page.map(({ session }) => session));
    return { sessions, ...(rest.length > size ? { next: page.at(-1)?.place } : {}) };
  }

  async getCommand(projectId: string, commandId: string): Promise<Command | undefined> {
    return structuredClone(this.stored.get(`${projectId} ${commandId}`));
  }

  async listCommands(projectId: string, sessionId: string): Promise<Command[]> {
    return structuredClone([...this.stored.values()].filter((one) => one.projectId === projectId && one.sessionId === sessionId));
  }

  async commandOfKey(projectId: string, key: string): Promise<string | undefined> {
    return this.keys.get(`${projectId} ${key}`);
  }

  async openCommands(): Promise<Command[]> {
    return structuredClone([...this.stored.values()].filter((command) => command.finishedAt === undefined));
  }

  async commit(change: StoreChange): Promise<boolean> {
    await this.beforeCommit(change);
    const { session, commands, key } = structuredClone(change);
    const at = `${session.projectId} ${session.sessionId}`;
    if ((this.sessions.get(at)?.version ?? 0) !== session.version) return false;
    if (key && this.keys.has(`${session.projectId} ${key.key}`)) return false;
    this.sessions.set(at, { ...session, version: session.version + 1 });
    if (key) this.keys.set(`${session.projectId} ${key.key}`, key.commandId);
    for (const command of commands) this.stored.set(`${command.projectId} ${command.commandId}`, command);
    return true;
  }
}
