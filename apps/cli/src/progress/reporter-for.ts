/** The reporter that a command's options ask for, on stderr. */
import type { Plan } from '@weft/plan';
import { expectedSteps } from './expected-steps.js';
import { type ProgressReporter, jsonReporter, silent } from './reporter.js';
import { terminalReporter } from './terminal.js';

export function reporterFor(options: { quiet?: boolean; json?: boolean }, plan?: Plan): ProgressReporter {
  const write = (text: string): void => void process.stderr.write(text);
  if (options.quiet) return silent;
  if (options.json) return jsonReporter(write);
  const expected = plan && expectedSteps(plan);
  return terminalReporter({ write, live: process.stderr.isTTY === true, columns: () => process.stderr.columns || 80, expected });
}
