/**
 * What a run of Jest says about an undoing. Pure.
 *
 * Invariants:
 *  1. Only a test that ran and failed is a failure for the rule: a file that did not load, a name that nothing has, a mistake in the code that was put
 *     there are none, nor is a test that hung, unless it is known to wait for what does not come then.
 *  2. Where nothing is undone, every named test passes.
 */
import { z } from 'zod';

export interface TestResult {
  fullName: string;
  status: string;
  failures: readonly string[];
}

export interface Ran {
  tests: readonly TestResult[];
  /** Of files that broke before their tests could run. */
  broken: readonly string[];
}

const report = z.object({
  testResults: z.array(
    z.object({
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() })),
    }),
  ),
});

export function ranOf(text: string): Ran {
  const { testResults } = report.parse(JSON.parse(text));
  return {
    tests: testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status, failureMessages }) => ({ fullName, status, failures: failureMessages ?? [] })),
    ),
    broken: testResults.filter((one) => one.assertionResults.length === 0).map(({ message }) => message ?? ''),
  };
}

/** Undefined: each of them passes. */
export function whyNotGreen({ tests, broken }: Ran, names: readonly string[]): string | undefined {
  for (const name of names) {
    const named = tests.filter(({ fullName }) => fullName.includes(name));
    const bad = named.find(({ status }) => status !== 'passed');
    if (bad !== undefined) return `"${name}" ${bad.status} before anything was undone${firstLine(bad.failures[0])}`;
    if (named.length === 0) return `no test has "${name}" in its name${firstLine(broken[0])}`;
  }
  return undefined;
}

/** What was put there is no program. (JSON that does not parse is what a command has printed.) */
const NO_PROGRAM =
  /^(?:\w+: )?(?:ReferenceError|SyntaxError(?!.*JSON))|TypeError: .* is not a (?:function|constructor)|Cannot find module/m;
const HUNG = /Exceeded timeout of/;

export type Verdict = { isRed: true; by: string } | { isRed: false; why: string };

export function verdictOf({ tests, broken }: Ran, names: readonly string[], hangs = false): Verdict {
  const failed = tests.filter(({ fullName, status }) => status === 'failed' && names.some((name) => fullName.includes(name)));
  const proof = failed.find(({ failures }) => failures.some((text) => !NO_PROGRAM.test(text) && (hangs || !HUNG.test(text))));
  if (proof !== undefined) return { isRed: true, by: proof.fullName };
  const [first] = failed;
  if (first !== undefined) return { isRed: false, why: `fails for another reason${firstLine(first.failures[0])}` };
  if (broken[0] !== undefined) return { isRed: false, why: `its tests cannot run${firstLine(broken[0])}` };
  return { isRed: false, why: `stays green: ${names.map((name) => `"${name}"`).join(', ')}` };
}

function firstLine(text: string | undefined): string {
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
  const line = (text ?? '')
    .replace(escapes, '')
    .split('\n')
    .find((one) => one.trim() !== '');
  return line === undefined ? '' : `: ${line.trim().slice(0, 200)}`;
}
