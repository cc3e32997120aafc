/** For tests of other things. */
import { DiskGuard } from './disk-guard.js';

export function unwatchedDisk(sandboxRoot: string): DiskGuard {
  return new DiskGuard({ sandboxRoot, others: [], reserveBytes: 0, waitMs: 0, tell: () => undefined });
}
