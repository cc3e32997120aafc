/**
 * Sessions and commands as the messages of weft.al.v1. Numeric enums stop here; the tables stop compiling when a phase or status is added.
 */
import { al } from '@weft/contracts';
import type { SessionView } from './al.service.js';
import type { Phase } from './session/session.machine.js';
import type { Command, CommandStatus, Session } from './session/session.types.js';

const COMMAND_STATUS: Record<CommandStatus, al.CommandStatus> = {
  accepted: al.CommandStatus.ACCEPTED,
  running: al.CommandStatus.RUNNING,
  completed: al.CommandStatus.COMPLETED,
  failed: al.CommandStatus.FAILED,
};

const SESSION_STATUS: Record<Phase, al.SessionStatus> = {
  new: al.SessionStatus.ACTIVE,
  querying: al.SessionStatus.ACTIVE,
  'awaiting-labels': al.SessionStatus.AWAITING_LABELS,
  training: al.SessionStatus.ACTIVE,
  trained: al.SessionStatus.ACTIVE,
  evaluating: al.SessionStatus.ACTIVE,
  evaluated: al.SessionStatus.ACTIVE,
  finalizing: al.SessionStatus.ACTIVE,
  completed: al.SessionStatus.COMPLETED,
  failed: al.SessionStatus.FAILED,
  terminated: al.SessionStatus.TERMINATED,
};

export function commandMessage(command: Command): al.Command {
  return {
    commandId: command.commandId,
    projectId: command.projectId,
    sessionId: command.sessionId,
    command: command.parsed.name,
    status: COMMAND_STATUS[command.status],
    message: command.notes.join('; '),
    dataJson: JSON.stringify(command.data),
    runId: command.runId,
    createdAt: new Date(command.createdAt),
    finishedAt: command.finishedAt === undefined ? undefined : new Date(command.finishedAt),
  };
}

/** Without its commands: a list of sessions has none. */
export function sessionSummary(session: Session): al.Session {
  return sessionMessage({ session, commands: [] });
}

export function sessionMessage({ session, commands }: SessionView): al.Session {
  return {
    sessionId: session.sessionId,
    projectId: session.projectId,
    status: SESSION_STATUS[session.phase],
    round: session.round,
    createdAt: new Date(session.createdAt),
    lastActivity: new Date(session.lastActivity),
    workflowsExecuted: session.workflowsExecuted,
    currentWorkflow: session.currentWorkflow,
    commands: commands.map(commandMessage),
    queriedSamples: session.waiting,
    metricsJson: session.metrics === undefined ? '' : JSON.stringify(session.metrics),
    modelUri: session.model?.location ?? '',
    contractAddress: session.contractAddress,
  };
}
