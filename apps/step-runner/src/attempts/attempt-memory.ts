/** What an attempt in a container leaves in its sandbox for a later life of the runner. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxLayout } from '../sandbox/sandbox-layout.js';

export const SPEC_FILE = 'spec.bin';
export const RESULT_FILE = 'result.bin';
/** Ids of its GPUs, one per line; absent where it has none. */
export const DEVICES_FILE = 'devices';
/** How often it was begun again because its runtime went away; absent: never. */
export const LOSSES_FILE = 'losses';

/** Whole or not there. @throws the system's error */
export function remember({ root }: SandboxLayout, name: string, bytes: Uint8Array): void {
  const path = join(root, name);
  // The spec may hold secrets.
  writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
