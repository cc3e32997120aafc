/**
 * What a signal does to a command that submits a run and follows it.
 *
 *   before the submission        → the command ends at once
 *   while it waits for an answer → once the run's id is known, as below
 *   while the run goes on        → INT, TERM: the run is cancelled, and its end awaited for a while
 *                                  HUP: the run goes on without the command
 *   while its outputs are put in place → what has been put there is taken back, and the command ends
 *   once the run has succeeded   → the command ends at once
 *   a second signal              → the command ends at once
 *
 * Invariants:
 *  1. The exit code is 128 and the number of the first signal.
 *  2. Whoever leaves a run behind says which, and how to come back to it.
 */
import { interruptDeliveries } from './outputs/interruption.js';
import { comeBack } from './run-left.js';

export const EXIT_OF_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof EXIT_OF_SIGNAL;

/** A task has 1.5 s to end before it is killed; the rest is for engines and machines that are slow. */
export const CANCEL_LIMIT_MS = 30_000;

export interface InterruptDeps {
  say(line: string): void;
  exit(code: number): void;
  /** Calls `work` after a time; answers with what calls that off. */
  after(ms: number, work: () => void): () => void;
  /** A hangup leaves a run behind: not where its stack ends with this command. */
  keepOnHangup: boolean;
}

type Stage =
  | { kind: 'idle' }
  | { kind: 'submitting' }
  | { kind: 'following'; runId: string; cancel: (reason: string) => Promise<void> }
  | { kind: 'succeeded'; runId: string };

export class Interrupts {
  private stage: Stage = { kind: 'idle' };
  private first: EndingSignal | undefined;
  private callOffLimit = (): void => undefined;

  constructor(private readonly deps: InterruptDeps) {}

  /** Of the first signal; undefined: none came. */
  get exitCode(): number | undefined {
    return this.first && EXIT_OF_SIGNAL[this.first];
  }

  submitting(): void {
    this.stage = { kind: 'submitting' };
  }

  /** @param cancel resolves when the cancel is taken, or the run has ended by itself */
  following(runId: string, cancel: (reason: string) => Promise<void>): void {
    this.stage = { kind: 'following', runId, cancel };
    if (this.first !== undefined) this.leaveOrCancel(this.first, this.stage);
  }

  /** Its outputs are being brought. */
  succeeded(runId: string): void {
    this.stage = { kind: 'succeeded', runId };
    this.close();
  }

  /** The command ends by itself. */
  close(): void {
    this.callOffLimit();
  }

  take(signal: EndingSignal): void {
    const { stage, deps } = this;
    if (this.first !== undefined) return this.leave();
    this.first = signal;
    switch (stage.kind) {
      case 'idle':
        return deps.exit(EXIT_OF_SIGNAL[signal]);
      case 'submitting':
        this.limit(() => deps.say('no answer to the submission yet: `weft ls` says whether there is a run'));
        return deps.say('ending; waiting for the answer to the submission (a second signal leaves at once)');
      case 'following':
        return this.leaveOrCancel(signal, stage);
      case 'succeeded':
        deps.say(`run ${stage.runId} has succeeded, but its outputs are not all here: \`weft attach ${stage.runId}\` brings them`);
        return deps.exit(EXIT_OF_SIGNAL[signal]);
    }
  }

  private leaveOrCancel(signal: EndingSignal, { runId, cancel }: Extract<Stage, { kind: 'following' }>): void {
    const { deps } = this;
    if (signal === 'SIGHUP' && deps.keepOnHangup) {
      deps.say(`hangup: run ${runId} goes on; ${comeBack(runId)}`);
      return deps.exit(EXIT_OF_SIGNAL[signal]);
    }
    this.limit(() =>
      deps.say(`run ${runId} has not ended within ${CANCEL_LIMIT_MS / 1000} s of its cancel; \`weft show ${runId}\` says when it has`),
    );
    deps.say(`cancelling the run; ${signal === 'SIGINT' ? 'Ctrl-C again' : 'a second signal'} leaves at once`);
    cancel(`interrupted by ${signal}`).catch((error: unknown) =>
      deps.say(`cannot cancel run ${runId}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  private leave(): void {
    const { stage } = this;
    if (stage.kind === 'following') this.deps.say(`left run ${stage.runId} while it was being cancelled; ${comeBack(stage.runId)}`);
    this.deps.exit(this.exitCode ?? 1);
  }

  private limit(last: () => void): void {
    this.callOffLimit();
    this.callOffLimit = this.deps.after(CANCEL_LIMIT_MS, () => {
      last();
      this.deps.exit(this.exitCode ?? 1);
    });
  }
}

/**
 * From now on the signals of this process that end a command go there, but for the first one while outputs are put in place: the delivery ends then,
 * and with it the command. A hangup that its caller ignores (nohup) is ignored.
 */
export function takeSignals(take: (signal: EndingSignal) => void): void {
  for (const signal of Object.keys(EXIT_OF_SIGNAL) as EndingSignal[]) {
    const ignored = signal === 'SIGHUP' && process.env['WEFT_NOHUP'] === '1';
    process.on(signal, () => {
      if (!ignored && !interruptDeliveries(signal, EXIT_OF_SIGNAL[signal])) take(signal);
    });
  }
}
