/**
 * POSIX glob patterns over a list of paths; no I/O.
 *
 * Invariants:
 *  1. Wildcards match neither '/' nor a leading dot; "**" is no more than "*". A pattern that ends in '/' matches directories alone.
 *  2. A pattern never reaches outside the working directory: such a pattern is refused, not answered with nothing.
 *  3. A name is looked at in time that grows with the lengths of name and pattern multiplied, whatever the pattern: of the stars in it only the
 *     last one that was passed is ever tried again, because what an earlier one could take, the last one can.
 *  4. All patterns of a task together have a limited number of steps, and the thread is given away between them: documents choose the patterns,
 *     tools the names.
 */
import { setImmediate } from 'node:timers/promises';
import { TaskError } from './api.js';
import { escapes, normalizePath, relativeTo } from './names.js';

/** Longer than any path can be. */
const MAX_PATTERN = 4096;
/** Comparisons of a character, or of a path's begin, for all patterns of one task: about two seconds. */
const MAX_STEPS = 300_000_000;
/** What a comparison with a set counts for: it is that much slower. */
const STEPS_OF_SET = 10;
/** Comparisons before others get the thread: some milliseconds. */
const STEPS_AT_ONCE = 500_000;

/** What lies in a working directory. Paths are relative, '/'-separated; "" is the directory itself. */
export interface GlobbedTree {
  /** Sorted by code unit. */
  paths: readonly string[];
  has(path: string): boolean;
  /** Of a path that is there. */
  isDirectory(path: string): boolean;
}

/** The patterns of one task. */
export class GlobSearch {
  private steps = 0;
  private pausedAt = 0;

  constructor(
    private readonly tree: GlobbedTree,
    private readonly workDir: string,
    private readonly maxSteps = MAX_STEPS,
  ) {}

  /** Paths that a pattern matches, sorted by code unit. @throws TaskError OUTPUT_GLOB */
  async find(pattern: string): Promise<string[]> {
    if (pattern.length > MAX_PATTERN)
      throw new TaskError('OUTPUT_GLOB', `a glob of ${pattern.length} characters (${pattern.slice(0, 60)}…) is longer than any path`);
    const relative = relativePattern(pattern, this.workDir);
    if (relative === '') return [''];
    const { has, isDirectory } = this.tree;
    const fits = (path: string): boolean => !pattern.endsWith('/') || isDirectory(path);
    const found = isWild(relative) ? (await this.matching(relative.split('/').map(tokensOf), pattern)).filter(fits) : [];
    // As in a shell, a pattern that matches nothing stands for itself: files are often named after inputs with brackets in them.
    return found.length > 0 || !has(relative) || !fits(relative) ? found : [relative];
  }

  private async matching(segments: readonly Token[][], pattern: string): Promise<string[]> {
    const found: string[] = [];
    const count = { steps: 0 };
    const before = this.steps;
    for (const path of this.tree.paths) {
      if (matchesPath(path, segments, count)) found.push(path);
      this.steps = before + count.steps;
      if (this.steps > this.maxSteps) throw tooMuch(pattern, this.tree.paths.length);
      if (this.steps - this.pausedAt < STEPS_AT_ONCE) continue;
      this.pausedAt = this.steps;
      await setImmediate();
    }
    return found;
  }
}

function tooMuch(pattern: string, paths: number): TaskError {
  const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern;
  return new TaskError(
    'OUTPUT_GLOB',
    `the globs up to '${shown}' are too much to look for in the ${paths} paths that the tool left; use fewer or simpler ones`,
  );
}

