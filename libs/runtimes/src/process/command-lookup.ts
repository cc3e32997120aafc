/** Where a command is, as execvp would find it; so that a command that is missing is told apart from a tool that exits 127. */
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

/** PATH → command → where it was. Whether it still is there is looked at every time; the shell that starts it searches for itself. */
const found = new Map<string, Map<string, string>>();
const MAX_REMEMBERED = 1000;

function remember(path: string, command: string, where: string): void {
  if (found.size >= MAX_REMEMBERED) found.clear();
  const commands = found.get(path) ?? new Map<string, string>();
  if (commands.size >= MAX_REMEMBERED) commands.clear();
  found.set(path, commands.set(command, where));
}

/** Absolute path of the executable, or why there is none. Relative names with a '/' are looked up from `workDir`. */
export function findCommand(command: string, path: string, workDir: string): { path: string } | { missing: string; inPath?: true } {
  if (command === '') return { missing: 'the command line is empty' };
  if (command.includes('/')) {
    const candidate = resolve(workDir, command);
    if (isExecutableFile(candidate)) return { path: candidate };
    const exists = statSync(candidate, { throwIfNoEntry: false }) !== undefined;
    return { missing: exists ? `'${command}' is not an executable file` : `command '${command}' not found` };
  }
  const known = found.get(path)?.get(command);
  if (known !== undefined && isExecutableFile(known)) return { path: known };
  for (const directory of path.split(':')) {
    const candidate = resolve(workDir, directory, command);
    if (!isExecutableFile(candidate)) continue;
    if (isAbsolute(directory)) remember(path, command, candidate);
    return { path: candidate };
  }
  return { missing: `command '${command}' not found in PATH (${path})`, inPath: true };
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
