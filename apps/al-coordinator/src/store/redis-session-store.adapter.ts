/**
 * Sessions and commands in Redis, as JSON.
 *
 * Invariants:
 *  1. Every key of a project carries the hash tag `{al:<project>}` (percent-encoded): one script, one slot.
 *  2. Every write goes through one script that checks the session's version; two coordinators never overwrite each other.
 *  3. `weft:al:projects` names every project that may have open commands; it is written before the project's first command.
 *  4. `weft:al:sessions` names every session of every project, ordered by creation; it is written before the session, so it may name
 *     one that was never stored.
 */
import type { Redis } from 'ioredis';
import type { Command, Session } from '../session/session.types.js';
import { COMMIT_SCRIPT } from './commit.lua.js';
import type { SessionPage, SessionStore, StoreChange } from './session-store.port.js';

const PROJECTS = 'weft:al:projects';
/** Members `<creation time, 15 digits of ms>:<project>:<session>` (percent-encoded), all with score 0: their order is that of time. */
const SESSIONS = 'weft:al:sessions';
const KEY_TTL_S = 7 * 24 * 3600;

export class RedisSessionStore implements SessionStore {
  constructor(private readonly redis: Redis) {}

  async getSession(projectId: string, sessionId: string): Promise<Session | undefined> {
    const [version, json] = await this.redis.hmget(key(projectId, 'session', sessionId), 'version', 'json');
    return version && json ? { ...(JSON.parse(json) as Session), version: Number(version) } : undefined;
  }

  async listSessions(projectId: string): Promise<Session[]> {
    const ids = await this.redis.zrange(key(projectId, 'sessions'), '0', '-1');
    const sessions = await Promise.all(ids.map((id) => this.getSession(projectId, id)));
    return sessions.filter((session) => session !== undefined);
  }

  async listAllSessions(size: number, after?: string): Promise<SessionPage> {
    const from = after === undefined ? '+' : `(${after}`;
    const members = await this.redis.zrevrangebylex(SESSIONS, from, '-', 'LIMIT', 0, size + 1);
    const page = members.slice(0, size);
    const sessions = await Promise.all(page.map((member) => this.getSession(...namedBy(member))));
    return { sessions: sessions.filter((session) => session !== undefined), ...(members.length > size ? { next: page.at(-1) } : {}) };
  }

  async getCommand(projectId: string, commandId: string): Promise<Command | undefined> {
    const json = await this.redis.get(key(projectId, 'command', commandId));
    return json === null ? undefined : (JSON.parse(json) as Command);
  }

  async listCommands(projectId: string, sessionId: string): Promise<Command[]> {
    return this.commands(projectId, await this.redis.lrange(key(projectId, 'commands', sessionId), 0, -1));
  }

  async commandOfKey(projectId: string, idempotencyKey: string): Promise<string | undefined> {
    return (await this.redis.get(key(projectId, 'key', idempotencyKey))) ?? undefined;
  }

  async openCommands(): Promise<Command[]> {
    const projects = await this.redis.smembers(PROJECTS);
    const open = projects.sort().map(async (id) => this.commands(id, (await this.redis.smembers(key(id, 'open'))).sort()));
    return (await Promise.all(open)).flat();
  }

  async commit({ session, commands, key: reserved }: StoreChange): Promise<boolean> {
    const { projectId, sessionId } = session;
    if (session.version === 0) await this.redis.zadd(SESSIONS, 0, indexMember(session));
    if (commands.some((command) => command.finishedAt === undefined)) await this.redis.sadd(PROJECTS, projectId);
    const keys = [
      key(projectId, 'session', sessionId),
      key(projectId, 'sessions'),
      key(projectId, 'commands', sessionId),
      key(projectId, 'open'),
      key(projectId, 'key', reserved?.key ?? ''),
      ...commands.map((command) => key(projectId, 'command', command.commandId)),
    ];
    const { version, ...state } = session;
    const written = commands.flatMap((command) => [
      command.commandId,
      JSON.stringify(command),
      command.finishedAt === undefined ? '1' : '0',
    ]);
    const args = [
      String(version),
      JSON.stringify(state),
      sessionId,
      String(Date.parse(session.createdAt)),
      reserved?.commandId ?? '',
      String(KEY_TTL_S),
    ];
    return (await this.redis.eval(COMMIT_SCRIPT, keys.length, ...keys, ...args, ...written)) === 1;
  }

  private async commands(projectId: string, ids: string[]): Promise<Command[]> {
    const commands = await Promise.all(ids.map((id) => this.getCommand(projectId, id)));
    return commands.filter((command) => command !== undefined);
  }
}

function indexMember({ createdAt, projectId, sessionId }: Session): string {
  return [String(Date.parse(createdAt)).padStart(15, '0'), encodeURIComponent(projectId), encodeURIComponent(sessionId)].join(':');
}

/** Project and session of an index member. */
function namedBy(member: string): [string, string] {
  const [, project = '', session = ''] = member.split(':');
  return [decodeURIComponent(project), decodeURIComponent(session)];
}

function key(projectId: string, ...parts: string[]): string {
  return ['weft', `{al:${encodeURIComponent(projectId)}}`, ...parts].join(':');
}