/** False: the pattern is a name. */
export function isWild(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** The pattern relative to the working directory. Throws TaskError OUTPUT_GLOB where it leaves it. */
function relativePattern(pattern: string, workDir: string): string {
  const path = pattern.startsWith('/') ? relativeTo(pattern, workDir) : normalizePath(pattern);
  if (path === undefined || escapes(path)) {
    throw new TaskError('OUTPUT_GLOB', `glob '${pattern}' reaches outside the working directory (${workDir})`);
  }
  return path;
}

/** One character (its code point), one of a set (a test), any one (`?`), or any number of them (`*`). */
type Token = number | RegExp | '?' | '*';

function tokensOf(segment: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < segment.length;) {
    const code = codeAt(segment, i);
    const char = String.fromCodePoint(code);
    i += char.length;
    if (char === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (char === '?') tokens.push('?');
    else if (char === '[') {
      const set = bracket(segment, i - 1);
      tokens.push(set ? new RegExp(`^${set.source}$`, 'su') : code);
      if (set) i = set.end + 1;
    } else if (char === '\\' && i < segment.length) {
      tokens.push(codeAt(segment, i));
      i += widthOf(codeAt(segment, i));
    } else tokens.push(code);
  }
  return tokens;
}

function matchesPath(path: string, segments: readonly Token[][], count: { steps: number }): boolean {
  let start = 0;
  for (const [i, tokens] of segments.entries()) {
    count.steps += 1;
    const slash = path.indexOf('/', start);
    const isLast = i === segments.length - 1;
    if (isLast !== (slash === -1)) return false;
    if (!matchesName(isLast ? path.slice(start) : path.slice(start, slash), tokens, count)) return false;
    start = slash + 1;
  }
  return true;
}

function matchesName(name: string, tokens: readonly Token[], count: { steps: number }): boolean {
  if (name.startsWith('.') && typeof tokens[0] !== 'number') return false;
  let at = 0;
  let next = 0;
  /** Where to go on when what follows the last star does not fit: the token after it, and the first character it has not taken. */
  let afterStar = -1;
  let from = 0;
  let steps = 0;
  let matched = true;
  while (matched && at < name.length) {
    const token = tokens[next];
    steps += typeof token === 'object' ? STEPS_OF_SET : 1;
    if (token === '*') {
      next += 1;
      afterStar = next;
      from = at;
      continue;
    }
    const code = codeAt(name, at);
    if (token !== undefined && takes(token, code)) {
      at += widthOf(code);
      next += 1;
    } else if (afterStar >= 0) {
      from += widthOf(codeAt(name, from));
      at = from;
      next = afterStar;
    } else matched = false;
  }
  count.steps += steps;
  while (tokens[next] === '*') next += 1;
  return matched && next === tokens.length;
}

function takes(token: Exclude<Token, '*'>, code: number): boolean {
  if (typeof token === 'number') return token === code;
  return token === '?' || token.test(String.fromCodePoint(code));
}

/** The character that begins there: one or two code units. */
function codeAt(text: string, at: number): number {
  return text.codePointAt(at) ?? 0;
}

function widthOf(code: number): number {
  return code > 0xffff ? 2 : 1;
}

/** A bracket expression: its first ']' is literal where it comes first; unclosed, the '[' is an ordinary character. */
function bracket(segment: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1;
  const negated = segment.charAt(i) === '!' || segment.charAt(i) === '^';
  if (negated) i++;
  const first = i;
  if (!segment.includes(']', first + 1)) return undefined;
  while (i < segment.length && (segment.charAt(i) !== ']' || i === first)) {
    const named = segment.startsWith('[:', i) ? /^\[:\w+:\]/.exec(segment.slice(i)) : null;
    i += named ? named[0].length : 1;
  }
  if (i >= segment.length) return undefined;
  return { source: `[${negated ? '^/' : ''}${classMembers(segment.slice(first, i))}]`, end: i };
}

function classMembers(text: string): string {
  return text.replace(/\[:(\w+):\]|(.)-(.)|[\\\]^[|-]/gsu, (match: string, named?: string, low?: string, high?: string) => {
    if (named !== undefined) return NAMED_CLASSES[named] ?? '';
    if (low !== undefined && high !== undefined) return low <= high ? `${escapeChar(low)}-${escapeChar(high)}` : '';
    return `\\${match}`;
  });
}

const NAMED_CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  xdigit: '0-9A-Fa-f',
};

function escapeChar(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
