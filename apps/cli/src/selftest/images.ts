/** The container images that the checks and the conformance suites name: made on this machine where they are missing. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { distDirectory } from '../stack/build-copy.js';

/** Where the scripts lie in a checkout. */
export function imagesDirectory(): string {
  return resolve(distDirectory(), '../tests/images');
}

/** Runs every script of the directory; each is idempotent. Answers why the images cannot be had, undefined where they are there. */
export function makeImages(directory: string, say: (line: string) => void): string | undefined {
  if (!existsSync(directory)) return `${directory} is not there: nothing makes the images that the checks need`;
  for (const script of readdirSync(directory)
    .filter((name) => name.endsWith('.sh'))
    .sort()) {
    say(`making test images (${script})`);
    const result = spawnSync('bash', [join(directory, script)], { stdio: ['ignore', 2, 2] });
    if (result.status !== 0) return `${script} failed with exit code ${result.status ?? result.signal}`;
  }
  return undefined;
}
