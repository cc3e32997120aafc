/** OpenStack Swift, which the tests take as S3 server: Debian's python3-swift. */
import { spawnSync } from 'node:child_process';
import { aptInstall } from './debian.js';

/** Where it cannot be had the tests that need it say so themselves. */
export function ensureSwift(say: (line: string) => void): void {
  if (spawnSync('/usr/bin/python3', ['-c', 'import swift.obj.server'], { stdio: 'ignore' }).status === 0 || process.getuid?.() !== 0)
    return;
  say('installing python3-swift (Debian package, once)');
  if (!aptInstall('python3', 'python3-swift')) say('apt-get could not install python3-swift');
}
