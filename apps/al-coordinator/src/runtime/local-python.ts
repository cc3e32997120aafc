/**
 * A local Python that has scikit-learn and joblib: one that is there, else a virtual environment filled by pip, else Debian's package.
 *
 * Invariants: the virtual environment appears at its place complete or not at all (built aside, then renamed), so two processes that
 * prepare at once end with the same one.
 */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Served for Python 3.9 to 3.13; joblib comes along as a dependency of it. */
const PIP_PACKAGES = ['scikit-learn==1.6.1'];
const DEBIAN_PACKAGES = ['python3-sklearn', 'python3-joblib'];
const CHECK = 'import sys, sklearn, joblib; print(sys.executable)';
const SYSTEM_PYTHONS = ['/usr/bin/python3', 'python3'];

export interface CommandResult {
  /** Null where the command could not be started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The machine, as far as preparing a Python needs it. */
export interface PythonHost {
  /** Where the virtual environment belongs: `$WEFT_HOME/al-python`. */
  home: string;
  /** The operator's choice of interpreter; nothing else is tried then. */
  fixed?: string;
  isRoot: boolean;
  run(command: string, args: string[], timeoutMs: number): Promise<CommandResult>;
  /** Makes `from` appear as `to`; false where `to` is there already. */
  publish(from: string, to: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  /** A path beside `home` that nobody else uses. */
  aside(): string;
}

/** Absolute path of the interpreter. Rejects with what to install where nothing worked. */
export async function prepareLocalPython(host: PythonHost, note: (text: string) => void): Promise<string> {
  if (host.fixed !== undefined) {
    const python = await usable(host, host.fixed);
    if (python === undefined) throw new Error(`${host.fixed} has no scikit-learn and joblib`);
    return python;
  }
  const present = await firstUsable(host, [join(host.home, 'bin/python'), ...SYSTEM_PYTHONS]);
  if (present !== undefined) return present;
  const problems: string[] = [];
  for (const attempt of [installWithPip, installWithApt]) {
    const result = await attempt(host, note);
    if (result.ok) return result.python;
    problems.push(result.problem);
    note(result.problem);
  }
  throw new Error(
    `no Python with scikit-learn and joblib, and none could be prepared: ${problems.join('; ')}. ` +
      `Install ${DEBIAN_PACKAGES.join(' and ')}, or set WEFT_AL_PYTHON to an interpreter that has them`,
  );
}

type Attempt = { ok: true; python: string } | { ok: false; problem: string };

async function installWithPip(host: PythonHost, note: (text: string) => void): Promise<Attempt> {
  const aside = host.aside();
  note(`preparing a virtual environment with ${PIP_PACKAGES.join(' and ')}`);
  try {
    const made = await host.run('python3', ['-m', 'venv', aside], 120_000);
    if (made.code !== 0) return { ok: false, problem: `python3 -m venv failed: ${lastLine(made)}` };
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--retries', '1', ...PIP_PACKAGES];
    const installed = await host.run(join(aside, 'bin/python'), pip, 900_000);
    if (installed.code !== 0) return { ok: false, problem: `pip failed: ${lastLine(installed)}` };
    await host.publish(aside, host.home);
  } finally {
    await host.remove(aside);
  }
  const python = await usable(host, join(host.home, 'bin/python'));
  return python === undefined
    ? { ok: false, problem: `the Python in ${host.home} cannot import scikit-learn; remove that folder to have it made anew` }
    : { ok: true, python };
}

async function installWithApt(host: PythonHost, note: (text: string) => void): Promise<Attempt> {
  if ((await host.run('apt-get', ['--version'], 10_000)).code !== 0) return { ok: false, problem: 'this is no Debian (no apt-get)' };
  if (!host.isRoot && (await host.run('sudo', ['-n', 'true'], 10_000)).code !== 0) {
    return { ok: false, problem: `installing ${DEBIAN_PACKAGES.join(' and ')} needs root or sudo without a password` };
  }
  note(`installing ${DEBIAN_PACKAGES.join(' and ')}`);
  const apt = async (...args: string[]): Promise<CommandResult> => {
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300', '-qq', ...args];
    return host.isRoot ? host.run('env', command.slice(1), 900_000) : host.run('sudo', ['-n', ...command], 900_000);
  };
  const updated = await apt('update');
  const installed = await apt('install', '-y', '--no-install-recommends', ...DEBIAN_PACKAGES);
  if (installed.code !== 0) {
    return { ok: false, problem: `apt-get failed: ${lastLine(installed) || lastLine(updated)}` };
  }
  const python = await usable(host, '/usr/bin/python3');
  return python === undefined ? { ok: false, problem: '/usr/bin/python3 cannot import scikit-learn' } : { ok: true, python };
}

async function firstUsable(host: PythonHost, candidates: string[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    const python = await usable(host, candidate);
    if (python !== undefined) return python;
  }
  return undefined;
}

/** The interpreter's own absolute path where it can import what the tools need. */
async function usable(host: PythonHost, python: string): Promise<string | undefined> {
  const result = await host.run(python, ['-c', CHECK], 60_000);
  return result.code === 0 ? result.stdout.trim() : undefined;
}

function lastLine(result: CommandResult): string {
  return result.stderr.trim().split('\n').at(-1) ?? '';
}

/** This machine. */
export function localHost(weftHome: string, fixed?: string): PythonHost {
  const home = join(weftHome, 'al-python');
  return {
    home,
    ...(fixed === undefined ? {} : { fixed }),
    isRoot: process.getuid?.() === 0,
    run,
    aside: () => `${home}.${process.pid}`,
    remove: (path) => rm(path, { recursive: true, force: true }),
    publish: async (from, to) => {
      await mkdir(dirname(to), { recursive: true });
      try {
        await rename(from, to);
        return true;
      } catch (error) {
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
        throw error;
      }
    },
  };
}

function run(command: string, args: string[], timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr: code === null && stderr === '' ? (error?.message ?? '') : stderr });
    });
  });
}
