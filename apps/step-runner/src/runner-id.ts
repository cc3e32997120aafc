/** The runner's name, kept in the sandbox root so that a restarted runner is the same runner. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '@weft/storage';

export function stableRunnerId(sandboxRoot: string): string {
  const path = join(sandboxRoot, '.runner-id');
  try {
    const known = readFileSync(path, 'utf8').trim();
    if (known !== '') return known;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  const id = `${hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${randomBytes(4).toString('hex')}`;
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}
