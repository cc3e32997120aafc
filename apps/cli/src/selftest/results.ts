/** What the checks came to, added up. Pure. */
import { z } from 'zod';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

const jestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  /** Files that broke before their tests could run: none of their tests is counted anywhere else. */
  numRuntimeErrorTestSuites: z.number(),
});

/** From `jest --json`. */
export function tallyOfJest(text: string): Tally {
  const report = jestReport.parse(JSON.parse(text));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The closing line. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** In CI a skip is a failure: what was not looked at is not known to work. Nothing at all passing is a failure anywhere. */
export function exitCodeOf({ passed, failed, skipped }: Tally, ci: boolean): number {
  return failed > 0 || passed === 0 || (ci && skipped > 0) ? 1 : 0;
}
