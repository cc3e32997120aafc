/** The thread's side: takes one task at a time. Imports nothing but Node, so that a thread starts with its own work alone. */
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { FromThread } from './protocol.js';

/**
 * More than the service's, as `nice` counts. Where processors are short, the thread that serves everybody and the tasks of others go first; what is left is the
 * thread's, and its limit is the time that it has had (limited-thread.ts).
 */
const NICENESS = 5;
const LEAST = 19;

/** @param run what it rejects with is a fault of ours; a refusal is an answer. */
export function serveTasks<Task, Answer>(run: (task: Task) => Promise<Answer> | Answer): void {
  const port = parentPort;
  if (!port) throw new Error('this program is started as a worker thread');
  const say = (message: FromThread<Answer>): void => port.postMessage(message);
  const thread = thisThread();
  if (thread !== undefined) giveWay(thread);
  say({ kind: 'started', threadPath: thread === undefined ? undefined : `/proc/${thread}` });
  port.on('message', (task: Task) => {
    void (async () => {
      try {
        say({ kind: 'done', answer: await run(task) });
      } catch (error) {
        say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      }
    })();
  });
}

/** `<process>/task/<thread>`; undefined where the system does not say. */
function thisThread(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self');
  } catch {
    return undefined;
  }
}

function giveWay(thread: string): void {
  const id = Number(thread.split('/').at(-1));
  try {
    setPriority(id, Math.min(LEAST, getPriority(id) + NICENESS));
  } catch {
    // Some sandboxes forbid the call. The thread is as any other then.
  }
}
