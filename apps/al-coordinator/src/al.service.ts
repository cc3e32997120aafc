/**
 * The coordinator's use cases: take a command, show sessions and commands, go on after a restart.
 *
 * Invariants:
 *  1. A command is stored before anything is done for it, and answered only then.
 *  2. An idempotency key names one command of a project: the same key gets the same command, or an error where it is sent for another one.
 */
import { canonicalJson } from '@weft/plan';
import { isServiceError, ServiceError } from '@weft/platform';
import { type ParsedCommand, parseCommand } from './commands/parameters.js';
import { openingConfig } from './commands/session-config.js';
import type { RunFollower } from './runs/run.follower.js';
import { accept, type Change } from './session/session.decider.js';
import { type CommandName, isOpen, transition } from './session/session.machine.js';
import type { Command, Session } from './session/session.types.js';
import type { SessionStore } from './store/session-store.port.js';
import type { SessionUpdater } from './store/session.updater.js';

/** One call of the Command rpc, as plain values. */
export interface CommandInput {
  projectId: string;
  command: string;
  parametersJson: string;
  sessionId: string;
  contractAddress: string;
  transactionHash: string;
  authorizedBy: string;
  userRole: string;
  idempotencyKey: string;
  /** Answer once the command has a run, has ended or waits for another. */
  awaitRun: boolean;
  /** Answer once the command has ended or waits for another. */
  awaitEnd: boolean;
}

export interface SessionsView {
  sessions: Session[];
  nextPageToken: string;
}

export interface SessionView {
  session: Session;
  commands: Command[];
}

export interface AlServiceDeps {
  store: SessionStore;
  updater: SessionUpdater;
  follower: RunFollower;
  now: () => string;
  /** A new id; equal prefixes tell what kind of thing it names. */
  newId: (prefix: 'session' | 'cmd') => string;
}

/** Whether a caller has a role is the gateway's business; what a role may do is said here. No role given: the gateway asked for none. */
const FORBIDDEN: Record<string, (name: CommandName) => boolean> = {
  coordinator: () => false,
  contributor: (name) => name !== 'submit_labels',
  observer: () => true,
};
const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
const MAX_CONFLICTS = 50;

export class AlService {
  constructor(private readonly deps: AlServiceDeps) {}

  async command(input: CommandInput): Promise<Command> {
    const command = await this.take(input);
    if (!command.job || !(input.awaitRun || input.awaitEnd)) return command;
    await (input.awaitEnd ? this.deps.follower.ended(command) : this.deps.follower.submitted(command));
    return this.getCommand(command.projectId, command.commandId);
  }

