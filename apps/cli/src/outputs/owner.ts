/**
 * Which process makes a delivery, in a form that fits into a name: `<host>-<pid>-<born>`.
 *
 * Invariant: a process is called dead only where that is certain: it was of this host (and PID namespace), and its number is free or has been given
 * to a process that began at another time.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './delivery-error.js';

const FORM = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9a-f]{8})$/;

export function ownerName(): string {
  return `${hostTag()}-${process.pid}-${bornTag(process.pid) ?? '00000000'}`;
}

/** Not where nothing is known of it, as of a process on another host. */
export function isCertainlyDead(owner: string): boolean {
  const [, host, pid, born] = FORM.exec(owner) ?? [];
  if (host !== hostTag() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return codeOf(error) === 'ESRCH';
  }
  const now = bornTag(Number(pid));
  return now !== undefined && now !== born;
}

/** The process as a person looks for it. */
export function describeOwner(owner: string): string {
  const [, host, pid] = FORM.exec(owner) ?? [];
  if (pid === undefined) return 'something else';
  return host === hostTag() ? `process ${pid}` : `process ${pid} of another host`;
}

function hostTag(): string {
  return tag(`${hostname()} ${linux(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`);
}

/** Differs between two processes that have the same number one after the other, also across a restart of the machine. */
function bornTag(pid: number): string | undefined {
  return linux(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the command's name, which may hold anything: field 3 is the first, 22 is the start time.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return tag(`${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')} ${started}`);
  });
}

function linux<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function tag(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
