/** Debian packages that the checks need, installed as root. */
import { spawnSync } from 'node:child_process';

/** False: apt-get is not there or could not install them; its own words are on stderr. */
export function aptInstall(...packages: string[]): boolean {
  // Run level 1 keeps the packages' services from being started: the checks start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args: string[]): boolean => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 2], env }).status === 0;
  const install = (): boolean => apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
  return install() || (apt('update', '-qq') && install());
}
