/**
 * Which build a stack runs: its directory and the time of its newest program. A client of another build must not talk to it,
 * because events and commands may have changed in between.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { EMBEDDED_SERVICES, distDirectory } from './services.js';

export function stackVersion(): string {
  const directory = distDirectory();
  const times = EMBEDDED_SERVICES.map((name) => statSync(join(directory, `${name}.mjs`), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return `${directory}@${Math.round(Math.max(...times))}`;
}
