import fc from 'fast-check';
import { type AttemptSignal, type AttemptState, type Phase, decideAttempt, initialAttempt } from './attempt.machine.js';

const phases: Phase[] = ['waiting', 'preparing', 'running', 'releasing', 'finished', 'released'];
const signals: AttemptSignal[] = ['admitted', 'started', 'finished', 'cancel', 'release'];
/** phase × signal → next phase and effects; '-' is illegal. */
const table: Record<Phase, string[]> = {
  waiting: ['preparing', '-', 'finished', 'waiting abandon', 'releasing abandon'],
  preparing: ['-', 'running', 'finished', 'preparing abandon', 'releasing abandon'],
  running: ['-', '-', 'finished', 'running stop', 'releasing stop'],
  releasing: ['-', 'releasing stop', 'released remove', 'releasing', 'releasing'],
  finished: ['-', '-', '-', 'finished', 'released remove'],
  released: ['-', '-', '-', 'released', 'released'],
};

describe('attempt machine', () => {
  const cases = phases.flatMap((phase) => signals.map((signal, index) => [phase, signal, table[phase][index] ?? ''] as const));
  it.each(cases)('%s × %s → %s', (phase, signal, wanted) => {
    const decision = decideAttempt({ phase, stopAsked: false }, signal);
    expect('illegal' in decision ? '-' : [decision.state.phase, ...decision.effects].join(' ')).toBe(wanted);
  });

  it('stops a tool whose cancellation was asked for before it started', () => {
    const cancelled = decideAttempt(initialAttempt, 'cancel');
    if ('illegal' in cancelled) throw new Error(cancelled.illegal);
    expect(cancelled.effects).toEqual(['abandon']);
    const admitted = decideAttempt(cancelled.state, 'admitted');
    if ('illegal' in admitted) throw new Error(admitted.illegal);
    expect(decideAttempt(admitted.state, 'started')).toMatchObject({ state: { phase: 'running' }, effects: ['stop'] });
  });

  it('removes the sandbox exactly once, and only after the tool has ended and release was asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...signals), { maxLength: 12 }), (sequence) => {
        let state: AttemptState = initialAttempt;
        const legal: string[] = [];
        let removed = 0;
        for (const signal of sequence) {
          const decision = decideAttempt(state, signal);
          if ('illegal' in decision) continue;
          state = decision.state;
          legal.push(signal);
          removed += decision.effects.filter((effect) => effect === 'remove').length;
          if (decision.effects.includes('stop')) expect(legal).not.toContain('finished');
        }
        expect(removed).toBe(legal.includes('finished') && legal.includes('release') ? 1 : 0);
      }),
    );
  });
});
