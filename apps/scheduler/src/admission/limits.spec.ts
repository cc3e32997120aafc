import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadLimits } from './limits.js';

const scratch = mkdtempSync(join(tmpdir(), 'weft-limits-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function fileOf(text: string): string {
  const path = join(scratch, `${Math.random()}.yaml`);
  writeFileSync(path, text);
  return path;
}

it('without settings there are none', () => {
  const limits = loadLimits({});
  expect(limits.maxRuns).toBe(Infinity);
  expect(limits.of('any')).toEqual({ maxTasks: Infinity, maxRuns: Infinity, weight: 1 });
});

it('a project that the file names has its own, the others those of all', () => {
  const file = fileOf('projects:\n  genomics: {max_tasks: 8, weight: 2.5}\n  "": {max_runs: 1}\n');
  const limits = loadLimits({ maxActiveRuns: 9, projectMaxRuns: 5, projectMaxTasks: 3, file });
  expect(limits.maxRuns).toBe(9);
  expect(limits.of('genomics')).toEqual({ maxTasks: 8, maxRuns: 5, weight: 2.5 });
  expect(limits.of('')).toEqual({ maxTasks: 3, maxRuns: 1, weight: 1 });
  expect(limits.of('constructor')).toEqual({ maxTasks: 3, maxRuns: 5, weight: 1 });
});

it.each([
  ['projects: {a: {max_task: 1}}', 'max_task'],
  ['projects: {a: {max_tasks: 0}}', 'max_tasks'],
  ['projects: {a: {weight: 0}}', 'weight'],
  ['limits: {}', 'projects'],
])('a file that says %s is refused, naming %s', (text, named) => {
  const file = fileOf(text);
  expect(() => loadLimits({ file })).toThrow(new RegExp(`${file}[^]*${named}`));
});

it('takes what the file says now, and keeps what it said where that cannot be taken', () => {
  const file = fileOf('projects: {a: {weight: 2}}');
  const limits = loadLimits({ file });
  expect([limits.limitTasks, limits.reload()]).toEqual([false, false]);
  writeFileSync(file, 'projects: {a: {max_tasks: 3}}');
  expect([limits.reload(), limits.limitTasks, limits.of('a')]).toEqual([true, true, { maxTasks: 3, maxRuns: Infinity, weight: 1 }]);
  writeFileSync(file, 'projects: {a: {max_tasks: none}}');
  expect(() => limits.reload()).toThrow(file);
  expect(limits.of('a').maxTasks).toBe(3);
});
