/**
 * The processes of a stack as the kernel shows them: also of one whose files are gone, and of programs that outlived their supervisor.
 *
 * Invariants:
 *  1. Only processes of this PID namespace count: those of a container may have a home of the same path, which is another.
 *  2. A process is named by pid and start time together; what is signalled is what was found.
 *  3. Redis rewrites its arguments, so it is known by its working directory, the folder of its files. One that listens elsewhere was started by
 *     somebody else, and is not ended.
 */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Home, socketPath } from '../home.js';
import { type ProcessMark, isAlive, processStart, processState } from './lock/place.js';
import { stackArgument } from './services.js';

export interface StackProcess extends ProcessMark {
  /** `supervisor`, `redis`, `scheduler`, … */
  name: string;
  /** A Redis on the stack's files that no stack has started. */
  foreign: boolean;
}

/** Milliseconds for an end after SIGTERM. */
const GRACE_MS = 10_000;

/** None where the system has no /proc. */
export function stackProcesses(home: Home): StackProcess[] {
  const mark = stackArgument(home.root);
  const redis = statSync(home.redis, { throwIfNoEntry: false });
  const ours = namespaceOf('self');
  return processIds().flatMap((pid) => {
    if (pid === process.pid) return [];
    const isRedis = redis !== undefined && worksIn(pid, redis);
    const name = isRedis ? 'redis' : serviceName(pid, mark);
    if (name === undefined || namespaceOf(pid) !== ours) return [];
    const startedAt = processStart(pid);
    // Redis shows in its title where it listens.
    const foreign = isRedis && !textOf(`/proc/${pid}/cmdline`).includes(socketPath(home, 'redis'));
    return startedAt === undefined ? [] : [{ name, pid, startedAt, foreign }];
  });
}

/** In order, supervisor first and Redis last, each by SIGTERM and by SIGKILL when that does not help. Answers with those that are still there. */
export async function endProcesses(found: readonly StackProcess[], say: (line: string) => void = () => undefined): Promise<StackProcess[]> {
  for (const rank of ['supervisor', 'service', 'redis'] as const) {
    const group = found.filter(({ name, foreign }) => !foreign && isOfRank(name, rank));
    if (!(await ended(group, 'SIGTERM', GRACE_MS))) {
      const left = group.filter(isAlive);
      say(
        `ending at once what does not end by itself: ${left.map(({ name, pid }) => `${name} (pid ${pid}, ${processState(pid)})`).join(', ')}`,
      );
      await ended(left, 'SIGKILL', GRACE_MS);
    }
  }
  return found.filter(isAlive);
}

function isOfRank(name: string, rank: 'supervisor' | 'service' | 'redis'): boolean {
  return rank === 'service' ? name !== 'supervisor' && name !== 'redis' : name === rank;
}

/** These are not our children: the kernel tells nobody but their parent when they end. */
async function ended(group: readonly StackProcess[], signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  for (const one of group.filter(isAlive)) {
    send(one.pid, signal);
    // One that is stopped hears nothing else.
    send(one.pid, 'SIGCONT');
  }
  const begun = performance.now();
  while (group.some(isAlive)) {
    if (performance.now() - begun > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** From its arguments: `node …/scheduler.mjs --weft-stack=…`, or the supervisor's `… __supervise --weft-stack=…`. */
function serviceName(pid: number, mark: string): string | undefined {
  const [, ...words] = textOf(`/proc/${pid}/cmdline`).split('\0');
  // Options of Node's own come first.
  const [script = '', ...rest] = words.slice(words.findIndex((word) => !word.startsWith('-')));
  if (!rest.includes(mark)) return undefined;
  return rest[0] === '__supervise' ? 'supervisor' : basename(script, '.mjs');
}

function worksIn(pid: number, directory: { dev: number; ino: number }): boolean {
  const at = statSyncOrNone(`/proc/${pid}/cwd`);
  return at?.dev === directory.dev && at.ino === directory.ino && /^(redis|valkey)-/.test(textOf(`/proc/${pid}/comm`));
}

function statSyncOrNone(path: string): { dev: number; ino: number } | undefined {
  try {
    return statSync(path);
  } catch {
    // Another user's, or gone.
    return undefined;
  }
}

function namespaceOf(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
