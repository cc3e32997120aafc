/**
 * The session's state machine: which command may follow which.
 *
 * Invariants:
 *  1. Pure: a phase and an event give the next phase, or the commands that are possible instead.
 *  2. While a workflow runs, the only command that takes effect at once is terminate_project.
 *  3. What failed leaves the session where it was before, so that it can be tried again.
 */
export const COMMAND_NAMES = [
  'start_querying',
  'continue_querying',
  'submit_labels',
  'prompt_training',
  'evaluate_model',
  'finalize_results',
  'terminate_project',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export const PHASES = [
  'new',
  'querying',
  'awaiting-labels',
  'training',
  'trained',
  'evaluating',
  'evaluated',
  'finalizing',
  'completed',
  'failed',
  'terminated',
] as const;
export type Phase = (typeof PHASES)[number];

/** How a running workflow ended; `exhausted`: a query found no unlabelled sample left. */
export type Outcome = 'succeeded' | 'exhausted' | 'failed';
export type SessionEvent = CommandName | Outcome;

/** `resume`: the phase the running command was started from. */
type Target = Phase | 'resume';

const TRANSITIONS: Record<Phase, Partial<Record<SessionEvent, Target>>> = {
  new: { start_querying: 'querying', prompt_training: 'training' },
  querying: { succeeded: 'awaiting-labels', exhausted: 'resume', failed: 'resume', terminate_project: 'terminated' },
  'awaiting-labels': {
    submit_labels: 'awaiting-labels',
    prompt_training: 'training',
    finalize_results: 'finalizing',
    terminate_project: 'terminated',
  },
  training: { succeeded: 'trained', failed: 'resume', terminate_project: 'terminated' },
  trained: {
    evaluate_model: 'evaluating',
    continue_querying: 'querying',
    prompt_training: 'training',
    finalize_results: 'finalizing',
    terminate_project: 'terminated',
  },
  evaluating: { succeeded: 'evaluated', failed: 'resume', terminate_project: 'terminated' },
  evaluated: {
    continue_querying: 'querying',
    prompt_training: 'training',
    evaluate_model: 'evaluating',
    finalize_results: 'finalizing',
    terminate_project: 'terminated',
  },
  finalizing: { succeeded: 'completed', failed: 'resume', terminate_project: 'terminated' },
  completed: {},
  // The first workflow of the session failed: there is nothing to go back to, but it can be started again.
  failed: { start_querying: 'querying', prompt_training: 'training', terminate_project: 'terminated' },
  terminated: {},
};

export type Transition = { ok: true; phase: Phase } | { ok: false; possible: CommandName[] };

export function transition(phase: Phase, event: SessionEvent, resume?: Phase): Transition {
  const target = TRANSITIONS[phase][event];
  if (target === undefined) return { ok: false, possible: possibleCommands(phase) };
  if (target !== 'resume') return { ok: true, phase: target };
  return { ok: true, phase: resume ?? 'failed' };
}

export function possibleCommands(phase: Phase): CommandName[] {
  return COMMAND_NAMES.filter((name) => TRANSITIONS[phase][name] !== undefined);
}

/** True where a workflow of the session runs. */
export function isBusy(phase: Phase): boolean {
  return TRANSITIONS[phase].succeeded !== undefined;
}

/** False where the session has ended for good or never got going: commands that name no session pass it by. */
export function isOpen(phase: Phase): boolean {
  return !['completed', 'failed', 'terminated'].includes(phase);
}

/** Where a command goes back to on failure. */
export function resumePhase(startedFrom: Phase): Phase {
  return startedFrom === 'new' ? 'failed' : startedFrom;
}

/** The phase once what runs, and then each of `queued`, has succeeded; what cannot follow is passed over, as it will be refused in its turn. */
export function expectedPhase(phase: Phase, queued: readonly CommandName[]): Phase {
  return queued.reduce((at, name) => {
    const started = transition(at, name);
    return started.ok ? settled(started.phase) : at;
  }, settled(phase));
}

function settled(phase: Phase): Phase {
  const done = transition(phase, 'succeeded');
  return done.ok ? done.phase : phase;
}
