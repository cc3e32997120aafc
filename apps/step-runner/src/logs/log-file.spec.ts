/** The file of one stream: all of it, or its beginning, a mark with counts, and its end. */
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { countLines, LogExcerpt } from './log-excerpt.js';
import { LogFile } from './log-file.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'weft-log-file-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const noProblem = (text: string, error: unknown): never => {
  throw new Error(text, { cause: error });
};

async function written(path: string, limitBytes: number, chunks: Buffer[]): Promise<Buffer> {
  const file = new LogFile(path, { limitBytes, onProblem: noProblem });
  const excerpt = new LogExcerpt({ headBytes: 10, tailBytes: 20 });
  for (const chunk of chunks) {
    excerpt.push(chunk);
    await file.write(chunk);
  }
  await file.close((from) => excerpt.kept(from));
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

it('is what was written, or says exactly what is missing', async () => {
  let n = 0;
  const chunks = fc.array(
    fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom('a\nb\n', 'c')).map((text) => Buffer.from(text)),
    { maxLength: 30, size: 'max' },
  );
  let marked = 0;
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 40, max: 200 }), async (parts, limit) => {
      const all = Buffer.concat(parts);
      const found = await written(join(directory, `${++n}`, 'x.stderr'), limit, parts);
      const mark = /\n?\[weft: (\d+) lines \((\d+) bytes\) are left out here: the log is longer than \d+ bytes\]\n/.exec(
        found.toString('latin1'),
      );
      if (!mark) {
        expect(found.equals(all)).toBe(true);
        // Beyond the limit: the end, with a chunk at most.
        return expect(found.length).toBeLessThanOrEqual(limit + 20 + 20);
      }
      marked += 1;
      expect(all.length).toBeGreaterThan(limit);
      // The line that the mark ends, where it does not begin one, is the mark's own.
      const from = found.subarray(0, mark.index).equals(all.subarray(0, limit)) ? mark.index : mark.index + 1;
      const [lines, bytes] = [Number(mark[1]), Number(mark[2])];
      expect(from).toBe(limit);
      expect(found.subarray(0, from).equals(all.subarray(0, from))).toBe(true);
      const end = found.subarray(mark.index + mark[0].length);
      expect(end.equals(all.subarray(from + bytes))).toBe(true);
      expect(countLines(all.subarray(from, from + bytes))).toBe(lines);
    }),
  );
  expect(marked).toBeGreaterThan(10);
});

it('is written as it comes, whole lines or not, also what is long', async () => {
  const path = join(directory, 'x.stdout');
  const file = new LogFile(path, { limitBytes: 10_000_000, onProblem: noProblem });
  await file.write(Buffer.from('begun, '));
  expect(readFileSync(path, 'utf8')).toBe('begun, ');
  const long = Buffer.alloc(500_000, 'line\n');
  const first = file.write(long);
  const second = file.write(Buffer.from('ended'));
  await Promise.all([first, second]);
  expect(readFileSync(path, 'utf8')).toBe(`begun, ${long.toString()}ended`);
  await file.close(() => []);
});

it('takes the place of what lies at its name, and touches nothing that a link there leads to', async () => {
  const mine = join(directory, 'mine');
  writeFileSync(mine, 'precious');
  for (const [name, make] of [
    ['link', symlinkSync],
    ['hard', linkSync],
  ] as const) {
    make(mine, join(directory, name));
    expect((await written(join(directory, name), 1000, [Buffer.from('said')])).toString()).toBe('said');
  }
  expect(readFileSync(mine, 'utf8')).toBe('precious');
});

it('that cannot be written is told once, and nothing fails', async () => {
  const told: string[] = [];
  writeFileSync(join(directory, 'file'), '');
  const file = new LogFile(join(directory, 'file', 'x'), { limitBytes: 1000, onProblem: (text) => told.push(text) });
  await file.write(Buffer.from('a'));
  await file.write(Buffer.from('b'));
  await file.close(() => []);
  expect(told).toHaveLength(1);
  expect(file.exists).toBe(false);
});

it('gives way where its disk has nothing to spare, says what is missing, and goes on when there is room', async () => {
  const path = join(directory, 'x.stdout');
  let spare = true;
  const file = new LogFile(path, { limitBytes: 2 ** 40, hasSpare: () => spare, onProblem: noProblem });
  const excerpt = new LogExcerpt({ headBytes: 10, tailBytes: 20 });
  const write = async (text: string): Promise<void> => {
    excerpt.push(Buffer.from(text));
    await file.write(Buffer.from(text));
  };
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 256; n += 1) await write(line);
  spare = false;
  // As much as is written between two looks.
  for (let n = 0; n < 1000; n += 1) await write(line);
  expect(statSync(path).size).toBeLessThanOrEqual(512 * 1024);
  spare = true;
  await write('on\n');
  await file.close((from) => excerpt.kept(from));
  const text = readFileSync(path, 'utf8');
  const [, lines, bytes] = /\n\[weft: (\d+) lines \((\d+) bytes\) are left out here: it could not be written\]\non\n$/.exec(text) ?? [];
  expect(Number(lines) * 1024).toBe(Number(bytes));
  expect(text.split('\n').filter((one) => one.startsWith('x')).length + Number(lines)).toBe(1256);
});
