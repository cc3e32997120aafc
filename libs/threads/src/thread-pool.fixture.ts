/** A thread for the tests of the pool: what it does with a task is what the task says. */
import { getPriority } from 'node:os';
import { readlinkSync } from 'node:fs';
import { serveTasks } from './serve-tasks.js';

export type FixtureTask =
  | { kind: 'echo'; bytes: Uint8Array }
  /** Until somebody makes the number another one than 0. */
  | { kind: 'hold'; until: Int32Array<SharedArrayBuffer> }
  | { kind: 'spin' | 'fill' | 'fail' | 'exit' | 'niceness' };

serveTasks((task: FixtureTask): unknown => {
  switch (task.kind) {
    case 'echo':
      return task.bytes;
    case 'hold':
      return Atomics.wait(task.until, 0, 0);
    case 'spin':
      for (;;);
    case 'fill': {
      const kept: object[] = [];
      for (;;) kept.push({ kept });
    }
    case 'fail':
      throw new Error('a fault of ours');
    case 'exit':
      return process.exit(3);
    case 'niceness':
      return getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)));
  }
});