  private async take(input: CommandInput): Promise<Command> {
    if (input.projectId === '') throw new ServiceError('INVALID_ARGUMENT', 'project_id is missing');
    const parsed = parseCommand(input.command, input.parametersJson, input.sessionId);
    checkRole(parsed.name, input.userRole);
    const id = this.deps.newId('cmd');
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const known = await this.known(input, parsed);
      if (known) return known;
      const session = await this.sessionFor(input, parsed);
      const change = await this.decide(session, this.newCommand(id, session, input, parsed));
      const key = input.idempotencyKey === '' ? {} : { key: { key: input.idempotencyKey, commandId: id } };
      if (await this.deps.store.commit({ ...change, ...key })) return this.act(session, change, input);
    }
    throw new ServiceError('ABORTED', `project ${input.projectId} keeps changing; try again`);
  }

  async getCommand(projectId: string, commandId: string): Promise<Command> {
    const command = await this.deps.store.getCommand(projectId, commandId);
    if (!command) throw new ServiceError('NOT_FOUND', `project ${projectId} has no command ${commandId}`);
    return command;
  }

  async getSession(projectId: string, sessionId: string): Promise<SessionView> {
    const session = await this.deps.store.getSession(projectId, sessionId);
    if (!session) throw new ServiceError('NOT_FOUND', `project ${projectId} has no session ${sessionId}`);
    return this.view(session);
  }

  /** Oldest first; a project nobody has sent a command for has none. `fitting`: how many of them, from the first on, a page takes. */
  async listSessions(projectId: string, pageSize: number, pageToken: string, fitting: Fitting): Promise<SessionsView> {
    checkPageSize(pageSize);
    const first = pageToken === '' ? 0 : Number(fromToken(pageToken));
    if (!Number.isSafeInteger(first) || first < 0) throw new ServiceError('INVALID_ARGUMENT', 'page_token: none of ours');
    const all = await this.deps.store.listSessions(projectId);
    const asked = all.slice(first, pageSize === 0 ? undefined : first + pageSize);
    const sessions = asked.slice(0, fitting(asked));
    const next = first + sessions.length;
    return { sessions, nextPageToken: next < all.length ? toToken(String(next)) : '' };
  }

  /** Of every project, newest first. */
  async listAllSessions(pageSize: number, pageToken: string, fitting: Fitting): Promise<SessionsView> {
    checkPageSize(pageSize);
    const after = pageToken === '' ? undefined : fromToken(pageToken);
    for (let size = pageSize || DEFAULT_PAGE_SIZE; ;) {
      const { sessions, next } = await this.deps.store.listAllSessions(size, after);
      const fit = fitting(sessions);
      if (fit >= sessions.length || size === 1) return { sessions, nextPageToken: next === undefined ? '' : toToken(next) };
      // Only the store knows where a page ends.
      size = Math.max(1, Math.min(fit, size - 1));
    }
  }

  /** Follows what was running when the coordinator went away. Returns how many commands that were. */
  async recover(): Promise<number> {
    const started = (await this.deps.store.openCommands()).filter((command) => command.job !== undefined);
    for (const command of started) this.deps.follower.follow(command);
    return started.length;
  }

  private async view(session: Session): Promise<SessionView> {
    return { session, commands: await this.deps.store.listCommands(session.projectId, session.sessionId) };
  }

  private async known(input: CommandInput, parsed: ParsedCommand): Promise<Command | undefined> {
    if (input.idempotencyKey === '') return undefined;
    const id = await this.deps.store.commandOfKey(input.projectId, input.idempotencyKey);
    if (id === undefined) return undefined;
    const known = await this.getCommand(input.projectId, id);
    if (canonicalJson(known.parsed) === canonicalJson(parsed)) return known;
    const message = `the idempotency key '${input.idempotencyKey}' was used for another command before, ${known.parsed.name} (${id})`;
    throw new ServiceError('ALREADY_EXISTS', message);
  }

  private async decide(session: Session, command: Command): Promise<Change> {
    const running = session.running ? await this.deps.store.getCommand(session.projectId, session.running) : undefined;
    return accept(session, command, await this.deps.updater.queued(session), running, this.deps.now());
  }

  /** Does what the stored decision asks for. */
  private async act(before: Session, change: Change, input: CommandInput): Promise<Command> {
    const [command, ...others] = change.commands;
    if (!command) throw new Error('a decision without its command');
    if (command.job) this.deps.follower.follow(command);
    if (command.parsed.name === 'terminate_project') {
      for (const stopped of others) if (stopped.runId !== '') this.deps.follower.cancelRun(stopped.runId, 'the project was terminated');
      if (!command.parsed.sessionId) await this.terminateOthers(before, input);
    }
    return command;
  }

  /** A project is terminated with all its open sessions; each gets a command of its own. */
  private async terminateOthers(done: Session, input: CommandInput): Promise<void> {
    const sessions = await this.deps.store.listSessions(input.projectId);
    for (const { sessionId, phase } of sessions) {
      if (sessionId === done.sessionId || !transition(phase, 'terminate_project').ok) continue;
      try {
        await this.take({ ...input, sessionId, idempotencyKey: '' });
      } catch (error) {
        // It ended by itself meanwhile.
        if (!isServiceError(error) || error.code !== 'FAILED_PRECONDITION') throw error;
      }
    }
  }

  /** The session a command is for: the one it names, a new one, or the project's latest open one. */
  private async sessionFor(input: CommandInput, parsed: ParsedCommand): Promise<Session> {
    if (parsed.sessionId) return (await this.getSession(input.projectId, parsed.sessionId)).session;
    if (parsed.name === 'start_querying') return this.newSession(input, parsed);
    const sessions = await this.deps.store.listSessions(input.projectId);
    const open = sessions.filter((session) => isOpen(session.phase)).at(-1);
    if (open) return open;
    if (transition('new', parsed.name).ok) return this.newSession(input, parsed);
    throw new ServiceError(
      'FAILED_PRECONDITION',
      `${parsed.name} needs an open session and project ${input.projectId} has none; possible now: start_querying, prompt_training`,
    );
  }

  private newSession(input: CommandInput, parsed: ParsedCommand): Session {
    const now = this.deps.now();
    return {
      sessionId: this.deps.newId('session'),
      projectId: input.projectId,
      version: 0,
      phase: 'new',
      round: 0,
      createdAt: now,
      lastActivity: now,
      workflowsExecuted: 0,
      currentWorkflow: '',
      queue: [],
      config: openingConfig(parsed.changes),
      waiting: [],
      labels: {},
      contributors: {},
      rounds: [],
      contractAddress: input.contractAddress,
    };
  }

  private newCommand(commandId: string, session: Session, input: CommandInput, parsed: ParsedCommand): Command {
    const { projectId, contractAddress, transactionHash, authorizedBy } = input;
    return {
      commandId,
      projectId,
      sessionId: session.sessionId,
      status: 'accepted',
      parsed,
      notes: [],
      data: { recorded: parsed.recorded },
      runId: '',
      createdAt: this.deps.now(),
      contractAddress: contractAddress || session.contractAddress,
      transactionHash,
      authorizedBy,
    };
  }
}

type Fitting = (sessions: readonly Session[]) => number;

function checkPageSize(pageSize: number): void {
  if (pageSize > MAX_PAGE_SIZE) throw new ServiceError('INVALID_ARGUMENT', `page_size: at most ${MAX_PAGE_SIZE}`);
}

function toToken(place: string): string {
  return Buffer.from(place).toString('base64url');
}

function fromToken(pageToken: string): string {
  const place = Buffer.from(pageToken, 'base64url').toString();
  if (Buffer.from(place).toString('base64url') !== pageToken) throw new ServiceError('INVALID_ARGUMENT', 'page_token: none of ours');
  return place;
}

function checkRole(name: CommandName, role: string): void {
  const forbidden = role === '' ? undefined : FORBIDDEN[role];
  if (role !== '' && !forbidden)
    throw new ServiceError('INVALID_ARGUMENT', `unknown role '${role}'; there are: ${Object.keys(FORBIDDEN).join(', ')}`);
  if (forbidden?.(name)) throw new ServiceError('PERMISSION_DENIED', `role ${role} may not ${name}`);
}
