import { readFileSync } from 'node:fs';

/** How many processes the kernel has ended for memory, of whatever container, since this host was started; 0 where it does not say. */
export function memoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
