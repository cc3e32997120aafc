/**
 * What a person (or a program) sees of a run while it goes on. The model is kept by StepBoard; this file chooses how it is shown.
 */
import type { run } from '@weft/contracts';

export interface ProgressReporter {
  submitted(runId: string, name: string, existing: boolean): void;
  event(event: run.RunEvent): void;
  /** An event from before the run was retried: it counts, and is not told. */
  past(event: run.RunEvent): void;
  /** Nothing more will come: leave the terminal as a person wants it. */
  end(): void;
}

export const silent: ProgressReporter = { submitted: () => undefined, event: () => undefined, past: () => undefined, end: () => undefined };

/** One JSON object per line, for programs. */
export function jsonReporter(write: (text: string) => void): ProgressReporter {
  const line = (value: object): void => write(`${JSON.stringify(value)}\n`);
  return {
    submitted: (runId, name, existing) => line({ event: 'submitted', runId, name, existing }),
    past: () => undefined,
    event: ({ runId, sequence, at, event }) => line({ event: event?.$case, runId, sequence, at, ...event?.value }),
    end: () => undefined,
  };
}
