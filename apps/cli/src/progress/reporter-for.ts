/** The reporter that a command's options ask for, on stderr. */
import { type ProgressReporter, jsonReporter, silent } from './reporter.js';
import { terminalReporter } from './terminal.js';

export function reporterFor(options: { quiet?: boolean; json?: boolean }): ProgressReporter {
  const write = (text: string): void => void process.stderr.write(text);
  if (options.quiet) return silent;
  if (options.json) return jsonReporter(write);
  return terminalReporter({ write, live: process.stderr.isTTY === true, columns: () => process.stderr.columns || 80 });
}
