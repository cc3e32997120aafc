/** The kernel's records of what it ended for memory, as a file has them; and that its own log, where it may be read, is read to its end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endedForMemory } from './kernel-log.js';

const ID = '273c16fbdca3c8615c969c0dccbfaae8d14e1c0d8fd88630fe16361789d49b94';
const OTHER = 'f'.repeat(64);
const directory = mkdtempSync(join(tmpdir(), 'weft-kmsg-'));
afterAll(() => rmSync(directory, { recursive: true }));

function log(...lines: string[]): string {
  const path = join(directory, String(Math.random()));
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

it.each([
  [
    'version 1',
    `4,100,9,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/docker/${ID},task_memcg=/docker/${ID},task=tail,pid=9579,uid=0`,
  ],
  ['version 2', `6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/system.slice/docker-${ID}.scope,task=tail`],
])('of a container in cgroups of %s', async (_version, line) => {
  expect(await endedForMemory(ID, log('6,1,1,-;something else', line))).toBe(true);
  expect(await endedForMemory(OTHER, log(line))).toBe(false);
});

it('is not what only names it', async () => {
  expect(
    await endedForMemory(ID, log(`6,1,2,-;audit: container ${ID} started`, '6,1,3,-;Memory cgroup out of memory: Killed process 7')),
  ).toBe(false);
});

it('is not known where the log may not be read', async () => {
  expect(await endedForMemory(ID, join(directory, 'none'))).toBeUndefined();
  expect(await endedForMemory(ID, directory)).toBeUndefined();
});

it('ends, of the log of this machine', async () => {
  expect(await endedForMemory('no container has this name')).not.toBe(true);
});
