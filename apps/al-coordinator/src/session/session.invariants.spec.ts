/** What holds for a session whatever commands come and however its workflows end. */
import { isServiceError } from '@weft/platform';
import fc from 'fast-check';
import { jobOf, roundSeed } from '../commands/jobs.js';
import { aCommand, aSession, NOW, OUTPUTS } from '../testing/builders.js';
import { accept, type Change, MAX_QUEUE } from './session.decider.js';
import { COMMAND_NAMES, type CommandName, isBusy } from './session.machine.js';
import { finish, type RunEnd } from './session.outcome.js';
import type { Command, Session, TemplateName } from './session.types.js';

type Move = { send: CommandName } | { end: 'succeeded' | 'empty' | 'failed' };

/** A session with its commands, driven as the services drive it. */
class Drive {
  session: Session = aSession();
  readonly commands = new Map<string, Command>();
  private ids = 0;

  apply(move: Move): void {
    const before = JSON.stringify(this.session);
    const session = this.session;
    const change = 'send' in move ? this.send(move.send) : this.end(move.end);
    expect(JSON.stringify(session)).toBe(before);
    if (change) this.store(change);
  }

  private send(name: CommandName): Change | undefined {
    this.ids += 1;
    const samples = this.session.waiting.slice(0, 1).map((id) => ({ sample_id: id, label: '1' }));
    const parameters = name === 'submit_labels' ? { labeled_samples: samples.length > 0 ? samples : [{ sample_id: 'x', label: '1' }] } : {};
    const command = aCommand(name, parameters, { commandId: `cmd-${this.ids}` });
    try {
      return accept(this.session, command, this.queued(), this.commands.get(this.session.running ?? ''), NOW);
    } catch (error) {
      if (!isServiceError(error)) throw error;
      expect(['FAILED_PRECONDITION', 'INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED']).toContain(error.code);
      return undefined;
    }
  }

  private end(how: 'succeeded' | 'empty' | 'failed'): Change | undefined {
    const running = this.commands.get(this.session.running ?? '');
    if (!running?.job) return undefined;
    const end: RunEnd = how === 'failed' ? { ok: false, message: 'boom' } : { ok: true, outputsJson: outputsOf(running.job.template, how) };
    const change = finish(this.session, running, end, this.queued(), NOW);
    expect(change).toBeDefined();
    return change;
  }

  private queued(): Command[] {
    return this.session.queue.map((id) => this.commands.get(id)).filter((command) => command !== undefined);
  }

  private store(change: Change): void {
    this.session = change.session;
    for (const command of change.commands) this.commands.set(command.commandId, command);
  }
}

function outputsOf(template: TemplateName, how: 'succeeded' | 'empty'): string {
  const outputs = {
    'query-selection': OUTPUTS.query(how === 'empty' ? [] : ['3', '4']),
    training: OUTPUTS.training({ '3': '0', '4': '1' }),
    evaluation: OUTPUTS.evaluation(0.5),
    finalize: OUTPUTS.final(),
  };
  return JSON.stringify(outputs[template]);
}

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ send: fc.constantFrom(...COMMAND_NAMES.filter((name) => name !== 'terminate_project')) }),
  fc.record({ end: fc.constantFrom('succeeded' as const, 'succeeded' as const, 'empty' as const, 'failed' as const) }),
  fc.record({ send: fc.constant('terminate_project' as const) }),
);

describe('a session', () => {
  it('runs one command at most, never forgets one, and counts its rounds', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const drive = new Drive();
        for (const one of moves) {
          drive.apply(one);
          const { session, commands } = drive;
          const open = [...commands.values()].filter((command) => !command.finishedAt).map((command) => command.commandId);
          expect(open.sort()).toEqual([...(session.running ? [session.running] : []), ...session.queue].sort());
          expect(session.running !== undefined).toBe(isBusy(session.phase));
          expect(session.currentWorkflow !== '').toBe(isBusy(session.phase));
          expect(session.queue.length).toBeLessThanOrEqual(MAX_QUEUE);
          const queried = session.rounds.filter((round) => round.queried.length > 0).length;
          expect(session.round - (session.phase === 'querying' ? 1 : 0)).toBe(queried);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes the end of a command once', () => {
    const drive = new Drive();
    drive.apply({ send: 'start_querying' });
    const running = drive.commands.get('cmd-1');
    drive.apply({ end: 'succeeded' });
    if (!running) throw new Error('no command');
    expect(finish(drive.session, running, { ok: false, message: 'late' }, [], NOW)).toBeUndefined();
  });
});

describe('seeds', () => {
  it('are fixed by session seed and round, differ between rounds, and fit numpy and CWL', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), fc.integer({ min: 0, max: 1000 }), (seed, round) => {
        const at = (r: number): number => roundSeed(aSession({ round: r, config: { ...aSession().config, seed } }));
        expect(at(round)).toBe(at(round));
        expect(at(round)).not.toBe(at(round + 1));
        expect(at(round)).toBeGreaterThanOrEqual(0);
        expect(at(round)).toBeLessThan(2 ** 31);
      }),
    );
  });

  it('equal sessions give equal inputs', () => {
    const session = aSession({ round: 2, labels: { '1': '0' }, waiting: ['5'] });
    for (const name of COMMAND_NAMES.filter((one) => one !== 'submit_labels')) {
      const { parsed } = aCommand(name);
      expect(JSON.stringify(jobOf(parsed, structuredClone(session)))).toBe(JSON.stringify(jobOf(parsed, session)));
    }
  });
});
