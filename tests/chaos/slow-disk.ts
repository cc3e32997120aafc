/** A disk that takes its time: strace holds every flush of a program up, and does nothing else to it. */
import { spawnSync } from 'node:child_process';

const FLUSH_MS = 500;

/** Words before a command. The tracer is a process of its own, so that the command keeps its process id. */
export function slowDiskWords(flushMs = FLUSH_MS): string[] {
  const delay = `inject=fdatasync:delay_enter=${flushMs * 1000}`;
  return ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', delay];
}

/** Why this machine cannot have one; undefined where it can. */
export function slowDiskUnavailable(): string | undefined {
  const [command = '', ...args] = [...slowDiskWords(0), 'true'];
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return "no 'strace' (Debian package strace)";
  return status === 0 ? undefined : `strace cannot trace here: ${stderr.trim()}`;
}
