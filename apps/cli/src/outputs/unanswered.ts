/**
 * File systems that do not answer: a network share whose server is gone, a FUSE whose program stands. Calls to them cannot be taken back, and a process that
 * ends waits for them as well.
 *
 * Invariant: nothing waits for such a one without saying so, nor for ever; and the command ends then, by the only way that does not wait.
 */
import * as files from 'node:fs/promises';
import { CommandError } from '../errors.js';
import { shownLine } from '../shown-text.js';

const LOOK_MS = 10_000;
const TELL_MS = 30_000;
const LIMIT_MS = 600_000;

/** The process has calls that nobody answers. */
export class Unanswered extends CommandError {
  override readonly name = 'Unanswered';
}

/** Does the work unless it takes longer than the limit. @throws Unanswered */
export async function answered<T>(what: string, limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(`${what}: its file system has not answered for ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

export interface AnswerLimits {
  lookMs: number;
  tellMs: number;
  limitMs: number;
}

/** Does the work while the file system of a folder answers now and then; says when it does not. @throws Unanswered */
export async function whileAnswered<T>(
  folder: string,
  tell: (line: string) => void,
  work: Promise<T>,
  { lookMs, tellMs, limitMs }: AnswerLimits = { lookMs: LOOK_MS, tellMs: TELL_MS, limitMs: LIMIT_MS },
  stat: (path: string) => Promise<unknown> = files.stat,
): Promise<T> {
  let waited: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<never>((_, reject) => {
    const look = (): void => {
      if (waited === undefined) {
        waited = 0;
        // Also an error is an answer.
        void stat(folder)
          .catch(() => undefined)
          .finally(() => (waited = undefined));
        return;
      }
      const before = waited;
      waited += lookMs;
      if (before < tellMs && waited >= tellMs)
        tell(`the file system of ${shownLine(folder)} does not answer; waiting up to ${limitMs / 1000} s for it`);
      if (waited >= limitMs) reject(new Unanswered(`${shownLine(folder)}: its file system has not answered for ${limitMs / 1000} s`));
    };
    timer = setInterval(look, lookMs);
  });
  try {
    return await Promise.race([work, gone]);
  } finally {
    clearInterval(timer);
  }
}

/** Ends the process without waiting for calls that nobody answers; only what is said already counts. */
export function leaveUnanswered(): void {
  process.kill(process.pid, 'SIGKILL');
}
