/**
 * What of this command's world goes with the run that it submits: PATH and umask, and the variables that the user chose.
 * The services have a world of their own (stack/environment.ts), whoever started them.
 *
 * Invariants:
 *  1. Directories of PATH mean what they mean to this shell: what is relative is made absolute here.
 *  2. The entire environment is without what belongs to this process alone, and without the secrets of weft's own.
 */
import { resolve } from 'node:path';
import { scheduler } from '@weft/contracts';

export interface CallersWorld {
  env: NodeJS.ProcessEnv;
  cwd: string;
  umask: number;
}

export interface Preserved {
  /** Names that were given; a comma separates several. */
  names: readonly string[];
  entire: boolean;
}

/** They say where this shell is; the task is elsewhere. PATH goes apart, because a container must keep its image's. */
const OWN = /^(PATH|HOME|TMPDIR|PWD|OLDPWD|SHLVL|_|WEFT_.*|BASH_FUNC_.*)$/;

export function worldOfThisProcess(): CallersWorld {
  return { env: process.env, cwd: process.cwd(), umask: process.umask() };
}

export function callerOf({ env, cwd, umask }: CallersWorld, preserved: Preserved = { names: [], entire: false }): scheduler.Caller {
  return scheduler.Caller.create({
    path: searchPath(env['PATH'] ?? '', cwd),
    umask,
    environment: { ...(preserved.entire ? wholeEnvironment(env) : {}), ...chosenVariables(env, preserved.names) },
  });
}

/** Names that were asked for and are not set. */
export function missingNames(env: NodeJS.ProcessEnv, names: readonly string[]): string[] {
  return namesOf(names).filter((name) => env[name] === undefined);
}

function namesOf(given: readonly string[]): string[] {
  return given.flatMap((text) => text.split(',')).filter((name) => name !== '');
}

/** Absolute directories, each once. An empty one means the current directory, as everywhere. */
function searchPath(path: string, cwd: string): string {
  if (path === '') return '';
  return [...new Set(path.split(':').map((directory) => resolve(cwd, directory)))].join(':');
}

function wholeEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined || OWN.test(name) ? [] : [[name, value]])));
}

function chosenVariables(env: NodeJS.ProcessEnv, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    namesOf(names).flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
