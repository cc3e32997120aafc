/**
 * Puts every flow collection (`[…]`, `{…}`) of a text on one line, without moving a single character: line breaks and comments in it become spaces.
 * Published documents indent flow collections less than YAML 1.2 asks for, and YAML 1.1 readers take them. Only used on text that was refused:
 * the scan knows quotes, comments and block scalars, not all of YAML.
 */

/** A text of the same length, in which offsets mean the same places. */
export function joinFlowLines(text: string): string {
  const blanks: Blanks = [];
  let at = 0;
  while (at < text.length) {
    const end = lineEnd(text, at);
    at = joinLine(text, at, end, blanks);
  }
  const parts: string[] = [];
  let from = 0;
  for (const [start, end] of blanks) {
    parts.push(text.slice(from, start), ' '.repeat(end - start));
    from = end;
  }
  return parts.join('') + text.slice(from);
}

/** Stretches that become spaces, in order. */
type Blanks = [start: number, end: number][];

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

/** Handles what starts on the line from `start`; answers where the next line to look at starts. */
function joinLine(text: string, start: number, end: number, blanks: Blanks): number {
  let opens = true;
  for (let i = start; i < end; i += 1) {
    const c = text[i] ?? '';
    if (c === '#' && (i === start || /\s/.test(text[i - 1] ?? ''))) return end + 1;
    if (opens && (c === '"' || c === "'")) {
      const close = quoteEnd(text, i);
      if (close >= end) return lineEnd(text, close) + 1;
      i = close;
    } else if (opens && (c === '[' || c === '{')) {
      return lineEnd(text, flowEnd(text, i, blanks)) + 1;
    } else if (opens && (c === '|' || c === '>') && /^[|>][-+0-9]*\s*(#.*)?$/.test(text.slice(i, end))) {
      return blockEnd(text, start, end);
    }
    // A value, and with it a quote or a bracket that means something, starts a line or follows one of these.
    if (!/\s/.test(c)) opens = /[:?-]/.test(c) && /\s/.test(text[i + 1] ?? ' ');
  }
  return end + 1;
}

/** Offset of the closing quote, or the end of the text. */
function quoteEnd(text: string, at: number): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i += 1) {
    if (quote === '"' && text[i] === '\\') i += 1;
    else if (text[i] === quote) {
      if (quote === "'" && text[i + 1] === "'") i += 1;
      else return i;
    }
  }
  return text.length;
}

/** Blanks line breaks and comments up to the bracket that closes the one at `at`; answers its offset, or the end of the text. */
function flowEnd(text: string, at: number, blanks: Blanks): number {
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (c === '[' || c === '{') depth += 1;
    else if ((c === ']' || c === '}') && (depth -= 1) === 0) return i;
    else if (c === '\n' || c === '\r') blanks.push([i, i + 1]);
    else if ((c === '"' || c === "'") && /[\s[{,:]/.test(text[i - 1] ?? '')) i = quoteEnd(text, i);
    else if (c === '#' && /\s/.test(text[i - 1] ?? '')) {
      const end = lineEnd(text, i);
      blanks.push([i, end]);
      i = end - 1;
    }
  }
  return text.length;
}

/** Where the first line starts that is not part of the block scalar announced on the line from `start`. */
function blockEnd(text: string, start: number, end: number): number {
  const base = text.slice(start, end).search(/\S/);
  let at = end + 1;
  while (at < text.length) {
    const line = text.slice(at, lineEnd(text, at));
    if (line.trim() !== '' && line.search(/\S/) <= base) return at;
    at = lineEnd(text, at) + 1;
  }
  return at;
}
