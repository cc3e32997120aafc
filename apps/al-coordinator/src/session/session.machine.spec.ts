/** The transition table, row by row, and what holds for every sequence of events. */
import fc from 'fast-check';
import {
  COMMAND_NAMES,
  type CommandName,
  expectedPhase,
  isBusy,
  isOpen,
  type Phase,
  PHASES,
  possibleCommands,
  type SessionEvent,
  transition,
} from './session.machine.js';

const legal: [Phase, SessionEvent, Phase][] = [
  ['new', 'start_querying', 'querying'],
  ['new', 'prompt_training', 'training'],
  ['querying', 'succeeded', 'awaiting-labels'],
  ['awaiting-labels', 'submit_labels', 'awaiting-labels'],
  ['awaiting-labels', 'prompt_training', 'training'],
  ['awaiting-labels', 'finalize_results', 'finalizing'],
  ['training', 'succeeded', 'trained'],
  ['trained', 'evaluate_model', 'evaluating'],
  ['trained', 'continue_querying', 'querying'],
  ['evaluating', 'succeeded', 'evaluated'],
  ['evaluated', 'continue_querying', 'querying'],
  ['evaluated', 'evaluate_model', 'evaluating'],
  ['evaluated', 'finalize_results', 'finalizing'],
  ['finalizing', 'succeeded', 'completed'],
  ['failed', 'start_querying', 'querying'],
];
const illegal: [Phase, SessionEvent][] = [
  ['new', 'evaluate_model'],
  ['awaiting-labels', 'continue_querying'],
  ['awaiting-labels', 'evaluate_model'],
  ['querying', 'submit_labels'],
  ['trained', 'submit_labels'],
  ['completed', 'terminate_project'],
  ['terminated', 'start_querying'],
  ['trained', 'succeeded'],
];

describe('transition', () => {
  it.each(legal)('%s --%s--> %s', (from, event, to) => {
    expect(transition(from, event)).toEqual({ ok: true, phase: to });
  });

  it.each(illegal)('%s refuses %s and says what is possible', (from, event) => {
    expect(transition(from, event)).toEqual({ ok: false, possible: possibleCommands(from) });
  });

  it.each(PHASES.filter(isBusy))('%s goes back to where it came from on failure, or failed', (phase) => {
    expect(transition(phase, 'failed', 'evaluated')).toEqual({ ok: true, phase: 'evaluated' });
    expect(transition(phase, 'failed')).toEqual({ ok: true, phase: 'failed' });
  });

  it('every open phase can be terminated, none that has ended', () => {
    const terminable = PHASES.filter((phase) => transition(phase, 'terminate_project').ok);
    expect(terminable).toEqual(PHASES.filter((phase) => phase !== 'new' && (isOpen(phase) || phase === 'failed')));
  });

  it('a busy phase ends either way and takes no other workflow', () => {
    for (const phase of PHASES.filter(isBusy)) {
      expect(transition(phase, 'succeeded').ok && transition(phase, 'failed').ok).toBe(true);
      expect(possibleCommands(phase)).toEqual(['terminate_project']);
    }
  });
});

describe('expectedPhase', () => {
  it.each<[Phase, CommandName[], Phase]>([
    ['querying', [], 'awaiting-labels'],
    ['querying', ['prompt_training', 'evaluate_model'], 'evaluated'],
    ['training', ['evaluate_model', 'continue_querying', 'prompt_training'], 'trained'],
    ['querying', ['evaluate_model'], 'awaiting-labels'],
  ])('%s and then %j gives %s', (phase, queued, to) => {
    expect(expectedPhase(phase, queued)).toBe(to);
  });

  it('is never busy', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PHASES), fc.array(fc.constantFrom(...COMMAND_NAMES)), (phase, names) => {
        expect(isBusy(expectedPhase(phase, names))).toBe(false);
      }),
    );
  });
});
