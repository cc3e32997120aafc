/** Finds the name an author most likely meant: smallest Damerau-Levenshtein distance (optimal string alignment) within a bound. */

/** The candidate nearest to `name`, or undefined when none is near: at most a third of its letters may differ, and never more than three. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const bound = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = bound + 1;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const d = candidate.toLowerCase() === lower ? 0 : distance(name, candidate, bestDistance - 1);
    if (d < bestDistance && d < candidate.length) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/**
 * Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; `bound + 1` where they are more than `bound`. Only cells near the
 * diagonal are computed: a document with many mistakes asks for this very often.
 */
export function distance(a: string, b: string, bound: number): number {
  const tooFar = bound + 1;
  const width = b.length + 1;
  let before = new Array<number>(width).fill(tooFar);
  let last = Array.from({ length: width }, (_, j) => Math.min(j, tooFar));
  let row = new Array<number>(width).fill(tooFar);
  for (let i = 1; i <= a.length; i += 1) {
    const [from, to] = [Math.max(1, i - bound), Math.min(b.length, i + bound)];
    let least = (row[from - 1] = from === 1 ? Math.min(i, tooFar) : tooFar);
    for (let j = from; j <= to; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? tooFar) + 1, (row[j - 1] ?? tooFar) + 1, (last[j - 1] ?? tooFar) + (same ? 0 : 1), tooFar);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? tooFar) + 1);
      row[j] = cost;
      if (cost < least) least = cost;
    }
    if (to < b.length) row[to + 1] = tooFar;
    if (least > bound) return tooFar;
    [before, last, row] = [last, row, before];
  }
  return last[b.length] ?? tooFar;
}

/** "did you mean 'x'?", or undefined. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? undefined : `did you mean '${nearest}'?`;
}
