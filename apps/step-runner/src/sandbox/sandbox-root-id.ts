/** The sandbox root's own id, kept in it: tells a restarted runner from another one on the same container engine. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '@weft/storage';

/** Unlike any other's; also the runner's name where the operator gives none. */
export function sandboxRootId(sandboxRoot: string): string {
  const path = join(sandboxRoot, '.id');
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
