/** Where a command is, as execvp would find it; so that a command that is missing is told apart from a tool that exits 127. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Absolute path of the executable, or why there is none. Relative names with a '/' are looked up from `workDir`. */
export function findCommand(command: string, path: string, workDir: string): { path: string } | { missing: string } {
  if (command === '') return { missing: 'the command line is empty' };
  if (command.includes('/')) {
    const candidate = resolve(workDir, command);
    if (isExecutableFile(candidate)) return { path: candidate };
    const exists = statSync(candidate, { throwIfNoEntry: false }) !== undefined;
    return { missing: exists ? `'${command}' is not an executable file` : `command '${command}' not found` };
  }
  for (const directory of path.split(':')) {
    const candidate = resolve(workDir, directory, command);
    if (isExecutableFile(candidate)) return { path: candidate };
  }
  return { missing: `command '${command}' not found in PATH (${path})` };
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
