/**
 * POSIX glob patterns over a list of paths; no I/O.
 *
 * Invariants:
 *  1. Wildcards match neither '/' nor a leading dot; "**" is no more than "*".
 *  2. A pattern never reaches outside the working directory: such a pattern is refused, not answered with nothing.
 */
import { TaskError } from './api.js';
import { escapes, normalizePath, relativeTo } from './names.js';

/** Paths (relative, '/'-separated) that a pattern matches, sorted by code unit. "" is the working directory itself. */
export function matchGlob(pattern: string, paths: readonly string[], workDir: string): string[] {
  const relative = relativePattern(pattern, workDir);
  if (relative === '') return [''];
  const expression = new RegExp(`^${relative.split('/').map(segmentExpression).join('/')}$`, 'su');
  const found = paths.filter((path) => expression.test(path));
  // As in a shell, a pattern that matches nothing stands for itself: files are often named after inputs with brackets in them.
  return found.length > 0 ? found.sort() : paths.filter((path) => path === relative);
}

/** The pattern relative to the working directory. Throws TaskError OUTPUT_GLOB where it leaves it. */
function relativePattern(pattern: string, workDir: string): string {
  const path = pattern.startsWith('/') ? relativeTo(pattern, workDir) : normalizePath(pattern);
  if (path === undefined || escapes(path)) {
    throw new TaskError('OUTPUT_GLOB', `glob '${pattern}' reaches outside the working directory (${workDir})`);
  }
  return path;
}

function segmentExpression(segment: string): string {
  let source = segment.startsWith('.') ? '' : '(?!\\.)';
  for (let i = 0; i < segment.length; i++) {
    const char = segment.charAt(i);
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const set = bracket(segment, i);
      source += set?.source ?? '\\[';
      if (set) i = set.end;
    } else if (char === '\\' && i + 1 < segment.length) source += escapeChar(segment.charAt(++i));
    else source += escapeChar(char);
  }
  return source;
}

/** A bracket expression: its first ']' is literal where it comes first; unclosed, the '[' is an ordinary character. */
function bracket(segment: string, start: number): { source: string; end: number } | undefined {
  let i = start + 1;
  const negated = segment.charAt(i) === '!' || segment.charAt(i) === '^';
  if (negated) i++;
  const first = i;
  while (i < segment.length && (segment.charAt(i) !== ']' || i === first)) {
    const named = /^\[:\w+:\]/.exec(segment.slice(i));
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
