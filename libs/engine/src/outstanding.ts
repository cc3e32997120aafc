/**
 * Which command an event answers: what a shell needs to know, after replaying a log, to go on with exactly the commands
 * whose answers are still due.
 */
import type { Command } from './commands.js';
import type { EngineEvent } from './events.js';

/** Identity of a command whose answer the run waits for; undefined for CancelTasks and EndRun, which have none. */
export function commandKey(command: Command): string | undefined {
  switch (command.type) {
    case 'EvaluateBindings':
      return `bind ${command.node} ${command.iteration} ${command.shards[0]?.index ?? 0}`;
    case 'RunTask':
    case 'EvaluateExpressionTool':
      return `task ${command.taskId}`;
    case 'CancelTasks':
    case 'EndRun':
      return undefined;
  }
}

/** Identity of the command that an event answers; undefined for events that answer none. */
export function answeredKey(event: EngineEvent): string | undefined {
  switch (event.type) {
    case 'BindingsEvaluated':
      return `bind ${event.node} ${event.iteration} ${event.shards[0]?.index ?? 0}`;
    case 'BindingsFailed':
      return `bind ${event.node} ${event.iteration} ${event.firstShard}`;
    case 'TaskSucceeded':
    case 'TaskFailed':
    case 'TaskCancelled':
      return `task ${event.taskId}`;
    case 'RunAccepted':
    case 'TaskPreparing':
    case 'TaskStarted':
    case 'CancelAsked':
    case 'RunEnded':
    case 'RunRetried':
      return undefined;
  }
}
