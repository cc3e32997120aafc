import { spawnSync } from 'node:child_process';
import { launchLine, narrowedLimits } from './launch.js';

const line = (name: string, soft: string, hard: string): string => `${name.padEnd(26)}${soft.padEnd(21)}${hard.padEnd(21)}units\n`;

it.each<[string, string, string[]]>([
  ['nothing narrowed', line('Max cpu time', 'unlimited', 'unlimited') + line('Max open files', '1024', '1024'), []],
  ['open files', line('Max cpu time', 'unlimited', 'unlimited') + line('Max open files', '256', '1048576'), ['n']],
  ['time and memory', line('Max cpu time', '60', 'unlimited') + line('Max address space', '1', '2'), ['t', 'v']],
  [
    'a core size and a stack, which are the system’s wish',
    line('Max core file size', '0', 'unlimited') + line('Max stack size', '1', '2'),
    [],
  ],
  ['no /proc', '', []],
])('of the limits: %s', (_what, text, expected) => {
  expect(narrowedLimits(text)).toEqual(expected);
});

it('puts nothing between where nothing was narrowed', () => {
  expect(launchLine(['node', 'x y'], { limits: [] })).toEqual(['node', 'x y']);
});

it('raises soft limits to the hard ones, and hands the words over as they are', () => {
  const [command, ...args] = launchLine(['/bin/sh', '-c', 'ulimit -S -n; echo "$1"', 'x', `a 'b' $c`], {
    limits: ['n', 't'],
    processors: '0-3',
  });
  const narrowed = spawnSync('/bin/sh', ['-c', 'ulimit -S -n 20; exec "$@"', 'sh', command, ...args], { encoding: 'utf8' });
  const hard = spawnSync('/bin/sh', ['-c', 'ulimit -H -n'], { encoding: 'utf8' });
  expect(narrowed.stdout).toBe(`${hard.stdout}a 'b' $c\n`);
});
