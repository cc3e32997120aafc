/** A program's log: bounded while it is written, whole lines, nothing lost to a rotation, and never a reason to fail. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Program } from './child.js';
import { LogFile } from './log-file.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'weft-log-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The generations, the oldest first. */
function generations(path: string): string[] {
  const names = readdirSync(join(path, '..')).filter((name) => join(path, '..', name).startsWith(path));
  const age = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  return names.sort((a, b) => age(b) - age(a)).map((name) => readFileSync(join(path, '..', name), 'utf8'));
}

it('keeps whole lines in generations of a size, however they come', () => {
  let n = 0;
  const parts = fc.array(fc.oneof(fc.constantFrom('a\n', 'bb\ncc\n', 'no end', '\n', `${'long '.repeat(30)}\n`), fc.string()), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 80 }), (texts, bytes) => {
      const path = join(directory, `${++n}`, 'x.log');
      const log = new LogFile(path, { bytes, generations: 100 });
      for (const text of texts) log.write(text);
      log.close();
      const all = texts.join('');
      if (all === '') return;
      const files = generations(path);
      expect(files.join('')).toBe(all);
      for (const file of files.slice(0, -1)) expect(file.endsWith('\n')).toBe(true);
      const longest = Math.max(...all.split('\n').map((line) => Buffer.byteLength(line) + 1));
      for (const file of files) expect(Buffer.byteLength(file)).toBeLessThanOrEqual(Math.max(bytes, bytes + longest));
    }),
  );
});

it('drops the oldest generation, and begins a new one where an earlier life left off', () => {
  const path = join(directory, 'x.log');
  const log = new LogFile(path, { bytes: 10, generations: 2 });
  for (let n = 0; n < 10; n++) log.write(`line ${n}\n`);
  log.close();
  expect(generations(path)).toEqual(['line 7\n', 'line 8\n', 'line 9\n']);
  const next = new LogFile(path, { bytes: 10, generations: 2 });
  next.write('again\n');
  next.close();
  expect(generations(path)).toEqual(['line 8\n', 'line 9\n', 'again\n']);
});

it('goes on when it, or its directory, was removed, and counts what could not be written', () => {
  const path = join(directory, 'logs', 'x.log');
  const log = new LogFile(path);
  log.write('one\n');
  rmSync(join(directory, 'logs'), { recursive: true });
  writeFileSync(join(directory, 'logs'), 'a file in the way');
  log.write('two\nthree\n');
  rmSync(join(directory, 'logs'));
  log.write('four\n');
  log.close();
  expect(readFileSync(path, 'utf8')).toBe('(2 lines could not be written here)\nfour\n');
});

it('is rotated under a program that logs in a loop', async () => {
  const lines = 200_000;
  const script = `process.stderr.write(Array.from({ length: ${lines} }, (_, n) => 'line ' + n + '\\n').join(''), () => console.log('ready {}'))`;
  const spec = { name: 'chatty', command: process.execPath, args: ['-e', script], env: process.env, readyLine: () => ({}) };
  const events = { note: () => undefined, changed: () => undefined, gaveUp: () => undefined };
  const program = new Program(spec, directory, events, undefined, { bytes: 100_000, generations: 3 });
  await program.start();
  await program.stop();
  const files = generations(join(directory, 'chatty.log'));
  expect(files).toHaveLength(4);
  expect(files.join('').split('\n').at(-2)).toBe(`line ${lines - 1}`);
  const numbers = files
    .join('')
    .trim()
    .split('\n')
    .map((line) => Number(line.slice(5)));
  expect(numbers.every((number, n) => n === 0 || number === (numbers[n - 1] ?? 0) + 1)).toBe(true);
  for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(100_000);
});
