/** What a launcher does to the process that it was spawned as: waits for its start, finds its child, ends it. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isGone, killProcess, readProcesses } from './strays.js';

const COMPLAINT_BYTES = 2000;

/** Resolves with what `greet` makes of it; rejects with what the child complained of, or with what was waited for. */
export async function started<T>(child: ChildProcess, limitMs: number, greet: (ready: Promise<unknown>) => Promise<T>): Promise<T> {
  const control = child.stdio[3] as Readable;
  control.setEncoding('utf8');
  let complaint = '';
  // Who ends before reading the first command says why by its end.
  child.stdin?.on('error', () => undefined);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, COMPLAINT_BYTES)));
  let waitingFor = 'it to make its pipes';
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => reject(new Error(complaint.trim() || `it ended with ${signal ?? code}`)));
    timer = setTimeout(() => reject(new Error(`waited ${limitMs / 1000} s for ${waitingFor}`)), limitMs);
  });
  const ready = new Promise<void>((resolve) => {
    control.once('data', () => {
      waitingFor = 'its first answer';
      resolve();
    });
  });
  failed.catch(() => undefined);
  try {
    return await Promise.race([greet(Promise.race([ready, failed])), failed]);
  } finally {
    clearTimeout(timer);
  }
}

/** The only child of a process. */
export function childOf(parent: number): number {
  const entry = readChildren(parent) ?? (readProcesses() ?? []).find((one) => one.parent === parent)?.pid;
  if (entry === undefined) throw new Error(`process ${parent} has no child`);
  return entry;
}

function readChildren(parent: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').split(' ')[0]) || undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export function killGroup(group: number): void {
  signalGroup(group, 'SIGKILL');
}

export function killCgroup(directory: string): void {
  try {
    for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n'))
      if (pid !== '') killProcess(Number(pid), 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** A group that is gone is not an error. */
export function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Also where something else stands in its place. */
export function removeIfThere(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOTDIR') throw error;
  }
}
