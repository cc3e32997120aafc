/** Commands and sessions of the AL coordinator in the words of the DVRE dialect. */
import { al } from '@weft/contracts';
import { iso, jsonObject, wordOf } from '../runs/run.view.js';
import type {
  SESSION_STATUS_WORDS,
  COMMAND_STATUS_WORDS,
  CommandAnswer,
  SessionCommand,
  SessionStats,
  SessionView,
} from './al-engine.schemas.js';

/** The dialect has no word for "running": such a command was accepted and has not ended. */
const COMMAND_STATUS: Record<Exclude<al.CommandStatus, al.CommandStatus.UNSPECIFIED>, (typeof COMMAND_STATUS_WORDS)[number]> = {
  [al.CommandStatus.ACCEPTED]: 'accepted',
  [al.CommandStatus.RUNNING]: 'accepted',
  [al.CommandStatus.REJECTED]: 'rejected',
  [al.CommandStatus.COMPLETED]: 'completed',
  [al.CommandStatus.FAILED]: 'failed',
};

const SESSION_STATUS: Record<Exclude<al.SessionStatus, al.SessionStatus.UNSPECIFIED>, (typeof SESSION_STATUS_WORDS)[number]> = {
  [al.SessionStatus.ACTIVE]: 'active',
  [al.SessionStatus.AWAITING_LABELS]: 'awaiting_labels',
  [al.SessionStatus.COMPLETED]: 'completed',
  [al.SessionStatus.FAILED]: 'failed',
  [al.SessionStatus.TERMINATED]: 'terminated',
};

export function commandAnswer(command: al.Command): CommandAnswer {
  return {
    command_id: command.commandId,
    status: wordOf(COMMAND_STATUS, command.status, 'command status'),
    message: command.message,
    data: {
      ...jsonObject(command.dataJson, "the command's data"),
      session_id: command.sessionId || null,
      workflow_id: command.runId || null,
    },
    timestamp: iso(command.createdAt),
  };
}

export function sessionView(session: al.Session): SessionView {
  return {
    session_id: session.sessionId,
    status: wordOf(SESSION_STATUS, session.status, 'session status'),
    created_at: iso(session.createdAt),
    last_activity: iso(session.lastActivity),
    workflows_executed: session.workflowsExecuted,
    current_workflow: session.currentWorkflow || null,
    round: session.round,
    queried_samples: session.queriedSamples,
    metrics: jsonObject(session.metricsJson, "the session's metrics"),
    model_uri: session.modelUri || null,
    contract_address: session.contractAddress || null,
  };
}

export function sessionCommand(command: al.Command): SessionCommand {
  return {
    command_id: command.commandId,
    command: command.command,
    status: wordOf(COMMAND_STATUS, command.status, 'command status'),
    message: command.message,
    workflow_id: command.runId || null,
    data: jsonObject(command.dataJson, "the command's data"),
    created_at: iso(command.createdAt),
    finished_at: iso(command.finishedAt),
  };
}

/** Sums over a project's sessions; the latest metrics are those of the session that was active last and has some. */
export function sessionStats(projectId: string, sessions: al.Session[]): SessionStats {
  const views = sessions.map(sessionView).sort((a, b) => (b.last_activity ?? '').localeCompare(a.last_activity ?? ''));
  const count = (status: (typeof SESSION_STATUS_WORDS)[number]): number => views.filter((view) => view.status === status).length;
  return {
    project_id: projectId,
    total_sessions: views.length,
    sessions_by_status: {
      active: count('active'),
      awaiting_labels: count('awaiting_labels'),
      completed: count('completed'),
      failed: count('failed'),
      terminated: count('terminated'),
    },
    total_workflows_executed: views.reduce((sum, view) => sum + view.workflows_executed, 0),
    total_rounds: views.reduce((sum, view) => sum + view.round, 0),
    last_activity: views[0]?.last_activity ?? null,
    latest_metrics: views.find((view) => view.metrics !== null)?.metrics ?? null,
  };
}
