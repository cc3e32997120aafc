/** However a task's output is cut into chunks: beginning, counts and end make up what was written. */
import * as fc from 'fast-check';
import { countLines, LogExcerpt, type LogPiece } from './log-excerpt.js';

const LIMITS = { headBytes: 40, tailBytes: 60 };
const texts = fc.array(
  fc.oneof(fc.constantFrom('a\n', 'é🧬\n', '\n', 'x'.repeat(30), '🧬'.repeat(40), `${'y'.repeat(90)}\n`), fc.string()),
  {
    maxLength: 40,
  },
);

/** Cut between characters, or anywhere. */
function chunksOf(text: string, cuts: number[], anywhere: boolean): Buffer[] {
  const parts = anywhere ? Buffer.from(text) : Array.from(text);
  const at = [...new Set(cuts.map((cut) => cut % (parts.length + 1)))].sort((a, b) => a - b);
  const cut = (from: number, to?: number): Buffer =>
    Array.isArray(parts) ? Buffer.from(parts.slice(from, to).join('')) : parts.subarray(from, to);
  return [0, ...at].map((from, n) => cut(from, at[n])).filter(({ length }) => length > 0);
}

/** Puts pieces into their places: every byte that is not there stays NUL. */
function lay(pieces: LogPiece[], all: Buffer): Buffer {
  const laid = Buffer.alloc(all.length);
  for (const { offset, line, data } of pieces) {
    expect(countLines(all.subarray(0, offset))).toBe(line);
    data.copy(laid, offset);
    expect(data.equals(all.subarray(offset, offset + data.length))).toBe(true);
  }
  return laid;
}

it('keeps the beginning and the end, and counts what lies between', () => {
  fc.assert(
    fc.property(
      texts,
      fc.array(fc.nat(), { maxLength: 30 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      fc.boolean(),
      (parts, cuts, takes, anywhere) => {
        const all = Buffer.from(parts.join(''));
        const excerpt = new LogExcerpt(LIMITS);
        const out: LogPiece[] = [];
        for (const [n, chunk] of chunksOf(all.toString(), cuts, anywhere).entries()) {
          out.push(...excerpt.push(chunk));
          if (takes[n]) out.push(...excerpt.take());
        }
        out.push(...excerpt.take());
        expect(excerpt.behind).toBe(false);
        expect(excerpt.written).toEqual({ bytes: all.length, lines: countLines(all) });
        // In order, nothing twice, nothing wrong.
        for (const [n, piece] of out.entries())
          expect(piece.offset).toBeGreaterThanOrEqual((out[n - 1]?.offset ?? 0) + (out[n - 1]?.data.length ?? 0));
        lay(out, all);
        const kept = excerpt.kept();
        lay(kept, all);
        expect(kept.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(LIMITS.headBytes + 2 * LIMITS.tailBytes);
        if (all.length <= LIMITS.headBytes) expect(lay(kept, all).equals(all)).toBe(true);
        // What was left out lies between lines, or inside of one that is too long to be kept.
        const gap = kept.findIndex(({ offset }, n) => n > 0 && offset > (kept[n - 1]?.offset ?? 0) + (kept[n - 1]?.data.length ?? 0));
        if (gap > 0 && !anywhere) {
          expect(kept[gap - 1]?.data.toString()).not.toContain('\ufffd');
          const end = Buffer.concat(kept.slice(gap).map(({ data }) => data));
          expect(end.toString()).not.toContain('\ufffd');
        }
        // The very end is there.
        const last = kept.at(-1);
        expect((last?.offset ?? 0) + (last?.data.length ?? 0)).toBe(all.length);
      },
    ),
  );
});

it('begins what is left of the end with a line', () => {
  const excerpt = new LogExcerpt(LIMITS);
  for (let n = 0; n < 1000; n++) excerpt.push(Buffer.from(`line ${n}\n`));
  const text = excerpt
    .kept()
    .map(({ data }) => data.toString())
    .join('|');
  expect(text).toBe('line 0\nline 1\nline 2\nline 3\nline 4\n|line 994\nline 995\nline 996\nline 997\nline 998\nline 999\n');
  expect(excerpt.kept().map(({ line }) => line)).toEqual([0, 994]);
});

it('keeps no more of a flood than its limits and a chunk', () => {
  const excerpt = new LogExcerpt();
  const chunk = Buffer.alloc(64 * 1024, 'z'.repeat(99) + '\n');
  for (let n = 0; n < 1000; n++) excerpt.push(chunk);
  const kept = excerpt.kept();
  expect(kept.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(48 * 1024);
  expect(excerpt.written.bytes).toBe(1000 * chunk.length);
});
