/** What the checks came to, added up. Pure. */
import { z } from 'zod';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed, by name; more than `failed` counts where one thing has several sides. */
  failures: readonly string[];
  /** What was left out, and why. */
  skips: readonly string[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };

export function add(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...a.failures, ...b.failures],
    skips: [...a.skips, ...b.skips],
  };
}

export function failure(...names: string[]): Tally {
  return { ...NOTHING, failed: 1, failures: names };
}

export function skip(name: string): Tally {
  return { ...NOTHING, skipped: 1, skips: [name] };
}

const jestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  /** Files that broke before their tests could run: none of their tests is counted anywhere else. */
  numRuntimeErrorTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** From `jest --json`. `root`: of the repository, which names do not repeat. */
export function tallyOfJest(text: string, root: string): Tally {
  const report = jestReport.parse(JSON.parse(text));
  const failures: string[] = [];
  const skips: string[] = [];
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name;
    const named = (wanted: readonly string[]): string[] =>
      assertionResults.filter((one) => wanted.includes(one.status)).map(({ fullName }) => `${file} › ${fullName}`);
    const failed = named(['failed']);
    for (const failure of failed) failures.push(failure);
    if (failed.length === 0 && status === 'failed') failures.push(`${file}: ${firstLine(message ?? '')}`);
    for (const skipped of named(['pending', 'todo'])) skips.push(skipped);
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
    ...{ failures, skips },
  };
}

const suiteReport = z.object({
  results: z.array(z.object({ id: z.string(), passed: z.boolean(), apart: z.string().optional(), reason: z.string().optional() })).min(1),
});

/** From `weft conformance --json`: each test counts; one that could not be judged on this machine does not. */
export function tallyOfSuite(text: string, suite: string): Tally {
  const judged = suiteReport.parse(JSON.parse(text)).results.filter(({ apart }) => apart === undefined);
  const failed = judged.filter((result) => !result.passed);
  const failures = failed.map(({ id, reason }) => `${suite} › ${id}${reason === undefined ? '' : `: ${firstLine(reason)}`}`);
  return { ...NOTHING, passed: judged.length - failed.length, failed: failed.length, failures };
}

const chaosReport = z.object({ verdicts: z.array(z.object({ name: z.string(), problems: z.array(z.string()) })).min(1) });

/** From `npm run chaos -- --report`: each oracle counts. */
export function tallyOfChaos(text: string): Tally {
  const { verdicts } = chaosReport.parse(JSON.parse(text));
  const failed = verdicts.filter(({ problems }) => problems.length > 0);
  const failures = failed.map(({ name, problems }) => `${name}: ${firstLine(problems[0] ?? '')}`);
  return { ...NOTHING, passed: verdicts.length - failed.length, failed: failed.length, failures };
}

/** The closing line. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** In CI a skip is a failure: what was not looked at is not known to work. Nothing at all passing is a failure anywhere. */
export function exitCodeOf({ passed, failed, skipped }: Tally, ci: boolean): number {
  return failed > 0 || passed === 0 || (ci && skipped > 0) ? 1 : 0;
}

export interface PartResult {
  part: string;
  tally: Tally;
  seconds: number;
}

/** Names of one part that are shown; a log has the others. */
const SHOWN = 100;

/** What stands before the closing line: who reads a log from its end finds there which part took how long, and what failed. */
export function summaryLines(parts: readonly PartResult[], ci: boolean): string[] {
  const width = parts.reduce((most, { part }) => Math.max(most, part.length), 0);
  const times = parts.map(({ part, tally, seconds }) => `${part.padEnd(width)} ${duration(seconds).padStart(7)}  ${closingLine(tally)}`);
  const list = (title: string, of: (tally: Tally) => readonly string[]): string[] => {
    const named = parts.flatMap(({ part, tally }) => [
      ...of(tally)
        .slice(0, SHOWN)
        .map((name) => `  ${part}: ${name}`),
      ...(of(tally).length > SHOWN ? [`  ${part}: and ${of(tally).length - SHOWN} more`] : []),
    ]);
    return named.length > 0 ? [title, ...named] : [];
  };
  return [
    ...times,
    ...list(ci ? 'skipped, which is a failure in CI:' : 'skipped:', (tally) => tally.skips),
    ...list('failed:', (tally) => tally.failures),
  ];
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}

function firstLine(text: string): string {
  // Colours, as Jest has them in its messages.
  const [line = ''] = text
    .replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '')
    .trim()
    .split('\n');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
