/**
 * Programs that outlived a supervisor which was killed: they hold the Redis files and the sockets, so they go first.
 * The state file names them; only processes that still look like what it says are touched (ids are reused).
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../home.js';

interface Recorded {
  name: string;
  pid: number;
  /** Kernel start time of the process: with the pid it names one process for ever. */
  startedAt: string;
}

const stateFile = (home: Home): string => join(home.run, 'stack.json');

export function recordPrograms(home: Home, programs: { name: string; pid: number }[]): void {
  const recorded: Recorded[] = programs.map(({ name, pid }) => ({ name, pid, startedAt: startTime(pid) ?? '' }));
  writeFileSync(stateFile(home), `${JSON.stringify({ supervisor: process.pid, programs: recorded }, null, 2)}\n`, { mode: 0o600 });
}

export function forgetPrograms(home: Home): void {
  rmSync(stateFile(home), { force: true });
}

/** Ends what a killed supervisor left running, and waits for the end. Answers with the names. */
export async function endLeftovers(home: Home): Promise<string[]> {
  const alive = readRecorded(home).filter(isSame);
  for (const { pid } of alive) signal(pid, 'SIGTERM');
  const deadline = Date.now() + 10_000;
  while (alive.some(isSame)) {
    if (Date.now() > deadline) for (const program of alive.filter(isSame)) signal(program.pid, 'SIGKILL');
    // These are not our children: the kernel tells nobody but their parent when they end.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  forgetPrograms(home);
  return alive.map(({ name }) => name);
}

function readRecorded(home: Home): Recorded[] {
  try {
    return (JSON.parse(readFileSync(stateFile(home), 'utf8')) as { programs: Recorded[] }).programs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as Error).name === 'SyntaxError') return [];
    throw error;
  }
}

function isSame(program: Recorded): boolean {
  return program.startedAt !== '' && startTime(program.pid) === program.startedAt;
}

/** Field 22 of /proc/<pid>/stat; undefined where the process is gone, is a zombie, or the system has no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return afterName[0] === 'Z' ? undefined : afterName[19];
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
