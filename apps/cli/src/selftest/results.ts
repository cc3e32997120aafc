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

const suiteReport = z.object({ results: z.array(z.object({ passed: z.boolean(), apart: z.string().optional() })).min(1) });

/** From `weft conformance --json`: each test counts; one that could not be judged on this machine does not. */
export function tallyOfSuite(text: string): Tally {
  const judged = suiteReport.parse(JSON.parse(text)).results.filter(({ apart }) => apart === undefined);
  const passed = judged.filter((result) => result.passed).length;
  return { passed, failed: judged.length - passed, skipped: 0 };
}

const chaosReport = z.object({ verdicts: z.array(z.object({ problems: z.array(z.string()) })).min(1) });

/** From `npm run chaos -- --report`: each oracle counts. */
export function tallyOfChaos(text: string): Tally {
  const { verdicts } = chaosReport.parse(JSON.parse(text));
  const passed = verdicts.filter(({ problems }) => problems.length === 0).length;
  return { passed, failed: verdicts.length - passed, skipped: 0 };
}

/** The closing line. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** In CI a skip is a failure: what was not looked at is not known to work. Nothing at all passing is a failure anywhere. */
export function exitCodeOf({ passed, failed, skipped }: Tally, ci: boolean): number {
  return failed > 0 || passed === 0 || (ci && skipped > 0) ? 1 : 0;
}
